import { fieldOf, hiddenFieldsOf, problemOf } from './field.js'
import { html } from './html.js'
import { layout } from './layout.js'

export interface SignInModel {
  readonly action: string
  readonly csrf: string
  /** Where the browser goes on afterwards. The page only carries it: whoever reads the form has to check it. */
  readonly returnTo: string
  /** The name typed last time. */
  readonly name?: string
  /** Why the last time failed, in a sentence that does not tell whether the account exists. */
  readonly error?: string
  /** How people call this server. */
  readonly site?: string
}

/** Fields: `name`, `password`, `csrf`, `return_to`. */
export function signInPage (model: SignInModel): string {
  const wrong = model.error !== undefined
  return layout({
    title: 'Sign in',
    site: model.site,
    main: html`<h1>Sign in</h1>
${problemOf(model.error)}
<form method="post" action="${model.action}">
${hiddenFieldsOf({ csrf: model.csrf, return_to: model.returnTo })}
${fieldOf({ name: 'name', label: 'Account name', type: 'text', autocomplete: 'username', value: model.name, autofocus: model.name === undefined, wrong })}
${fieldOf({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', autofocus: model.name !== undefined, wrong })}
<p class="actions"><button class="button primary" type="submit">Sign in</button></p>
</form>`
  })
}
