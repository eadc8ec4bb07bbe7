import { plainText } from '../protocol/text.js'
import { html } from './html.js'
import { layout } from './layout.js'

export interface SignedInModel {
  readonly user: string
  /** Where a form signs the user out. It has no fields. */
  readonly signOutAction: string
  /** How people call this server. */
  readonly site?: string
}

/** For somebody who signed in without coming from an application. */
export function signedInPage ({ user, signOutAction, site }: SignedInModel): string {
  return layout({
    title: 'Signed in',
    site,
    main: html`<h1>You are signed in as <bdi>${plainText(user, 60)}</bdi></h1>
<p class="lead">Applications that you connect will ask you here for access. You can close this page.</p>
<form method="post" action="${signOutAction}">
<p class="actions"><button class="button" type="submit">Sign out</button></p>
</form>`
  })
}
