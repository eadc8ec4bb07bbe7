import { html } from './html.js'
import { layout } from './layout.js'
import { linkTo, type Link } from './link.js'

export interface NoticeModel {
  readonly title: string
  readonly message: string
  /** Such as "Return to the application". */
  readonly link?: Link
  /** Where the link leads, for the reader to check, when it leads to another host. */
  readonly destination?: string
  /** How people call this server. */
  readonly site?: string
}

/** Says one thing and waits for a click: before the browser is sent to an application that nobody checked (AS-A11). */
export function noticePage (model: NoticeModel): string {
  return layout({
    title: model.title,
    site: model.site,
    main: html`<h1>${model.title}</h1>
<p class="lead">${model.message}</p>
${model.destination !== undefined && html`<p class="destination">The link leads to <bdi>${model.destination}</bdi>.</p>`}
${linkTo(model.link)}`
  })
}
