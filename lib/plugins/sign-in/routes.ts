import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { refuseOtherMethods } from '../support/other-methods.js'
import { answerWithPage } from './page-errors.js'

type Answer = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** Open to everybody, counted strictly, refused with pages. */
const config = { mcpSecurity: { public: true }, mcpLimit: 'sensitive', mcpPage: true } as const

/** Registers a page and the form on it under one URL. Every other method is refused with 405. */
export function pageRoutes (scope: FastifyInstance, { url, branding, show, submit }: {
  readonly url: string
  readonly branding: { readonly site?: string }
  readonly show?: Answer
  readonly submit: Answer
}): void {
  const errorHandler = answerWithPage(branding)
  if (show !== undefined) scope.get(url, { config, errorHandler }, show)
  scope.post(url, { config, errorHandler }, submit)
  refuseOtherMethods(scope, { url, allow: show === undefined ? ['POST'] : ['GET', 'HEAD', 'POST'], config, errorHandler })
}
