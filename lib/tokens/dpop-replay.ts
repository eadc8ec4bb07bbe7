import { sha256 } from '../crypto/digest.js'
import { PROOF_WINDOW } from '../protocol/dpop.js'
import { StoreUnavailableError } from '../stores/errors.js'
import type { RecordStore } from '../../types/stores.js'
import type { Proof } from './dpop-proof.js'

/**
 * Answers whether a proof is used for the first time, and remembers it until it is too old to be good. Of any number
 * that ask at once for the same, one is told that it is the first.
 * @throws {StoreUnavailableError} when that cannot be known: there is no room, or no store.
 */
export type FirstUse = (proof: Proof, now: number) => boolean | Promise<boolean>

/** Seconds. */
const BUCKET = 60

interface Bucket {
  readonly used: Set<string>
  /** How many of them each key has. */
  readonly byKey: Map<string, number>
}

const endOf = ({ iat }: Proof): number => Math.floor(iat) + PROOF_WINDOW + 1
const nameOf = ({ thumbprint, jti }: Proof): string => sha256(`${thumbprint}.${jti}`)

/**
 * First use within one process. Holds `max` proofs, of one key a quarter of them, so that no single client takes the
 * room of all. A proof that finds no room is refused: none is ever forgotten while it would be good (RFC 9449 §11.1).
 */
export function rememberedProofs (max: number): FirstUse {
  const perKey = Math.ceil(max / 4)
  // By the minute in which they end, so that what is over is forgotten at once: eleven at the same time.
  const buckets = new Map<number, Bucket>()

  function count (of: (bucket: Bucket) => number): number {
    let sum = 0
    for (const bucket of buckets.values()) sum += of(bucket)
    return sum
  }

  function forgetUntil (now: number): void {
    for (const minute of buckets.keys()) {
      if ((minute + 1) * BUCKET <= now) buckets.delete(minute)
    }
  }

  function bucketFor (end: number): Bucket {
    const minute = Math.floor(end / BUCKET)
    const found = buckets.get(minute) ?? { used: new Set(), byKey: new Map() }
    buckets.set(minute, found)
    return found
  }

  return (proof, now) => {
    forgetUntil(now)
    const { thumbprint } = proof
    const name = nameOf(proof)
    for (const { used } of buckets.values()) if (used.has(name)) return false
    const ofKey = count(({ byKey }) => byKey.get(thumbprint) ?? 0)
    if (ofKey >= perKey || count(({ used }) => used.size) >= max) {
      throw new StoreUnavailableError('there is no room to remember another DPoP proof')
    }
    const { used, byKey } = bucketFor(endOf(proof))
    used.add(name)
    byKey.set(thumbprint, (byKey.get(thumbprint) ?? 0) + 1)
    return true
  }
}

/** First use within all processes that share the store. */
export function storedProofs ({ records, tenant }: { records: RecordStore, tenant: string }): FirstUse {
  return async (proof, now) => await records.add({
    tenant, kind: 'dpop-proof', id: nameOf(proof), expiresAt: endOf(proof), index: {}, body: ''
  }, now)
}
