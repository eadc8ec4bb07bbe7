import { accountOf } from './account.js'
import { fieldOf, hiddenFieldsOf, problemOf } from './field.js'
import { html } from './html.js'
import { layout } from './layout.js'
import { warningMark } from './marks.js'

export interface DeviceModel {
  readonly user: string
  readonly action: string
  readonly csrf: string
  /** What was typed last time, or came with the link: for the user to compare, never taken without a click. */
  readonly userCode?: string
  /** Why the last time failed, in a sentence. */
  readonly error?: string
  readonly site: string
  /** Where a form signs the user out, for "Not you?". */
  readonly signOutAction?: string
}

/** Asks for the code that a device shows (RFC 8628 §3.3). Fields: `csrf`, `user_code`. */
export function devicePage (model: DeviceModel): string {
  const { error, userCode } = model
  return layout({
    title: 'Connect a device',
    site: model.site,
    aside: accountOf(model),
    main: html`<h1>Connect a device</h1>
${problemOf(error)}
<form method="post" action="${model.action}" autocomplete="off">
${hiddenFieldsOf({ csrf: model.csrf })}
${fieldOf({ name: 'user_code', label: 'Code', type: 'text', autocomplete: 'off', value: userCode, hint: 'Eight letters. It has to be the code that your device shows right now.', autofocus: userCode === undefined, wrong: error !== undefined })}
<p class="actions"><button class="button primary" type="submit">Continue</button></p>
</form>
<section class="warning" aria-labelledby="warning">
${warningMark}
<h2 id="warning">Only if you started this yourself</h2>
<p>Never enter a code that somebody sent you, told you, or put into a link: they would get into your account.</p>
</section>`
  })
}
