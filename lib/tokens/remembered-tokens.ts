import type { Principal } from '../../types/principal.js'
import type { OwnPrincipal } from './own-principal.js'

/** What has to be known of a principal to let go of it in time. */
type Ending = Pick<Principal, 'grantId' | 'expiresAt'>

interface Entry<P extends Ending> {
  /** All of it: what is looked up is only its end. */
  readonly token: string
  readonly principal: P
  /** Until when it may be used without asking whether the grant is live. */
  until: number
  /** Of its grant when that was looked up. */
  readonly version: number | undefined
  /** How many grants had been forgotten by then. */
  readonly since: number
}

export interface RememberedTokensInput {
  /** Tokens at the same time, at most; 0 remembers none. */
  readonly max: number
  /** Seconds for which a look at the grant is good. */
  readonly recheck: number
  /** The version of a grant that has not ended, where that can be said at once; `undefined` elsewhere. */
  readonly versionOf?: (grantId: string, now: number) => number | undefined
}

export interface RememberedTokens<P extends Ending> {
  /**
   * What may be used as it is: verified before, not expired, its grant looked up less than `recheck` seconds ago, or
   * seen to be unchanged since.
   */
  recall (token: string, now: number): P | undefined
  /** Verified before and not expired, but its grant has to be looked up. */
  known (token: string, now: number): P | undefined
  /**
   * Call it before the grant is looked up. The answered function remembers the token, unless any grant was forgotten
   * in between; then it answers `false`, since what was looked up may be what has just ended. `version` is that of the
   * grant before it is looked up.
   */
  begin (version?: number): (token: string, principal: P, checkedAt: number) => boolean
  /** In force for the next look: no token of the grant that was looked up before is answered any more. */
  forget (grantId: string): void
}

// The end of the signature: as good as random. Hashing and comparing all of a token costs several times as much.
const keyOf = (token: string): string => token.slice(-32)

/** Walking through what is remembered takes 10 ms and more for 100 000: once for so many forgotten grants. */
const MAX_ENDED = 1000

const endOf = ({ expiresAt }: Ending): number => expiresAt ?? Infinity

/**
 * Remembers verified tokens by their exact text, at most `max`, in two generations: when the young one is full it
 * becomes the old one and what was old is gone, unless it was asked for since.
 */
export function createRememberedTokens<P extends Ending = OwnPrincipal> (
  { max, recheck, versionOf = () => undefined }: RememberedTokensInput
): RememberedTokens<P> {
  const generation = Math.floor(max / 2)
  let young = new Map<string, Entry<P>>()
  let old = new Map<string, Entry<P>>()
  let forgotten = 0
  // Forgotten grants of which there may still be tokens, each with its number.
  const ended = new Map<string, number>()

  const isEnded = ({ principal: { grantId }, since }: Entry<P>): boolean =>
    ended.size > 0 && grantId !== null && (ended.get(grantId) ?? 0) > since

  function sweep (): void {
    for (const tokens of [young, old]) {
      for (const [key, entry] of tokens) {
        if (isEnded(entry)) tokens.delete(key)
      }
    }
    ended.clear()
  }

  function put (entry: Entry<P>): void {
    if (generation === 0) return
    const key = keyOf(entry.token)
    if (young.size >= generation && !young.has(key)) {
      old = young
      young = new Map()
    }
    // What is older under the same ending must not come back when this one gives way to another.
    old.delete(key)
    young.set(key, entry)
  }

  function find (token: string): Entry<P> | undefined {
    const key = keyOf(token)
    const entry = young.get(key)
    if (entry?.token === token) return isEnded(entry) ? undefined : entry
    const aging = old.get(key)
    if (aging?.token !== token || isEnded(aging)) return undefined
    put(aging)
    return aging
  }

  /** Only a grant that is still as it was looked up is good for another while. */
  function isUnchanged ({ principal, version }: Entry<P>, now: number): boolean {
    const { grantId } = principal
    return version !== undefined && grantId !== null && now < endOf(principal) && versionOf(grantId, now) === version
  }

  const untilOf = (principal: P, checkedAt: number): number => Math.min(endOf(principal), checkedAt + recheck)

  return {
    recall (token, now) {
      const entry = find(token)
      if (entry === undefined) return undefined
      const left = entry.until - now
      // More than that is left when the clock was set back.
      if (left > 0 && left <= recheck) return entry.principal
      if (!isUnchanged(entry, now)) return undefined
      entry.until = untilOf(entry.principal, now)
      return entry.principal
    },

    known (token, now) {
      const entry = find(token)
      return entry !== undefined && now < endOf(entry.principal) ? entry.principal : undefined
    },

    begin (version) {
      const before = forgotten
      return (token, principal, checkedAt) => {
        if (forgotten !== before) return false
        put({ token, principal, until: untilOf(principal, checkedAt), version, since: before })
        return true
      }
    },

    forget (grantId) {
      forgotten += 1
      ended.set(grantId, forgotten)
      if (ended.size >= MAX_ENDED) sweep()
    }
  }
}
