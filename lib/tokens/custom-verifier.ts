import { Type } from '@sinclair/typebox'
import { sha256 } from '../crypto/digest.js'
import { assertOptions } from '../options.js'
import type { CustomVerifier, CustomVerifierOptions, VerifiedToken } from '../../types/custom-verifier.js'
import type { Principal } from '../../types/principal.js'
import { readCustomPrincipal } from './custom-principal.js'
import { InvalidTokenError, VerifierUnavailableError } from './errors.js'
import { assertForeignAddresses } from './foreign-options.js'
import { createRememberedTokens } from './remembered-tokens.js'
import { createSingleFlight } from './single-flight.js'

const AT = 'customVerifier'
const whole = (minimum: number, maximum: number) => Type.Optional(Type.Integer({ minimum, maximum }))

/** `types/custom-verifier.ts` documents it; a type test holds both equal. */
export const customVerifierSchema = Type.Object({
  verify: Type.Unsafe<CustomVerifierOptions['verify']>(Type.Function([], Type.Unknown())),
  issuer: Type.String({ minLength: 1, maxLength: 2048 }),
  resource: Type.String({ minLength: 1, maxLength: 2048 }),
  tenant: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' })),
  recheck: whole(0, 300),
  rememberedTokens: whole(0, 10_000_000),
  maxConcurrent: whole(1, 10_000),
  timeoutMs: whole(100, 30_000)
}, { additionalProperties: false })

/**
 * Verifies tokens by a function of the host's, for `scopeGuard`'s option `verifier`: for tokens that no standard
 * describes.
 *
 * ```ts
 * const verifier = customVerifier({
 *   issuer: 'https://accounts.example.com', resource: 'https://mcp.example.com/mcp',
 *   verify: async (token) => {
 *     const row = await db.findToken(sha256(token))
 *     if (row === null) return null
 *     const { user, app, resource, scopes, ends } = row
 *     return { subject: user, clientId: app, audience: resource, scopes, expiresAt: ends }
 *   }
 * })
 * ```
 *
 * `null` is 401. Whatever else is no `VerifiedToken`, is thrown, or takes longer than `timeoutMs` is 503: never a pass,
 * and never 401, which would make clients drop good tokens. Audience, end and types are checked here. The same token is
 * asked about once at a time, and at most `maxConcurrent` tokens are. With `recheck` a good answer is remembered for
 * that long, so what the host revokes meanwhile stays good unless it calls `forget`.
 *
 * Does *not* bound what the function does after its time is over: `signal` tells it to stop.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION`; the message starts with `customVerifier` and the option's
 * path.
 */
export function customVerifier (options: CustomVerifierOptions): CustomVerifier {
  assertOptions(customVerifierSchema, options, AT)
  assertForeignAddresses(options, AT)
  const { recheck = 0, rememberedTokens: max = 10_000, maxConcurrent = 100 } = options
  const remembered = createRememberedTokens<Principal>({ max, recheck })
  const flight = createSingleFlight<Principal>({ max: maxConcurrent, overload: 'too many verifications' })

  async function look (token: string, now: number) {
    const remember = remembered.begin()
    const said = await askHost(options, token, now)
    if (said === null) throw new InvalidTokenError('refused by the host')
    const principal = readCustomPrincipal(said, options, { now, at: `${AT}.verify()` })
    return { principal, isRemembered: remember(sha256(token), principal, now) }
  }

  async function verify (token: string, now: number): Promise<Principal> {
    const first = await look(token, now)
    // When a grant was forgotten meanwhile, it may be this one: look again, once.
    return first.isRemembered ? first.principal : (await look(token, now)).principal
  }

  return {
    recall: (token, now) => remembered.recall(sha256(token), now),
    verify: async (token, now) => await flight.run(sha256(token), async () => await verify(token, now)),
    forget (grantId) {
      flight.startAnew()
      remembered.forget(grantId)
    }
  }
}
export default customVerifier
export { StoreUnavailableError } from '../stores/errors.js'
export { InvalidTokenError } from './errors.js'
export type { CustomVerifier, CustomVerifierOptions, VerifiedToken } from '../../types/custom-verifier.js'
export type { Principal, TokenVerifier } from '../../types/principal.js'

/** @throws {VerifierUnavailableError} when the host takes too long. */
async function askHost (
  { verify, timeoutMs = 5000 }: CustomVerifierOptions, token: string, now: number
): Promise<VerifiedToken | null> {
  const controller = new AbortController()
  const { signal } = controller
  const timer = setTimeout(() => { controller.abort() }, timeoutMs)
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new VerifierUnavailableError('verifier too slow', `${AT}.verify takes longer than ${timeoutMs} ms`))
    }, { once: true })
  })
  try {
    return await Promise.race([verify(token, { now, signal }), late])
  } finally {
    clearTimeout(timer)
  }
}
