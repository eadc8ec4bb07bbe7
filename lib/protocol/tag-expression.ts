import type { TagFilter, TagLimits } from '../../types/access.js'
import { isTagName } from './tags.js'

const MAX_LENGTH = 1000
const MAX_DEPTH = 32
const MAX_TERMS = 100

const KEYWORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', '(', ')'])

/** An expression as words, and how far it was read. */
interface Reading {
  readonly words: readonly string[]
  readonly limits: TagLimits
  at: number
}

/**
 * Reads an expression of tags with `and`, `or`, `not` and parentheses: `not` binds tightest, `or` loosest. The three
 * words are the same in every case; tags are not, and a tag of such a name cannot be written. At most 1000 characters,
 * 100 tags, and 32 parentheses and `not` inside each other.
 * @throws {TypeError} with a fixed message.
 */
export function compileExpression (text: string, limits: TagLimits): TagFilter {
  if (text.length > MAX_LENGTH) throw malformed('too long')
  const words = text.match(/[^\s()]+|[()]/g) ?? []
  if (words.filter(isTerm).length > MAX_TERMS) throw malformed('too many tags')
  const reading = { words, limits, at: 0 }
  const filter = readAny(reading, 0)
  if (reading.at < words.length) throw malformed('"and" or "or" is missing')
  return filter
}

const isTerm = (word: string): boolean => !KEYWORDS.has(word.toLowerCase())

function malformed (why: string): TypeError {
  return new TypeError(`filter must be tags with and, or, not and parentheses: ${why}`)
}

function takes (reading: Reading, word: string): boolean {
  if (reading.words[reading.at]?.toLowerCase() !== word) return false
  reading.at += 1
  return true
}

function readAny (reading: Reading, depth: number): TagFilter {
  const parts = [readAll(reading, depth)]
  while (takes(reading, 'or')) parts.push(readAll(reading, depth))
  return (carried) => parts.some((part) => part(carried))
}

function readAll (reading: Reading, depth: number): TagFilter {
  const parts = [readOne(reading, depth)]
  while (takes(reading, 'and')) parts.push(readOne(reading, depth))
  return (carried) => parts.every((part) => part(carried))
}

function readOne (reading: Reading, depth: number): TagFilter {
  if (depth > MAX_DEPTH) throw malformed('too deep')
  if (takes(reading, 'not')) {
    const inner = readOne(reading, depth + 1)
    return (carried) => !inner(carried)
  }
  if (!takes(reading, '(')) return readTag(reading)
  const inner = readAny(reading, depth + 1)
  if (!takes(reading, ')')) throw malformed('a parenthesis is not closed')
  return inner
}

function readTag (reading: Reading): TagFilter {
  const word = reading.words[reading.at]
  if (word === undefined || !isTerm(word)) throw malformed('a tag is missing')
  if (!isTagName(word, reading.limits)) throw malformed('a tag is letters, digits, _ and -')
  reading.at += 1
  return (carried) => carried.has(word)
}
