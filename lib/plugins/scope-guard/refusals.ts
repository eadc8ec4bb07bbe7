import type { FastifyReply } from 'fastify'
import { buildChallenge } from '../../protocol/challenge.js'
import type { OAuthErrorCode } from '../../protocol/oauth-error.js'
import { resourceMetadataUrl } from '../../protocol/well-known.js'

/** One way to say no, in the words of JSON-RPC and of OAuth. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON-RPC's `error.code`; -32000 where it has no better one. */
  readonly code: number
  /** OAuth's `error`. */
  readonly error: OAuthErrorCode
  /** Goes on the wire: says nothing that the client does not know. */
  readonly message: string
}

/** Who is told: a JSON-RPC client, with the id of its request where that is known, or a client of another route. */
export type Audience = { readonly rpc: true, readonly id: string | number | null } | { readonly rpc: false }

/** The refusals that carry a challenge. */
export interface Challenges {
  /** No credentials: a challenge without `error` (RS-21). */
  readonly noToken: Refusal
  /** Unknown, expired, for another audience: all the same to the client (RS-29). */
  readonly badToken: Refusal
  /** Two headers (RS-12, RS-27). */
  readonly badRequest: Refusal
  /** All scopes in one challenge (RS-23), with those that the token has, since some clients replace theirs (RS-24). */
  insufficientScope (required: readonly string[], granted: readonly string[]): Refusal
}

const HEADERS = { 'cache-control': 'no-store' }

const refusal = (status: number, says: { code?: number, error?: OAuthErrorCode, message: string }): Refusal =>
  Object.freeze({ status, headers: HEADERS, code: -32000, error: 'invalid_request', ...says })

const NO_TOKEN = refusal(401, { error: 'invalid_token', message: 'An access token is required' })
const BAD_TOKEN = refusal(401, { error: 'invalid_token', message: 'The access token is not valid' })
const TWO_TOKENS = refusal(400, { message: 'The Authorization header is malformed' })
const INSUFFICIENT_SCOPE = refusal(403, { error: 'insufficient_scope', message: 'More scopes are needed' })

/** RS-16: not 401, which would make clients throw good tokens away. */
export const UNAVAILABLE: Refusal = Object.freeze({
  ...refusal(503, { error: 'temporarily_unavailable', message: 'The access token cannot be checked at the moment' }),
  headers: { ...HEADERS, 'retry-after': '5' }
})

export const UNKNOWN_METHOD = refusal(403, { code: -32601, message: 'Method not found' })
export const UNKNOWN_COMPONENT = refusal(403, { code: -32602, message: 'Unknown tool, prompt or resource' })

export const MALFORMED = {
  [-32700]: refusal(400, { code: -32700, message: 'The body is not JSON' }),
  [-32600]: refusal(400, { code: -32600, message: 'The body is not a JSON-RPC message' }),
  [-32602]: refusal(400, { code: -32602, message: 'The message names no tool, prompt or resource' })
} as const
export const TOO_LARGE = refusal(413, { message: 'The body is too large' })
export const WRONG_TYPE = refusal(415, { message: 'Content-Type must be application/json' })

export const methodRefusal = (allow: string): Refusal =>
  ({ ...refusal(405, { message: 'Method not allowed' }), headers: { ...HEADERS, allow } })

const MAX_REMEMBERED = 1000

/** Challenges are strings that are built once: those of 401 at boot, those of 403 when first needed. */
export function buildChallenges (input: { resource: string, defaultScopes: readonly string[] }): Challenges {
  const { resource, defaultScopes } = input
  const resourceMetadata = resourceMetadataUrl(resource)
  const remembered = new Map<string, Refusal>()

  const challenged = (refusal: Refusal, scope: readonly string[], error?: OAuthErrorCode): Refusal => {
    const challenge = buildChallenge({
      resourceMetadata, scope, ...(error === undefined ? {} : { error, description: refusal.message })
    })
    return Object.freeze({ ...refusal, headers: { ...refusal.headers, 'www-authenticate': challenge } })
  }

  return {
    noToken: challenged(NO_TOKEN, defaultScopes),
    badToken: challenged(BAD_TOKEN, defaultScopes, 'invalid_token'),
    badRequest: challenged(TWO_TOKENS, defaultScopes, 'invalid_request'),

    insufficientScope (required, granted) {
      const union = new Set([...required, ...granted])
      const scope = union.size === 0 ? defaultScopes : [...union]
      const key = scope.join(' ')
      const found = remembered.get(key) ?? challenged(INSUFFICIENT_SCOPE, scope, 'insufficient_scope')
      if (remembered.size >= MAX_REMEMBERED) remembered.clear()
      remembered.set(key, found)
      return found
    }
  }
}

/** Answers a refusal, in JSON-RPC at the MCP endpoint and in OAuth's words elsewhere. */
export function sendRefusal (reply: FastifyReply, refusal: Refusal, audience: Audience): FastifyReply {
  const { status, headers, code, error, message } = refusal
  const body = audience.rpc
    ? { jsonrpc: '2.0', id: audience.id, error: { code, message } }
    : { error, error_description: message }
  return reply.code(status).headers(headers).type('application/json; charset=utf-8').send(JSON.stringify(body))
}
