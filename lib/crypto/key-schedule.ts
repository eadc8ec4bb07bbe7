import type { KeyRotation } from '../../types/crypto.js'

/** When a key does what, in seconds since the Unix epoch. It is published from the moment that it is there. */
export interface KeyTimes {
  /** Those that follow each other: of one algorithm, or those of signers elsewhere. */
  readonly line: string
  /** Signs from this second on, until the next one of its line does. */
  readonly signsFrom: number
  /** Published until then; `null` for a key that has no successor yet. */
  readonly endsAt: number | null
}

/** The longest that a signed token can be good for, whatever the lifetimes are today (types/store-options.ts). */
const LONGEST_TOKEN = 3600

const DAY = 86_400
export const DEFAULT_ROTATION = Object.freeze({ every: 90 * DAY, publishedBefore: DAY })

/**
 * Those of one line, in the order in which they sign. The schedule is written in the record before it is needed,
 * so that every instance goes over to the next key by its own clock, without a word.
 */
const lineOf = <K extends KeyTimes>(keys: readonly K[], line: string): K[] =>
  keys.filter((key) => key.line === line).sort((a, b) => a.signsFrom - b.signsFrom)

/** Which key signs. When none has begun, by a clock that is behind that of who made them, the first one. */
export function signerOf<K extends KeyTimes> (
  keys: readonly K[], line: string, now: number
): K | undefined {
  const inOrder = lineOf(keys, line)
  return inOrder.findLast(({ signsFrom }) => signsFrom <= now) ?? inOrder[0]
}

/** The key that has no successor. */
export function newestOf<K extends KeyTimes> (keys: readonly K[], line: string): K | undefined {
  return lineOf(keys, line).at(-1)
}

/** Those that something may still be signed with. */
export function unendedOf<K extends KeyTimes> (keys: readonly K[], now: number): readonly K[] {
  const unended = keys.filter(({ endsAt }) => endsAt === null || now < endsAt)
  return unended.length === keys.length ? keys : unended
}

/** From when on the successor of the newest key signs, if it has to be made by now; `null` before. */
export function successorFrom (newest: KeyTimes, rotation: KeyRotation, now: number): number | null {
  const { every, publishedBefore } = rotation
  if (every === null || now < newest.signsFrom + every - publishedBefore) return null
  return Math.max(newest.signsFrom + every, now + publishedBefore)
}

/**
 * Seconds for which a key stays published after it signed for the last time, by the plan: as long as a token lives,
 * and as long again as an instance that could not read the plan may go on signing with it.
 */
export const keptFor = ({ publishedBefore }: KeyRotation): number => LONGEST_TOKEN + publishedBefore

/** Gives an end to every key without one, that of `next` excepted: some time after `next` signs. */
export function endingBefore<K extends KeyTimes> (
  keys: readonly K[], next: K, { rotation, now }: { rotation: KeyRotation, now: number }
): K[] {
  return keys.map((key) => {
    if (key === next || key.endsAt !== null) return key
    const last = key.line === next.line ? next.signsFrom : now
    return { ...key, endsAt: last + keptFor(rotation) }
  })
}
