import { plainText } from '../protocol/text.js'
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
  readonly selfRegistered: boolean
  /** How long ago it registered, in words: "3 minutes". */
  readonly registeredAgo: string | null
  /** Whether its redirect URI is on the loopback interface. */
  readonly loopback: boolean
  readonly redirectHost: string
  readonly resource: string
  readonly resourceName: string
  readonly scopes: readonly ConsentScope[]
  readonly action: string
  readonly handle: string
  readonly csrf: string
  /** Where a form signs the user out, for "Not you?". */
  readonly signOutAction?: string
}

function warningOf ({ selfRegistered, registeredAgo, loopback }: ConsentModel): Html | null {
  if (!selfRegistered && !loopback) return null
  const since = registeredAgo === null ? '' : ` ${registeredAgo} ago`
  return html`<section class="warning" aria-labelledby="warning">
${warningMark}
<div>
<h2 id="warning">Did you start this yourself, just now?</h2>
${selfRegistered && html`<p>This application registered itself${since}, under a name it chose. Nobody has checked who it is.</p>`}
${loopback && html`<p>It is a program on this computer. Any program that runs here can ask under any name.</p>`}
<p>If you do not know what this is, deny it.</p>
</div>
</section>`
}

function accountOf (model: ConsentModel): Html {
  const { signOutAction, csrf, handle } = model
  return html`<div class="account"><p>Signed in as <bdi>${plainText(model.user, 120)}</bdi></p>
${signOutAction !== undefined && html`<form method="post" action="${signOutAction}">${hiddenFieldsOf({ csrf, transaction: handle })}<button class="quiet" type="submit">Not you?</button></form>`}</div>`
}

function factsOf (model: ConsentModel, clientName: string): Html {
  return html`<dl class="facts">
<div><dt>Application</dt><dd><bdi>${clientName}</bdi> <small><bdi>${plainText(model.clientId, 200)}</bdi></small></dd></div>
<div><dt>Returns to</dt><dd><bdi>${model.redirectHost}</bdi>${model.loopback && html` <small>this computer</small>`}</dd></div>
<div><dt>Gets access to</dt><dd><bdi>${model.resourceName}</bdi> <small><bdi>${model.resource}</bdi></small></dd></div>
</dl>`
}

/**
 * Asks the user what an application may do (AS-C1). Fields: `transaction`, `csrf`, `scope` (once for each ticked box),
 * `decision` (`allow` or `deny`). Deny is the first button, so that Enter in a checkbox gives nothing away.
 */
export function consentPage (model: ConsentModel): string {
  const clientName = plainText(model.clientName, 80) || 'An application without a name'
  return layout({
    title: 'Allow access?',
    site: model.resourceName,
    main: html`${accountOf(model)}
<h1><bdi>${clientName}</bdi> wants to use <bdi>${model.resourceName}</bdi></h1>
${warningOf(model)}
${factsOf(model, clientName)}
<form method="post" action="${model.action}" autocomplete="off">
${hiddenFieldsOf({ transaction: model.handle, csrf: model.csrf })}
<fieldset>
<legend>What it may do</legend>
<p class="hint">Untick what you do not want to give. With nothing ticked, it gets nothing.</p>
${model.scopes.map(consentScopeOf)}
</fieldset>
<div class="actions decision">
<button class="button" type="submit" name="decision" value="deny">Deny</button>
<button class="button primary" type="submit" name="decision" value="allow">Allow</button>
</div>
</form>`
  })
}
