import { InvalidOptionError } from '../../errors.js'
import type { Lifetimes } from '../../../types/oauth.js'

const DAY = 86_400

const DEFAULTS: Lifetimes = Object.freeze({
  accessToken: 900,
  code: 60,
  authorization: 600,
  refreshIdle: 14 * DAY,
  refreshAbsolute: 90 * DAY,
  refreshRepeat: 30,
  consent: 30 * DAY,
  unusedClient: DAY,
  idleClient: 180 * DAY
})

/** What may not be longer than what: a shorter limit always comes first, so a longer one would do nothing. */
const WITHIN = [['refreshIdle', 'refreshAbsolute'], ['unusedClient', 'idleClient']] as const

/**
 * The lifetimes with their defaults, in seconds. A default gives way to a shorter limit that was chosen.
 * @throws {InvalidOptionError} when two chosen ones contradict each other.
 */
export function lifetimesOf (chosen: Partial<Lifetimes> = {}): Lifetimes {
  const lifetimes = { ...DEFAULTS, ...chosen }
  for (const [inner, outer] of WITHIN) {
    if (lifetimes[inner] <= lifetimes[outer]) continue
    if (chosen[inner] === undefined) lifetimes[inner] = lifetimes[outer]
    else if (chosen[outer] === undefined) lifetimes[outer] = lifetimes[inner]
    else throw new InvalidOptionError(`lifetimes.${inner} must not be longer than lifetimes.${outer}`)
  }
  return Object.freeze(lifetimes)
}
