import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'
import type { SignInOptions } from '../../../types/options.js'
import type { SignIn } from '../../../types/sign-in.js'
import { InvalidOptionError } from '../../errors.js'
import { acceptForms } from '../support/body-parsers.js'
import { sendToSignIn } from './going-on.js'
import { openIdentity } from './identity.js'
import { findSession } from './session-cookie.js'
import { setUpRoutes } from './set-up-routes.js'
import { signInRoutes } from './sign-in-routes.js'
import { signOutRoutes } from './sign-out-routes.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Who is signed in with a built-in account. Answers `null` after sending the browser to the sign-in page. */
    mcpSignIn: SignIn
    /**
     * Answers a link that makes the first account: works once, for an hour, and ends the link before it. `null` when
     * there is an account. A secret: print it at the start, for the operator.
     */
    mcpSetUpLink: () => Promise<string | null>
  }
}

const signInPlugin: FastifyPluginAsync<SignInOptions> = async (fastify, options) => {
  if (fastify.prefix !== '') {
    throw new InvalidOptionError('prefix cannot be given to signIn: its pages live at the path of issuer')
  }
  const identity = openIdentity(fastify, options)
  const { paths, clock, setUp } = identity

  const signIn: SignIn = async (request, reply, { interactive, since = 0, loginHint: name }) => {
    const session = await findSession(request, identity)
    if (session !== null && session.startedAt >= since) {
      const { account: { subject, name }, startedAt: authenticatedAt } = session
      const signOutAction = `${paths.signOut}?return_to=${encodeURIComponent(request.url)}`
      return { subject, name, authenticatedAt, amr: ['pwd'], signOutAction }
    }
    if (interactive) sendToSignIn(reply, paths, request.url, { again: session !== null, name })
    return null
  }

  fastify.decorate('mcpSignIn', signIn)
  fastify.decorate('mcpSetUpLink', async () => await setUp.offer(clock()))
  // A scope of its own: its form parser is not for the host's routes.
  await fastify.register(async (scope) => {
    acceptForms(scope)
    signInRoutes(scope, identity)
    signOutRoutes(scope, identity)
    setUpRoutes(scope, identity)
  })
}

/**
 * Built-in accounts for hosts without users: sign-in, sign-out and set-up pages under the issuer's path, and
 * `fastify.mcpSignIn`, which `oauthRoutes` uses when it is given no `signIn`. Accounts are made by the account command
 * or, once, by the set-up link; there is no default password and no registration.
 *
 * Needs `pkceStore` before it. Passwords are kept as scrypt hashes, sessions as digests.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` at boot; the message starts with the option's path.
 */
export const signIn = fp(signInPlugin, {
  name: 'mcp-security-sign-in',
  fastify: '5.x',
  dependencies: ['mcp-security-pkce-store']
})
export default signIn
export type { SignInOptions } from '../../../types/options.js'
export type { SignIn, SignedInUser } from '../../../types/sign-in.js'
