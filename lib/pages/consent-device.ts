import { html, type Html } from './html.js'

/** About the device that asked, for the consent page. */
export interface ConsentDevice {
  /** As the device shows it: `WDJB-MJHT`. */
  readonly userCode: string
  /** The address that the device asked from, or its network. */
  readonly network: string
  /** Whether this browser is on that network, too. */
  readonly isHere: boolean
  /** How long ago it asked, in words: "3 minutes". */
  readonly askedAgo: string
}

/** What is different about a device: nobody is sent anywhere, and the code may have come from somebody else. */
export function deviceWarningOf ({ userCode, isHere }: ConsentDevice): Html {
  return html`<p>Go on only if a device in front of you shows the code <strong class="user-code">${userCode}</strong>, because you started this there.</p>
${!isHere && html`<p>The device is not on the network of this browser.</p>`}
<p>If somebody sent you the code or a link, choose Deny: they would get into your account.</p>`
}

export function askedFrom ({ network, isHere, askedAgo }: ConsentDevice): Html {
  const place = isHere ? 'the network of this browser' : 'another network than that of this browser'
  return html`<div><dt>Asked from</dt><dd><bdi>${network}</bdi> <small>${place}, ${askedAgo} ago</small></dd></div>`
}
