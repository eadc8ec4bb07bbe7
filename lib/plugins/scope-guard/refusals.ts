import type { FastifyReply } from 'fastify'
import { buildChallenge } from '../../protocol/challenge.js'
import type { WireFault } from '../../protocol/mcp-fault.js'
import type { AssuranceRule } from '../../../types/access.js'
import type { OAuthErrorCode } from '../../protocol/oauth-error.js'
import { resourceMetadataUrl } from '../../protocol/well-known.js'
import type { SenderSettings } from './sender-settings.js'

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
  /** JSON-RPC's `error.data`, on the wire as it is. */
  readonly data?: Readonly<Record<string, unknown>>
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
  /** A bad token that was shown with the scheme `DPoP`: the challenge of that scheme says so (RFC 9449 §7.1). */
  readonly badBoundToken: Refusal
  /** EX-22. */
  readonly badProof: Refusal
  /** RFC 9449 §9. The answer has to bring the nonce. */
  readonly nonceNeeded: Refusal
  /** A good token that anybody could use: 401, since only another one helps (RFC 6750 §3.1, RFC 9449 §7.1). */
  readonly notSenderConstrained: Refusal
  /** All scopes in one challenge (RS-23), with those that the token has, since some clients replace theirs (RS-24). */
  insufficientScope (required: readonly string[], granted: readonly string[]): Refusal
  /** The scopes are there, but what they open now is not what the user agreed to. */
  consentNeeded (scopes: readonly string[]): Refusal
  /** A good token of a sign-in that is too old or too weak: 401, with what it takes (RFC 9470 §3). */
  insufficientAuthentication (assurance: AssuranceRule, scope: readonly string[]): Refusal
}

const HEADERS = { 'cache-control': 'no-store' }

const refusal = (status: number, says: { code?: number, error?: OAuthErrorCode, message: string }): Refusal =>
  Object.freeze({ status, headers: HEADERS, code: -32000, error: 'invalid_request', ...says })

const NO_TOKEN = refusal(401, { error: 'invalid_token', message: 'An access token is required' })
const BAD_TOKEN = refusal(401, { error: 'invalid_token', message: 'The access token is not valid' })
const BAD_PROOF = refusal(401, { error: 'invalid_dpop_proof', message: 'The DPoP proof is not valid' })
const NONCE_NEEDED = refusal(401, { error: 'use_dpop_nonce', message: 'The DPoP proof needs a nonce' })
const NOT_SENDER_CONSTRAINED =
  refusal(401, { error: 'invalid_token', message: 'An access token that is bound to its sender is required' })
const TWO_TOKENS = refusal(400, { message: 'The Authorization header is malformed' })
const INSUFFICIENT_SCOPE = refusal(403, { error: 'insufficient_scope', message: 'More scopes are needed' })
const NOT_CONSENTED = refusal(403, { error: 'insufficient_scope', message: 'The user has to consent again' })

const INSUFFICIENT_AUTHENTICATION = refusal(401, {
  error: 'insufficient_user_authentication', message: 'A more recent or stronger sign-in is needed'
})

/** RS-16: not 401, which would make clients throw good tokens away. */
export const UNAVAILABLE: Refusal = Object.freeze({
  ...refusal(503, { error: 'temporarily_unavailable', message: 'The access token cannot be checked at the moment' }),
  headers: { ...HEADERS, 'retry-after': '5' }
})

export const UNKNOWN_METHOD = refusal(403, { code: -32601, message: 'Method not found' })
export const UNKNOWN_COMPONENT = refusal(403, { code: -32602, message: 'Unknown tool, prompt or resource' })

/** No scope would open it, so there is nothing to ask for. */
export const FORBIDDEN = refusal(403, { error: 'access_denied', message: 'Access is denied' })
/** The host could not say whether it is allowed. */
export const UNDECIDED: Refusal = Object.freeze({
  ...refusal(503, { error: 'temporarily_unavailable', message: 'Access cannot be decided at the moment' }),
  headers: { ...HEADERS, 'retry-after': '5' }
})

export const MALFORMED = {
  [-32700]: refusal(400, { code: -32700, message: 'The body is not JSON' }),
  [-32600]: refusal(400, { code: -32600, message: 'The body is not a JSON-RPC message' }),
  [-32602]: refusal(400, { code: -32602, message: 'The message names no tool, prompt or resource' })
} as const
/** TR-10: not 403, or one could ask which sessions of others there are. Clients begin a new one. */
export const UNKNOWN_SESSION = refusal(404, { code: -32001, message: 'Session not found' })
export const UNKNOWN_TASK = refusal(400, { code: -32602, message: 'Unknown task' })
export const UNKNOWN_STATE = refusal(400, { code: -32602, message: 'Invalid or expired requestState' })
export const REPEATED_HEADER = refusal(400, { message: 'A header is repeated' })
export const MALFORMED_FILTER = refusal(400, { code: -32602, message: 'The tags or the filter in the URL are malformed' })

