import { html } from './html.js'
import { layout } from './layout.js'
import { linkTo, type Link } from './link.js'

export interface ErrorModel {
  /** The HTTP status of the answer. */
  readonly status: number
  readonly title: string
  /** One or two sentences of our own: what happened and what the reader can do. No text of the request. */
  readonly message: string
  /** What the operator can find in the log. */
  readonly requestId?: string
  readonly link?: Link
  /** How people call this server. */
  readonly site?: string
}

/** Tells a person that the server refused, or failed, and how to go on. */
export function errorPage (model: ErrorModel): string {
  return layout({
    title: model.title,
    site: model.site,
    main: html`<p class="eyebrow">Error ${model.status}</p>
<h1>${model.title}</h1>
<p class="lead">${model.message}</p>
${linkTo(model.link)}
${model.requestId !== undefined && html`<p class="reference">Reference <code>${model.requestId}</code></p>`}`
  })
}
