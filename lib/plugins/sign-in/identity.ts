import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../../types/clock.js'
import type { Secrets } from '../../../types/crypto.js'
import type { SignInOptions } from '../../../types/options.js'
import { createAccounts, type Accounts } from '../../identity/accounts.js'
import { createAttempts, type Attempts } from '../../identity/attempts.js'
import { createPasswords } from '../../identity/passwords.js'
import { createSessions, type Sessions } from '../../identity/sessions.js'
import { createSetUp, type SetUp } from '../../identity/set-up-link.js'
import { assertOptions, schemas } from '../../options.js'
import { assertIssuer } from '../../protocol/issuer.js'
import { endpointsOf } from '../../protocol/server-metadata.js'
import type {} from '../pkce-store.js'
import { addressKeys } from '../support/address-key.js'
import { inOption } from '../support/in-option.js'

const HOUR = 3600
// A cookie of a name like this can be set by this origin only (AS-C6), and has no path of its own.
const SESSION_COOKIE = '__Host-mcp-session'

/** What the pages of the built-in accounts work with. */
export interface Identity {
  readonly paths: {
    readonly signIn: string
    readonly signOut: string
    readonly setUp: string
    /** Where a browser may go on after signing in. */
    readonly goingOn: readonly string[]
  }
  /** The issuer's, never the request's. */
  readonly origin: string
  /** How people call this server, for the pages. */
  readonly branding: { readonly site?: string }
  readonly clock: Clock
  readonly secrets: Secrets
  readonly accounts: Accounts
  readonly sessions: Sessions
  /** Its name: a browser may be signed in to several tenants of one origin. */
  readonly sessionCookie: string
  readonly attempts: Attempts
  /** What the attempts of an address are counted by. */
  readonly networkOf: (address: string) => string
  readonly setUp: SetUp
}

/** @throws {InvalidOptionError} whose message starts with the path of the wrong member. */
export function openIdentity (fastify: FastifyInstance, options: SignInOptions): Identity {
  assertOptions(schemas.signIn, options)
  const { issuer, resourceName, attempts: limit = { max: 5, window: 900 } } = options
  const { sessionIdle: idle = 8 * HOUR, sessionAbsolute: absolute = 7 * 24 * HOUR } = options
  inOption('issuer ', () => { assertIssuer(issuer) })
  const { records, tenant, clock, secrets } = fastify.pkceStore
  const { origin } = new URL(issuer)
  const path = issuer.slice(origin.length)
  const { authorization, device } = endpointsOf(issuer)
  const accounts = createAccounts({ records, tenant, passwords: createPasswords() })
  return {
    paths: {
      signIn: `${path}/sign-in`,
      signOut: `${path}/sign-out`,
      setUp: `${path}/set-up`,
      goingOn: [authorization.path, device.path]
    },
    origin,
    branding: resourceName === undefined ? {} : { site: resourceName },
    clock,
    secrets,
    accounts,
    sessions: createSessions({ records, tenant, accounts, idle, absolute }),
    sessionCookie: tenant === 'default' ? SESSION_COOKIE : `${SESSION_COOKIE}-${tenant}`,
    attempts: createAttempts({ records, tenant, limit }),
    networkOf: addressKeys(),
    setUp: createSetUp({ records, tenant, accounts, issuer })
  }
}
