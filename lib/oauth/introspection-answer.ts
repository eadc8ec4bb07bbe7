import { signJws } from '../tokens/jws.js'
import { ANSWER_TYPE, SIGNED_ANSWER } from '../tokens/signed-introspection.js'
import type { Introspection } from './introspection.js'
import type { TokenContext } from './token-context.js'

/** To be sent with `no-store`. */
export interface IntrospectionAnswer {
  readonly type: string
  readonly body: string
}

/**
 * The answer in the form that the caller's `Accept` asks for: signed for this caller and nobody else (RFC 9701 §5,
 * AS-I3), inactive ones too, or JSON. A signed one says of the token only within `token_introspection`, so that it
 * never passes as a token itself.
 */
export async function writeIntrospection (
  { clientId, facts }: Introspection,
  accept: string | undefined,
  { context, now }: { readonly context: TokenContext, readonly now: number }
): Promise<IntrospectionAnswer> {
  if (!asksForSigned(accept)) return { type: 'application/json; charset=utf-8', body: JSON.stringify(facts) }
  const claims = { iss: context.issuer, aud: clientId, iat: now, token_introspection: facts }
  return { type: SIGNED_ANSWER, body: await signJws({ key: context.keyring.current, type: ANSWER_TYPE, claims }) }
}

/** Named by itself: a wildcard means the JSON that RFC 7662 speaks of. */
function asksForSigned (accept = ''): boolean {
  return accept.toLowerCase().split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    return type === SIGNED_ANSWER && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
  })
}
