const STATUS = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_response_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  invalid_authorization_details: 400,
  access_denied: 400,
  authorization_pending: 400,
  slow_down: 400,
  expired_token: 400,
  login_required: 400,
  consent_required: 400,
  request_not_supported: 400,
  request_uri_not_supported: 400,
  invalid_request_uri: 400,
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  invalid_software_statement: 400,
  unapproved_software_statement: 400,
  invalid_token: 401,
  invalid_dpop_proof: 400,
  use_dpop_nonce: 400,
  insufficient_scope: 403,
  insufficient_user_authentication: 401,
  unmet_authentication_requirements: 400,
  too_many_requests: 429,
  server_error: 500,
  temporarily_unavailable: 503
} as const

export type OAuthErrorCode = keyof typeof STATUS

export interface OAuthErrorInput {
  /** Goes on the wire as `error`. */
  readonly code: OAuthErrorCode
  /** Goes on the wire as `error_description`: plain ASCII without quotes, no secrets, no input echoed back. */
  readonly description: string
  /** The precise reason, for the audit event. A stable phrase of our own. */
  readonly reason?: string
  /** The HTTP status where the code's usual one does not fit: 404, 405, 413, 415. */
  readonly status?: number
  readonly cause?: unknown
}

/** A refusal in the words of OAuth. `reason` and `cause` stay inside, `code` and `description` go out. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: OAuthErrorCode
  readonly description: string
  readonly reason: string
  readonly status: number

  constructor (input: OAuthErrorInput) {
    super(`${input.code}: ${input.reason ?? input.description}`, { cause: input.cause })
    this.code = input.code
    this.description = input.description
    this.reason = input.reason ?? input.description
    this.status = input.status ?? STATUS[input.code]
  }

  /** The JSON body (RFC 6749 §5.2, RFC 7591 §3.2.2). */
  toJSON (): { error: string, error_description: string } {
    return { error: this.code, error_description: this.description }
  }
}
