import { plainText } from '../protocol/text.js'
import { hiddenFieldsOf } from './field.js'
import { html, type Html } from './html.js'

/** Who is signed in, and a way to be somebody else. `fields` go along with that form. */
export function accountOf ({ user, signOutAction, fields = {} }: {
  readonly user: string
  readonly signOutAction?: string
  readonly fields?: Readonly<Record<string, string>>
}): Html {
  return html`<div class="account"><p>Signed in as <bdi>${plainText(user, 60)}</bdi></p>
${signOutAction !== undefined && html`<form method="post" action="${signOutAction}">${hiddenFieldsOf(fields)}<button class="quiet" type="submit">Not you?</button></form>`}</div>`
}
