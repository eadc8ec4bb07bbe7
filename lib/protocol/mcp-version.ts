/** The revisions that we know, newest first. A revision is a date, so its name says which is the older of two. */
export const PROTOCOL_VERSIONS =
  ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07'] as const

const FIRST_MODERN = '2026-07-28'
/** The only revision that has batches; also what a request without a version header is taken for (TR-9). */
const WITH_BATCHES = '2025-03-26'

/** The revisions that one endpoint speaks. */
export interface SpokenVersions {
  /** Every request by itself: 2026-07-28 and later. */
  readonly modern: readonly string[]
  /** With `initialize`, sessions and, in one of them, batches. */
  readonly legacy: readonly string[]
  /** Whether a legacy message may have this version header. */
  isLegacy (version: string): boolean
  /** Whether a message with this version header, or with none, may be a batch. */
  allowsBatch (version: string | undefined): boolean
}

/** Whether a version is of the modern era, spoken here or not. What is no date counts as one that is yet to come. */
export function isModern (version: string): boolean {
  return version >= FIRST_MODERN
}

/** Sorts versions by era. */
export function spokenVersions (versions: readonly string[]): SpokenVersions {
  const modern = versions.filter(isModern)
  const legacy = new Set(versions.filter((version) => !isModern(version)))
  const batches = legacy.has(WITH_BATCHES)
  return Object.freeze({
    modern: Object.freeze(modern),
    legacy: Object.freeze([...legacy]),
    isLegacy: (version: string) => legacy.has(version),
    allowsBatch: (version: string | undefined) => batches && (version === undefined || version === WITH_BATCHES)
  })
}
