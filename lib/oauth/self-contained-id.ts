import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Secrets } from '../../types/crypto.js'
import type { ClientAuthenticationMethod, ClientMetadata } from '../../types/oauth.js'

/** What somebody registered, and when. */
export interface RegisteredClient {
  readonly metadata: ClientMetadata
  readonly authenticationMethods: readonly ClientAuthenticationMethod[]
  /** `null` for a client without a secret. */
  readonly secretDigest: string | null
  /** Seconds since the Unix epoch. */
  readonly issuedAt: number
}

/** An id is an index value of its grants, which stores bound, and goes through the address bar of browsers. */
const MAX_LENGTH = 500
const ID = /^([\w-]{1,456})\.([\w-]{43})$/
/** Far more than what deflates to so little, and nothing that hurts. */
const MAX_TEXT = 65_536
/** What stands in most registrations, the most frequent last. */
const DICTIONARY = Buffer.from('"software_version":""software_id":""contacts":[""policy_uri":"https://"tos_uri":"https://' +
  '"logo_uri":"https://"client_uri":"https://github.com/"application_type":"web""application_type":"native""scope":"' +
  '"jwks":{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":""private_key_jwt' +
  '["client_secret_basic","client_secret_post"]"client_name":""response_types":["code"],"grant_types":' +
  '["authorization_code"],"grant_types":["authorization_code","refresh_token"],"token_endpoint_auth_method":"none",' +
  '["none"],null,[{"redirect_uris":["https://","http://127.0.0.1:/oauth/callback","http://localhost:/callback"')

/** Whether a client id may be one that says by itself what was registered under it. */
export function isSelfContainedId (clientId: string): boolean {
  return ID.test(clientId)
}

/**
 * An id that says by itself, under our authentication tag, what was registered under it: for that nothing has to be
 * kept. Unreserved characters only, at most 500. `null` when there is more to say than fits. Not secret: it holds what
 * the client said of itself, and of a secret its digest.
 */
export function writeSelfContainedId (
  { metadata, authenticationMethods, secretDigest, issuedAt }: RegisteredClient,
  { tenant, secrets }: { readonly tenant: string, readonly secrets: Secrets }
): string | null {
  const text = JSON.stringify([metadata, authenticationMethods, secretDigest, issuedAt])
  const said = deflateRawSync(text, { dictionary: DICTIONARY }).toString('base64url')
  const id = `${said}.${secrets.mac('client-ids', boundText(tenant, said))}`
  return id.length > MAX_LENGTH ? null : id
}

/**
 * What was registered under an id; `null` unless we wrote exactly this id for this tenant, with secrets that are still
 * there. Does *not* know whether it is still good.
 */
export function readSelfContainedId (
  clientId: string, { tenant, secrets }: { readonly tenant: string, readonly secrets: Secrets }
): RegisteredClient | null {
  const [, said = '', tag = ''] = ID.exec(clientId) ?? []
  if (!secrets.verifyMac('client-ids', boundText(tenant, said), tag)) return null
  return inflate(Buffer.from(said, 'base64url'))
}

function inflate (bytes: Buffer): RegisteredClient | null {
  try {
    const text = inflateRawSync(bytes, { dictionary: DICTIONARY, maxOutputLength: MAX_TEXT }).toString()
    const [metadata, authenticationMethods, secretDigest, issuedAt] = JSON.parse(text)
    return { metadata, authenticationMethods, secretDigest, issuedAt }
  } catch {
    // Another release wrote it, with other words for the same.
    return null
  }
}

const boundText = (tenant: string, said: string): string => `${tenant}\0${said}`
