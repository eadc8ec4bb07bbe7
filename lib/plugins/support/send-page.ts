import type { FastifyReply } from 'fastify'
import { pageHeaders } from '../../pages/page-headers.js'

export interface Page {
  readonly status: number
  readonly html: string
  /** URIs to which the answer of the page's form may redirect. */
  readonly formActions?: readonly string[]
}

/** Sends a page under the headers of AS-A14. */
export function sendPage (reply: FastifyReply, { status, html, formActions = [] }: Page): FastifyReply {
  return reply.code(status).headers(pageHeaders(formActions)).send(html)
}
