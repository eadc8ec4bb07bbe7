import type { TagFilter, TagLimits } from '../../../types/access.js'
import { readTagFilter, type FilterQuery } from '../../protocol/tag-filter.js'
import { MALFORMED_FILTER, type Refusal } from './refusals.js'
import type { Reading } from './wish.js'

const MAX_REMEMBERED = 500
const MAX_LENGTH = 1000

/** A member that is there several times is a list, which is refused. */
function memberOf (query: URLSearchParams, name: string): unknown {
  const values = query.getAll(name)
  return values.length === 1 ? values[0] : values
}

function queryOf (text: string): FilterQuery {
  const query = new URLSearchParams(text)
  return {
    ...(query.has('tags') ? { tags: memberOf(query, 'tags') } : {}),
    ...(query.has('filter') ? { filter: memberOf(query, 'filter') } : {})
  }
}

type Narrowed = TagFilter | null | Refusal

/**
 * How the client narrows its request by `?tags=` and `?filter=`, at the MCP endpoint only. Whatever it says, it takes
 * away: it is held against what was granted, operation by operation and list item by list item. One that cannot be
 * read is 400: it might have been meant to take away more. Reads the query by itself, since a host may have a parser
 * of its own, and remembers the texts that it has read: at most 500 of at most 1000 characters.
 */
export function buildNarrowing (limits: TagLimits): Reading {
  const remembered = new Map<string, Narrowed>()

  function read (text: string): Narrowed {
    try {
      return readTagFilter(queryOf(text), limits)
    } catch {
      return MALFORMED_FILTER
    }
  }

  function recall (text: string): Narrowed {
    const known = remembered.get(text)
    if (known !== undefined) return known
    const narrowed = read(text)
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    if (text.length <= MAX_LENGTH) remembered.set(text, narrowed)
    return narrowed
  }

  return (request, wish) => {
    const { url } = request
    const start = url.indexOf('?')
    if (start === -1 || !wish.audience.rpc) return wish
    const filter = recall(url.slice(start + 1))
    if (filter === null) return wish
    if (typeof filter === 'function') return { ...wish, filter }
    return { refusal: filter, reason: 'malformed filter', audience: wish.audience }
  }
}
