import { fieldOf, hiddenFieldsOf, problemOf } from './field.js'
import { html } from './html.js'
import { layout } from './layout.js'

export interface SetUpModel {
  readonly action: string
  readonly csrf: string
  /** The one-time token of the set-up link. */
  readonly token: string
  readonly name?: string
  readonly error?: string
  /** In characters; told to the user and held by the browser. Whoever reads the form has to check it again. */
  readonly minPasswordLength?: number
  /** How people call this server. */
  readonly site?: string
}

/** Fields: `name`, `password`, `password_again`, `csrf`, `token`. */
export function setUpPage (model: SetUpModel): string {
  const { minPasswordLength: minLength } = model
  const wrong = model.error !== undefined
  const hint = minLength === undefined ? undefined : `At least ${minLength} characters. A few unrelated words are good.`
  const again = { type: 'password', autocomplete: 'new-password', minLength, wrong } as const
  return layout({
    title: 'Set up',
    site: model.site,
    main: html`<h1>Create the first account</h1>
<p class="lead">This server has no accounts yet. The link that brought you here works once.</p>
${problemOf(model.error)}
<form method="post" action="${model.action}">
${hiddenFieldsOf({ csrf: model.csrf, token: model.token })}
${fieldOf({ name: 'name', label: 'Account name', type: 'text', autocomplete: 'username', value: model.name, autofocus: true, wrong })}
${fieldOf({ ...again, name: 'password', label: 'Password', hint })}
${fieldOf({ ...again, name: 'password_again', label: 'Password again' })}
<p class="actions"><button class="button primary" type="submit">Create account</button></p>
</form>`
  })
}
