import { html, type Html } from './html.js'

/** Who answers for it that an application is what it says (AS-C1). */
export type ClientTrust =
  /** The operator of this server configured it, or made it at run time. */
  | { readonly by: 'operator' }
  /** Whoever holds the host at which it publishes its document. */
  | { readonly by: 'document', readonly host: string }
  /** It registered itself; how long ago, in words: "3 minutes". */
  | { readonly by: 'nobody', readonly since: string }

/** What a person can go by, in a word or two and what that means. */
export function trustOf (trust: ClientTrust): Html {
  if (trust.by === 'operator') return html`<dd>The operator of this server <small>approved it</small></dd>`
  if (trust.by === 'document') return html`<dd><bdi>${trust.host}</bdi> <small>publishes what it says of itself</small></dd>`
  return html`<dd>Nobody <small>it registered itself ${trust.since} ago</small></dd>`
}
