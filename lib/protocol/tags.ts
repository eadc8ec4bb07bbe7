import type { TagLimits } from '../../types/access.js'

const TAG = /^[A-Za-z0-9_-]{1,96}$/
const PREFIX = 'tag:'

/** Scopes of 100 characters; 50 tags of 50 characters in one request, none of them twice. */
export const TAG_LIMITS: TagLimits = Object.freeze({ scopeLength: 100, tagLength: 50, tags: 50, duplicates: false })

/** Whether this is the name of a tag: letters, digits, `_` and `-`, at most 96 or `limits.tagLength`. */
export function isTagName (text: string, limits?: TagLimits): boolean {
  return TAG.test(text) && (limits === undefined || text.length <= limits.tagLength)
}

/** Whether a scope is meant to name a tag, well or badly. There are no wildcards. */
export function isTagScope (scope: string): boolean {
  return scope.startsWith(PREFIX)
}

/** The name in a scope `tag:NAME`; `null` for every other scope. */
export function tagOfScope (scope: string): string | null {
  if (!isTagScope(scope)) return null
  const name = scope.slice(PREFIX.length)
  return isTagName(name) ? name : null
}

/** The scope that opens what carries this tag. */
export function scopeOfTag (tag: string): string {
  return `${PREFIX}${tag}`
}

/** The tags that scopes grant, without repeats, in their order. Says nothing about which of them exist. */
export function grantedTags (scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes.flatMap((scope) => tagOfScope(scope) ?? []))]
}

/** Why a request may not name these tags, as a stable phrase; `null` when it may. */
export function whyTooManyTags (tags: readonly string[], limits: TagLimits): string | null {
  if (tags.length > limits.tags) return 'too many tags'
  if (!tags.every((tag) => isTagName(tag, limits))) return 'a tag is letters, digits, _ and -'
  if (!limits.duplicates && new Set(tags).size < tags.length) return 'a tag is named twice'
  return null
}
