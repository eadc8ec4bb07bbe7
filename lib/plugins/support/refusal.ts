import { SignerError } from '../../crypto/errors.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { StoreUnavailableError } from '../../stores/errors.js'
import { VerifierUnavailableError } from '../../tokens/errors.js'

const CLIENT_ERRORS: Readonly<Record<number, string>> = {
  413: 'the body is too large',
  415: 'the content type is not possible here'
}

function statusOf (error: unknown): number {
  if (!(error instanceof Error) || !('statusCode' in error)) return 500
  return typeof error.statusCode === 'number' ? error.statusCode : 500
}

/**
 * Puts whatever was thrown in the words of OAuth, so that no framework default ever goes out: our own refusals stay
 * what they are, a store or another server that cannot be reached is `temporarily_unavailable` (RS-16),
 * what Fastify refuses about a
 * body is `invalid_request` with its status, and everything else is a `server_error` that says nothing.
 */
export function refusalOf (error: unknown): OAuthError {
  if (error instanceof OAuthError) return error
  const status = statusOf(error)
  if (error instanceof SignerError) {
    return new OAuthError({ code: 'temporarily_unavailable', description: 'try again in a moment', reason: 'signer unavailable', cause: error })
  }
  if (error instanceof StoreUnavailableError || status === 503) {
    const reason = error instanceof VerifierUnavailableError ? error.reason : 'store unavailable'
    return new OAuthError({ code: 'temporarily_unavailable', description: 'try again in a moment', reason, cause: error })
  }
  if (status === 429) {
    return new OAuthError({ code: 'too_many_requests', description: 'too many requests', reason: 'rate limit', cause: error })
  }
  if (status >= 400 && status < 500) {
    const description = CLIENT_ERRORS[status] ?? 'the request could not be read'
    return new OAuthError({ code: 'invalid_request', description, status, cause: error })
  }
  return new OAuthError({ code: 'server_error', description: 'something went wrong here', reason: 'unexpected error', cause: error })
}