export const TOO_LARGE = refusal(413, { message: 'The body is too large' })
export const WRONG_TYPE = refusal(415, { message: 'Content-Type must be application/json' })

export const methodRefusal = (allow: string): Refusal =>
  ({ ...refusal(405, { message: 'Method not allowed' }), headers: { ...HEADERS, allow } })

const WIRE_MESSAGES: Readonly<Record<WireFault['code'], string>> = {
  [-32000]: 'The protocol version in the header is not one of those spoken here',
  [-32020]: 'The headers and the body of the request disagree',
  [-32022]: 'Unsupported protocol version',
  [-32600]: 'The body is not a message of its protocol revision',
  [-32601]: 'Method not found',
  [-32602]: 'The request lacks what its protocol revision demands in _meta'
}

/** What a modern endpoint serves. */
const POST_ONLY = methodRefusal('POST')

export function wireRefusal (fault: WireFault): Refusal {
  const { status, code, data } = fault
  if (status === 405) return POST_ONLY
  return { ...refusal(status, { code, message: WIRE_MESSAGES[code] }), ...(data === undefined ? {} : { data }) }
}

const MAX_REMEMBERED = 1000

/** Challenges are strings that are built once: those of 401 at boot, those of 403 when first needed. */
export function buildChallenges (input: {
  resource: string, defaultScopes: readonly string[], sender: SenderSettings
}): Challenges {
  const { resource, defaultScopes, sender: { dpop, certificateOf, required } } = input
  const resourceMetadata = resourceMetadataUrl(resource)
  const remembered = new Map<string, Refusal>()

  // A token that is bound to a certificate is shown as a bearer token.
  const ways = dpop === null ? null : { algorithms: dpop.rules.algorithms, alone: required && certificateOf === null }

  const challenged = (
    refusal: Refusal, scope: readonly string[], error?: OAuthErrorCode,
    { failed = false, assurance = {} }: { failed?: boolean, assurance?: AssuranceRule } = {}
  ): Refusal => {
    const challenge = buildChallenge({
      resourceMetadata,
      scope,
      assurance,
      dpop: ways === null ? null : { ...ways, failed },
      ...(error === undefined ? {} : { error, description: refusal.message })
    })
    return Object.freeze({ ...refusal, headers: { ...refusal.headers, 'www-authenticate': challenge } })
  }

  function remember (key: string, build: () => Refusal): Refusal {
    const found = remembered.get(key) ?? build()
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(key, found)
    return found
  }

  const scopesToAsk = (scopes: readonly string[]): readonly string[] =>
    scopes.length === 0 ? defaultScopes : [...new Set(scopes)]

  return {
    noToken: challenged(NO_TOKEN, defaultScopes),
    badToken: challenged(BAD_TOKEN, defaultScopes, 'invalid_token'),
    badRequest: challenged(TWO_TOKENS, defaultScopes, 'invalid_request'),
    badBoundToken: challenged(BAD_TOKEN, defaultScopes, 'invalid_token', { failed: true }),
    badProof: challenged(BAD_PROOF, defaultScopes, 'invalid_dpop_proof', { failed: true }),
    nonceNeeded: challenged(NONCE_NEEDED, defaultScopes, 'use_dpop_nonce', { failed: true }),
    notSenderConstrained: challenged(NOT_SENDER_CONSTRAINED, defaultScopes, 'invalid_token', { failed: true }),

    insufficientScope (required, granted) {
      const scope = scopesToAsk([...required, ...granted])
      return remember(scope.join(' '), () => challenged(INSUFFICIENT_SCOPE, scope, 'insufficient_scope'))
    },

    consentNeeded (scopes) {
      const scope = scopesToAsk(scopes)
      return remember(`consent ${scope.join(' ')}`, () => challenged(NOT_CONSENTED, scope, 'insufficient_scope'))
    },

    insufficientAuthentication (assurance, scopes) {
      const scope = scopesToAsk(scopes)
      const key = JSON.stringify([assurance, scope])
      return remember(key, () =>
        challenged(INSUFFICIENT_AUTHENTICATION, scope, 'insufficient_user_authentication', { assurance }))
    }
  }
}

/** Answers a refusal, in JSON-RPC at the MCP endpoint and in OAuth's words elsewhere. */
export function sendRefusal (reply: FastifyReply, refusal: Refusal, audience: Audience): FastifyReply {
  const { status, headers, code, error, message, data } = refusal
  const body = audience.rpc
    ? { jsonrpc: '2.0', id: audience.id, error: { code, message, data } }
    : { error, error_description: message }
  return reply.code(status).headers(headers).type('application/json; charset=utf-8').send(JSON.stringify(body))
}
