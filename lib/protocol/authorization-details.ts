import { isDeepStrictEqual } from 'node:util'
import type { AuthorizationDetail } from '../../types/oauth.js'
import { OAuthError } from './oauth-error.js'

/** Whether a detail is of a type that is known here, with all that belongs to it and nothing else. */
export type IsKnownDetail = (detail: AuthorizationDetail) => boolean

const MAX_LENGTH = 8192
const MAX_DETAILS = 20

/**
 * Reads `authorization_details` (RFC 9396 §2): what a client asks for in more words than a scope has. At most 8192
 * characters and 20 details; `undefined` when omitted.
 * @throws {OAuthError} `invalid_authorization_details` for what is no list of objects with a `type`, and for a detail
 * that is not known (AS-P2).
 */
export function readAuthorizationDetails (
  text: string | undefined, isKnown: IsKnownDetail
): readonly AuthorizationDetail[] | undefined {
  if (text === undefined) return undefined
  if (text.length > MAX_LENGTH) throw refusal('authorization_details is too long')
  const details = parse(text)
  if (!Array.isArray(details) || details.length === 0 || details.length > MAX_DETAILS || !details.every(isDetail)) {
    throw refusal('authorization_details must be a list of 1 to 20 objects with a type')
  }
  if (!details.every(isKnown)) throw refusal('authorization_details holds what is not known here')
  return details
}

/**
 * What one token carries of the details of its grant: all, or those that the client names, word by word.
 * @throws {OAuthError} `invalid_authorization_details` for one that was not granted.
 */
export function narrowDetails (
  granted: readonly AuthorizationDetail[] = [], asked?: readonly AuthorizationDetail[]
): readonly AuthorizationDetail[] {
  if (asked === undefined) return granted
  if (asked.every((detail) => granted.some((one) => isDeepStrictEqual(one, detail)))) return asked
  throw refusal('authorization_details goes beyond what was granted')
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw refusal('authorization_details must be JSON')
  }
}

function isDetail (value: unknown): value is AuthorizationDetail {
  return typeof value === 'object' && value !== null && !Array.isArray(value) &&
    Object.hasOwn(value, 'type') && 'type' in value && typeof value.type === 'string'
}

function refusal (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_authorization_details', description })
}
