/** What an answer may be kept for, in seconds. */
export interface FreshnessBounds {
  readonly min: number
  readonly max: number
  /** When the answer says nothing. */
  readonly otherwise: number
}

const MAX_AGE = /(?:^|[\s,])max-age=("?)(\d{1,10})\1(?:$|[\s,])/i
const NOT_KEPT = /(?:^|[\s,])(?:no-store|no-cache)(?:$|[\s,=])/i

/** How long an answer may be used without asking again, by its `Cache-Control` (RFC 9111 §5.2.2), within the bounds. */
export function freshnessOf (cacheControl: string, { min, max, otherwise }: FreshnessBounds): number {
  if (NOT_KEPT.test(cacheControl)) return min
  const [, , seconds] = MAX_AGE.exec(cacheControl) ?? []
  return Math.min(max, Math.max(min, seconds === undefined ? otherwise : Number(seconds)))
}
