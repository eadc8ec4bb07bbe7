import type { KeyRotation, SigningAlgorithm } from '../../types/crypto.js'
import { endingBefore, keptFor, newestOf, signerOf, successorFrom, unendedOf } from './key-schedule.js'
import { ELSEWHERE, type RingKey } from './key-set.js'
import type { TokenKey } from './signing-key.js'

/** What a change of the key set goes by. */
export interface KeyRules {
  /** What this instance signs with. */
  readonly algorithm: SigningAlgorithm
  readonly rotation: KeyRotation
  readonly now: number
  /** What signs instead, with the first in front; no key is made then. */
  readonly signers: readonly TokenKey[]
  /** Makes a key that signs from that second on. The same one again, when a change has to be tried again. */
  make (algorithm: SigningAlgorithm, signsFrom: number): Promise<RingKey>
}

type Keys = readonly RingKey[]

const put = (keys: Keys, key: RingKey, changed: Partial<RingKey>): Keys =>
  keys.map((one) => one === key ? { ...one, ...changed } : one)

async function succeed (keys: Keys, signsFrom: number, rules: KeyRules, algorithm = rules.algorithm): Promise<Keys> {
  const next = await rules.make(algorithm, signsFrom)
  return endingBefore([...keys, next], next, rules)
}

/**
 * The keys as they have to be now; the very same list when nothing is to be done: without those that ended, with a key
 * of this instance's algorithm, and with its successor when that is due.
 */
export async function maintain (all: Keys, rules: KeyRules): Promise<Keys> {
  const { algorithm, rotation, now, signers } = rules
  const keys = unendedOf(all, now)
  if (signers.length > 0) return withSigners(keys, rules)
  const newest = newestOf(keys, algorithm)
  if (newest === undefined) return await succeed(keys, now, rules)
  const from = successorFrom(newest, rotation, now)
  if (from !== null) return await succeed(keys, from, rules)
  // Another instance, which has another algorithm, took this line to have ended.
  return newest.endsAt === null ? keys : put(keys, newest, { endsAt: null })
}

function withSigners (keys: Keys, { signers, now }: KeyRules): Keys {
  const isOurs = ({ kid }: RingKey): boolean => signers.some((signer) => signer.kid === kid)
  const known = new Set(keys.map(({ kid }) => kid))
  const added = signers.filter(({ kid }) => !known.has(kid))
    .map((key) => ({ ...key, line: ELSEWHERE, signsFrom: now, endsAt: null }))
  if (added.length === 0 && keys.every((key) => !isOurs(key) || key.endsAt === null)) return keys
  return [...keys.map((key) => isOurs(key) ? { ...key, endsAt: null } : key), ...added]
}

/**
 * Of what `maintain` answered: with an end for the lines of other algorithms. An instance that goes on signing with one
 * takes it back.
 */
export function endOthers (keys: Keys, rules: KeyRules): Keys {
  const { algorithm, rotation, now, signers } = rules
  const newest = signers.length > 0 ? null : newestOf(keys, algorithm)!
  const isOther = (key: RingKey): boolean =>
    key !== newest && key.endsAt === null && !signers.some(({ kid }) => kid === key.kid)
  if (!keys.some(isOther)) return keys
  return keys.map((key) => isOther(key) ? { ...key, endsAt: now + keptFor(rotation) } : key)
}

/**
 * Of what `maintain` answered: with a next key that signs `after` seconds from now at the latest, the one that waits or
 * a new one. No new one when `since`, which was the newest once, has such a successor already.
 */
export async function rotate (
  keys: Keys, { after, since }: { after: number, since: string }, rules: KeyRules
): Promise<Keys> {
  const { algorithm, now } = rules
  const newest = newestOf(keys, algorithm)!
  const from = now + after
  if (newest.signsFrom <= now) return newest.kid === since ? await succeed(keys, from, rules) : keys
  return newest.signsFrom <= from ? keys : put(keys, newest, { signsFrom: from })
}

/** All but `gone`, and what stands in for it at once when it was signing, or later when it was going to. */
export async function without (all: Keys, gone: RingKey, rules: KeyRules): Promise<Keys> {
  const { rotation, now } = rules
  const keys = all.filter((key) => key !== gone)
  const isRetired = gone.endsAt !== null && signerOf(all, gone.line, now) !== gone
  if (isRetired || gone.line === ELSEWHERE) return keys
  const newest = newestOf(keys, gone.line)
  if (newest !== undefined && newest.signsFrom > gone.signsFrom) return put(keys, newest, { signsFrom: now })
  // The last of a line that nobody uses any more.
  if (gone.endsAt !== null) return keys
  const from = gone.signsFrom > now ? Math.max(gone.signsFrom, now + rotation.publishedBefore) : now
  return await succeed(newest === undefined ? keys : put(keys, newest, { endsAt: null }), from, rules, gone.algorithm)
}
