import type { FastifyReply, FastifyRequest } from 'fastify'
import { askHost } from '../../oauth/ask-host.js'
import { createInitialAccess } from '../../oauth/initial-access.js'
import type { ReadRegistration, RegistrationRules } from '../../oauth/registration.js'
import { createStatementReader } from '../../oauth/software-statement.js'
import { readBearer } from '../../protocol/bearer.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { assertAddress } from '../../tokens/foreign-options.js'
import type { RegistrationOptions } from '../../../types/registration-options.js'
import { isSameOrigin } from '../support/same-origin.js'
import type { OAuthContext } from './context.js'
import { askWhoIsSignedIn } from './signed-in-user.js'

export interface RegistrationPolicy {
  readonly rules: RegistrationRules
  /**
   * Whether this request may register at all; asked before its body means anything.
   * @throws {OAuthError} `invalid_token`, `login_required`, `access_denied`
   */
  admit (request: FastifyRequest, reply: FastifyReply): Promise<Admission>
  /** The host's word about what is to be registered. */
  allow (request: FastifyRequest, subject: string | null): (read: ReadRegistration) => boolean | Promise<boolean>
}

/** `answered`: the host's `signIn` has answered the request itself. */
export type Admission = { readonly answered: true } | { readonly answered: false, readonly subject: string | null }

/** @throws {InvalidOptionError} whose message starts with the path of the wrong option. */
export function registrationPolicy (options: RegistrationOptions, context: OAuthContext): RegistrationPolicy {
  const { initialAccessTokens, signedIn = false, softwareStatements, allow } = options
  const { issuer, origin, signIn, redirectSchemes: schemes, tokens, devices, resources: [{ sender }] } = context
  for (const [position, { jwksUri }] of (softwareStatements?.issuers ?? []).entries()) {
    assertAddress(jwksUri, `registration.softwareStatements.issuers.${position}.jwksUri`)
  }
  const assertInitialAccess = initialAccessTokens === undefined ? null : createInitialAccess(initialAccessTokens)

  async function admitUser (request: FastifyRequest, reply: FastifyReply): Promise<Admission> {
    if (!isSameOrigin(request, origin)) {
      throw new OAuthError({ code: 'access_denied', description: 'only pages of this server may register clients', reason: 'foreign origin', status: 403 })
    }
    const result = await askWhoIsSignedIn(signIn, { request, reply, interactive: false })
    if (result.answered) return result
    if (result.user === null) throw new OAuthError({ code: 'login_required', description: 'sign in to register a client', status: 401 })
    return { answered: false, subject: result.user.subject }
  }

  return {
    rules: {
      schemes,
      leniencies: tokens.leniencies,
      deviceAuthorization: devices !== null,
      certificates: sender.certificates,
      ...(softwareStatements === undefined ? {} : { readStatement: createStatementReader(softwareStatements, issuer) })
    },
    async admit (request, reply) {
      assertInitialAccess?.(readBearer(request.raw.rawHeaders))
      return signedIn ? await admitUser(request, reply) : { answered: false, subject: null }
    },
    allow: (request, subject) => ({ metadata, statementIssuer }) => {
      const asked = { metadata, statementIssuer, subject, request }
      return allow === undefined || askHost('registration.allow', () => allow(asked))
    }
  }
}
