import { promisify } from 'node:util'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OAuthError } from '../../protocol/oauth-error.js'
import { readForm, type Form } from '../../protocol/form.js'

/** Bytes. Far above what any client sends, far below what would hurt. */
export const BODY_LIMIT = 65_536

const options = { parseAs: 'buffer', bodyLimit: BODY_LIMIT } as const
// A byte order mark stays, as everything does: others that read the same form may not take it off.
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode (body: Buffer): string {
  try {
    return strict.decode(body)
  } catch (cause) {
    throw new OAuthError({ code: 'invalid_request', description: 'the body is not valid UTF-8', cause })
  }
}

/**
 * Makes the routes of this scope read `application/x-www-form-urlencoded` and nothing else, into a `Form`: repeated
 * parameters stay visible, so that they can be refused (AS-A1, AS-T1). Other types are answered 415, a body of more
 * than `BODY_LIMIT` 413.
 */
export function acceptForms (scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/x-www-form-urlencoded', options,
    async (_request: FastifyRequest, body: Buffer) => readForm(decode(body)))
}

/** Makes the routes of this scope read `application/json` and nothing else. A `__proto__` inside is answered 400. */
export function acceptJson (scope: FastifyInstance): void {
  const parse = promisify(scope.getDefaultJsonParser('error', 'error'))
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/json', options,
    async (request: FastifyRequest, body: Buffer) => await parse(request, decode(body)))
}

const NOTHING: Form = new Map()

/** The form in a request's body; an empty one when there was no body. */
export function formOf (request: FastifyRequest): Form {
  return request.body instanceof Map ? request.body : NOTHING
}
