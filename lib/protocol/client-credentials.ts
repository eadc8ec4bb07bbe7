import { single, type Form } from './form.js'
import { OAuthError } from './oauth-error.js'

/** Who a request claims to come from, and what is to show it. */
export interface ClientCredentials {
  /** `undefined` also where an assertion alone says it (RFC 7521 §4.2). */
  readonly clientId: string | undefined
  /** `undefined` when none was sent, or an empty one. */
  readonly secret: string | undefined
  /** The JWT of `private_key_jwt`, and of nothing else. */
  readonly assertion?: string
  /**
   * How the client presented itself; says nothing about whether that is right. `none` also where the certificate of the
   * TLS connection is to show it: that is not in what was sent.
   */
  readonly method: 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i
// RFC 6749 appendix A.1, A.2: client-id and client-secret are *VSCHAR.
const VSCHAR = /^[\x20-\x7e]*$/
const MAX_LENGTH = 4096
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const MAX_ASSERTION = 8192
const ONE_WAY = 'the client must authenticate in one way only'

/**
 * The Authorization header of a request, from its header lines as they came: Node keeps the first of two and says
 * nothing, where a proxy may have looked at the other one.
 * @throws {OAuthError} `invalid_request` for more than one.
 */
export function soleAuthorization (rawHeaders: readonly string[]): string | undefined {
  const isValue = (index: number): boolean => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization'
  const [authorization, ...others] = rawHeaders.filter((_text, index) => isValue(index))
  if (others.length > 0) throw ambiguous('there must be only one Authorization header')
  return authorization
}

/**
 * Reads who a request to an OAuth endpoint claims to come from (RFC 6749 §2.3.1, RFC 7521 §4.2, AS-T3): HTTP Basic with
 * form-encoded parts, `client_id` and `client_secret` in the form, or a JWT as `client_assertion` of at most 8192
 * characters; one of them. Compares nothing.
 * @throws {OAuthError} `invalid_request` for two mechanisms at once or repeated parameters, `invalid_client` for an
 * `Authorization` header that is not well-formed Basic, and for an assertion of another type.
 */
export function readClientCredentials (
  { authorization, form }: { authorization: string | undefined, form: Form }
): ClientCredentials {
  const clientId = single(form, 'client_id')
  const secret = single(form, 'client_secret')
  const assertion = single(form, 'client_assertion')
  const type = single(form, 'client_assertion_type')
  if (assertion !== undefined || type !== undefined) {
    if (authorization !== undefined || secret !== undefined) throw ambiguous(ONE_WAY)
    return { clientId, secret, assertion: readAssertion(assertion, type), method: 'private_key_jwt' }
  }
  if (authorization !== undefined) return readBasic(authorization, { clientId, secret })
  if (secret === undefined) return { clientId, secret, method: 'none' }
  return { clientId, secret, method: 'client_secret_post' }
}

function readAssertion (assertion: string | undefined, type: string | undefined): string {
  if (type !== ASSERTION_TYPE) throw refusal('wrong type of client assertion')
  if (assertion === undefined || assertion.length > MAX_ASSERTION) throw refusal('malformed client assertion')
  return assertion
}

function readBasic (
  authorization: string, form: { clientId: string | undefined, secret: string | undefined }
): ClientCredentials {
  if (form.secret !== undefined) throw ambiguous(ONE_WAY)
  const encoded = authorization.length > MAX_LENGTH ? undefined : BASIC.exec(authorization)?.[1]
  if (encoded === undefined) throw malformed()
  const decoded = Buffer.from(encoded, 'base64').toString('latin1')
  const colon = decoded.indexOf(':')
  if (colon < 1) throw malformed()
  const clientId = formDecode(decoded.slice(0, colon))
  const secret = formDecode(decoded.slice(colon + 1))
  if (form.clientId !== undefined && form.clientId !== clientId) {
    throw ambiguous('client_id differs from the Authorization header')
  }
  return { clientId, secret: secret === '' ? undefined : secret, method: 'client_secret_basic' }
}

function formDecode (text: string): string {
  let decoded
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed()
  }
  if (!VSCHAR.test(text) || !VSCHAR.test(decoded)) throw malformed()
  return decoded
}

function malformed (): OAuthError {
  return refusal('malformed Authorization header')
}

function refusal (reason: string): OAuthError {
  return new OAuthError({ code: 'invalid_client', description: 'client authentication failed', reason })
}

function ambiguous (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_request', description })
}
