import { plainText } from '../protocol/text.js'
import { accountOf } from './account.js'
import { askedFrom, deviceWarningOf, type ConsentDevice } from './consent-device.js'
import { trustOf, type ClientTrust } from './client-trust.js'
import { consentScopeOf, type ConsentScope } from './consent-scope.js'
import { hiddenFieldsOf } from './field.js'
import { html, type Html } from './html.js'
import { layout } from './layout.js'
import { warningMark } from './marks.js'

export interface ConsentModel {
  readonly user: string
  /** As the client gave it: the page makes it harmless. */
  readonly clientName: string
  readonly clientId: string
  readonly trust: ClientTrust
  /** Whether its redirect URI is on the loopback interface. */
  readonly loopback: boolean
  /** What asked, when that was a device; then nobody is sent anywhere. `null` for a browser. */
  readonly device: ConsentDevice | null
  /** A host, or a private-use scheme with its colon (`redirectHost` of the redirect rules). */
  readonly redirectHost: string
  /** How people call this server. */
  readonly site: string
  /** What it wants to use; at least one. */
  readonly resources: ReadonlyArray<{ readonly resource: string, readonly name: string }>
  readonly scopes: readonly ConsentScope[]
  /** For how long a yes is remembered, in words; `null`: not at all. */
  readonly rememberedFor: string | null
  /** What it asks for besides, each in a line of the host: given with everything else that is allowed. */
  readonly details?: readonly string[]
  readonly action: string
  readonly handle: string
  readonly csrf: string
  /** Where a form signs the user out, for "Not you?". */
  readonly signOutAction?: string
}

function warningOf ({ trust, loopback, device }: ConsentModel): Html | null {
  if (trust.by !== 'nobody' && !loopback && device === null) return null
  return html`<section class="warning" aria-labelledby="warning">
${warningMark}
<h2 id="warning">Did you start this yourself, just now?</h2>
${trust.by === 'nobody' && html`<p>The application registered itself ${trust.since} ago and chose its own name. Nobody has checked who it is.</p>`}
${loopback && html`<p>It is a program on this computer, where any program can ask under any name.</p>`}
${device === null ? html`<p>If you did not expect this page, choose Deny.</p>` : deviceWarningOf(device)}
</section>`
}

/** What a bare host or scheme does not tell everybody. */
function whereabouts ({ loopback, redirectHost }: ConsentModel): string | null {
  if (loopback) return 'this computer'
  return redirectHost.endsWith(':') ? 'an app on this device' : null
}

function sendsTo (model: ConsentModel): Html {
  const place = whereabouts(model)
  return html`<div><dt>Sends you to</dt><dd><bdi>${model.redirectHost}</bdi>${place !== null && html` <small>${place}</small>`}</dd></div>`
}

function factsOf (model: ConsentModel, clientName: string): Html {
  return html`<dl class="facts">
<div><dt>Application</dt><dd><bdi>${clientName}</bdi> <code dir="ltr">${plainText(model.clientId, 200)}</code></dd></div>
<div><dt>Assured by</dt>${trustOf(model.trust)}</div>
${model.device === null ? sendsTo(model) : askedFrom(model.device)}
<div><dt>Wants to use</dt>${model.resources.map(({ name, resource }) => html`<dd><bdi>${name}</bdi> <code dir="ltr">${resource}</code></dd>`)}</div>
</dl>`
}

function detailsOf ({ details = [] }: ConsentModel): Html | null {
  if (details.length === 0) return null
  const lines = details.map((line) => html`<li><bdi>${plainText(line, 300)}</bdi></li>`)
  return html`<div class="opens"><p>With Allow, it may also do this</p><ul>${lines}</ul></div>`
}

/** In words: one, "one and two", "one, two and three". */
function namesOf ({ resources }: ConsentModel): Html {
  const before = (index: number): string => index === 0 ? '' : index === resources.length - 1 ? ' and ' : ', '
  return html`${resources.map(({ name }, index) => html`${before(index)}<bdi>${name}</bdi>`)}`
}

/**
 * Asks the user what an application may do (AS-C1). Fields: `transaction`, `csrf`, `scope` (once for each ticked box),
 * `decision` (`allow` or `deny`). Deny is the first button, so that Enter in a checkbox gives nothing away.
 */
export function consentPage (model: ConsentModel): string {
  const clientName = plainText(model.clientName, 60) || 'An application without a name'
  return layout({
    title: 'Allow access?',
    site: model.site,
    aside: accountOf({ ...model, fields: { csrf: model.csrf, transaction: model.handle } }),
    main: html`<h1><bdi class="claimed">${clientName}</bdi> wants to use ${namesOf(model)}</h1>
${warningOf(model)}
${factsOf(model, clientName)}
<form method="post" action="${model.action}" autocomplete="off">
${hiddenFieldsOf({ transaction: model.handle, csrf: model.csrf })}
<fieldset>
<legend>What it may do</legend>
<p class="hint">Untick what you do not want to give. With nothing ticked, it gets nothing.</p>
<div class="scopes">
${model.scopes.map(consentScopeOf)}
</div>
${detailsOf(model)}
</fieldset>
<div class="actions decision">
<button class="button" type="submit" name="decision" value="deny">Deny</button>
<button class="button primary" type="submit" name="decision" value="allow">Allow</button>
</div>
<p class="hint">${model.device === null ? 'Either way you go back to the application.' : 'Either way you go on at your device.'} It never sees your password.${model.rememberedFor !== null && html` If you allow it, you are not asked the same again for ${model.rememberedFor}.`}</p>
</form>`
  })
}
