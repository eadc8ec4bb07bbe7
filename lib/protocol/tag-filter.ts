import type { TagFilter, TagLimits } from '../../types/access.js'
import { compileExpression } from './tag-expression.js'
import { TAG_LIMITS, whyTooManyTags } from './tags.js'

const MAX_LIST = 10_000

/** The members of a query string that narrow a request, as parsed: a member that is sent twice is a list. */
export interface FilterQuery {
  /** `a,b`: what carries any of these tags. */
  readonly tags?: unknown
  /** `(a or b) and not c`. */
  readonly filter?: unknown
}

/**
 * Reads how a client narrows what it wants to see and call. Both members together have to hold. `null` when neither is
 * there. A filter takes away and never gives: whatever it says is intersected with what was granted. Tags that nothing
 * carries are no error, so that nobody learns from it which ones exist.
 * @throws {TypeError} when a member is empty, malformed, sent twice or beyond its bounds. The message is one of a few
 * fixed sentences and holds nothing of the request.
 */
export function readTagFilter (query: FilterQuery, limits: TagLimits = TAG_LIMITS): TagFilter | null {
  const { tags, filter } = query
  const byList = tags === undefined ? null : readList(text(tags, 'tags'), limits)
  const byExpression = filter === undefined ? null : compileExpression(text(filter, 'filter'), limits)
  if (byList === null || byExpression === null) return byList ?? byExpression
  return (carried) => byList(carried) && byExpression(carried)
}

function text (value: unknown, member: string): string {
  if (typeof value !== 'string') throw new TypeError(`${member} must be given once`)
  return value
}

function readList (list: string, limits: TagLimits): TagFilter {
  if (list.length > MAX_LIST) throw new TypeError('tags must be shorter')
  const names = list.split(',')
  const why = whyTooManyTags(names, limits)
  if (why !== null) throw new TypeError(`tags must be names with commas between them: ${why}`)
  return (carried) => names.some((name) => carried.has(name))
}
