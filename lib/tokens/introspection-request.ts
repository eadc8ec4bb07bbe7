import type { IntrospectionVerifierOptions } from '../../types/foreign-tokens.js'
import type { JsonRequest } from './fetch-json.js'

type ClientOptions = Pick<IntrospectionVerifierOptions, 'clientId' | 'clientSecret' | 'clientAuthentication'>

/**
 * Writes introspection requests (RFC 7662 §2.1) of a client that authenticates by Basic, its parts form-encoded
 * (RFC 6749 §2.3.1), or in the form. The header is written once.
 */
export function introspectionRequest (options: ClientOptions): (token: string) => JsonRequest {
  const { clientId, clientSecret, clientAuthentication = 'client_secret_basic' } = options
  const isBasic = clientAuthentication === 'client_secret_basic'
  const credentials = `${formEncode(clientId)}:${formEncode(clientSecret)}`
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    ...(isBasic ? { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } : {})
  }
  const inForm = isBasic ? {} : { client_id: clientId, client_secret: clientSecret }
  return (token) => {
    const form = new URLSearchParams({ token, token_type_hint: 'access_token', ...inForm })
    return { method: 'POST', headers, body: form.toString() }
  }
}

function formEncode (text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
