import fc from 'fast-check'
import t from 'tap'
import { compileExpression } from '../../lib/protocol/tag-expression.js'
import { TAG_LIMITS } from '../../lib/protocol/tags.js'

const holds = (text: string, ...tags: string[]) => compileExpression(text, TAG_LIMITS)(new Set(tags))

const TRUE: [string, string[]][] = [
  ['a', ['a']],
  ['not a', ['b']],
  ['not not a', ['a']],
  ['a and b', ['a', 'b']],
  ['a or b', ['b']],
  ['a or b and c', ['a']],
  ['a and b or c', ['c']],
  ['(a or b) and c', ['b', 'c']],
  ['not a and b', ['b']],
  ['not (a and b)', ['a']],
  ['not a or b', ['a', 'b']],
  ['((a))', ['a']],
  ['a AND NOT(b)Or(c)', ['a']],
  ['not(a)', []],
  ['  a\tand\nb  ', ['a', 'b']],
  ['android and order and nothing', ['android', 'order', 'nothing']]
]

const FALSE: [string, string[]][] = [
  ['a', ['A']],
  ['a', []],
  ['not a', ['a']],
  ['not not a', []],
  ['a and b', ['a']],
  ['a or b', ['c']],
  ['a or b and c', ['b']],
  ['(a or b) and c', ['a']],
  ['not (a and b)', ['a', 'b']],
  ['not a and b', ['a', 'b']],
  ['not (a or b)', ['b']]
]

for (const [text, tags] of TRUE) {
  t.test(`${JSON.stringify(text)} holds for ${JSON.stringify(tags)}`, async (t) => { t.equal(holds(text, ...tags), true) })
}

for (const [text, tags] of FALSE) {
  t.test(`${JSON.stringify(text)} does not hold for ${JSON.stringify(tags)}`, async (t) => {
    t.equal(holds(text, ...tags), false)
  })
}

const MISSING_TAG = /: a tag is missing$/
const MISSING_WORD = /: "and" or "or" is missing$/
const REFUSED: Record<string, [string, RegExp]> = {
  nothing: ['', MISSING_TAG],
  'blanks only': [' \t ', MISSING_TAG],
  'an and without what follows': ['a and', MISSING_TAG],
  'an or without what precedes': ['or a', MISSING_TAG],
  'a not without what follows': ['a and not', MISSING_TAG],
  'two words that join': ['a and or b', MISSING_TAG],
  'empty parentheses': ['()', MISSING_TAG],
  'two tags in a row': ['a b', MISSING_WORD],
  'a not after a tag': ['a not b', MISSING_WORD],
  'parentheses after a tag': ['a (b)', MISSING_WORD],
  'a parenthesis that is not open': ['a)', MISSING_WORD],
  'a parenthesis that is not closed': ['(a', /: a parenthesis is not closed$/],
  'a parenthesis that is not closed, inside': ['(a or (b)', /: a parenthesis is not closed$/],
  'a wildcard': ['a*', /: a tag is letters, digits, _ and -$/],
  'a comma': ['a,b', /: a tag is letters/],
  'other words for and': ['a && b', MISSING_WORD],
  'a tag of 51 characters': ['a'.repeat(51), /: a tag is letters/],
  'a thousand and one characters': ['a'.padEnd(1001), /: too long$/],
  'a hundred and one tags': [Array.from({ length: 101 }, () => 'a').join(' or '), /: too many tags$/],
  'thirty-three parentheses': [`${'('.repeat(33)}a${')'.repeat(33)}`, /: too deep$/],
  'thirty-three nots': [`${'not '.repeat(33)}a`, /: too deep$/],
  'nots and parentheses, thirty-three': [`${'not ('.repeat(16)}(a${')'.repeat(17)}`, /: too deep$/],
  'five hundred parentheses that are never closed': ['('.repeat(500), /: too deep$/]
}

for (const [name, [text, why]] of Object.entries(REFUSED)) {
  t.test(`${name} is refused`, async (t) => {
    t.throws(() => compileExpression(text, TAG_LIMITS), { name: 'TypeError', message: why })
    t.throws(() => compileExpression(text, TAG_LIMITS), { message: /^filter must be tags with and, or, not and parentheses: / })
  })
}

t.test('what is just inside of the bounds is read', async (t) => {
  t.equal(holds('a'.padEnd(1000), 'a'), true)
  t.equal(holds(Array.from({ length: 100 }, (_, index) => `t${index}`).join(' or '), 't99'), true)
  t.equal(holds(Array.from({ length: 100 }, () => 'a').join(' and '), 'a'), true)
  t.equal(holds(Array.from({ length: 100 }, () => 'not a').join(' or '), 'b'), true)
  t.equal(holds(`${'('.repeat(32)}a${')'.repeat(32)}`, 'a'), true)
  t.equal(holds(`${'not '.repeat(32)}a`, 'a'), true)
  t.equal(holds('(a) or '.repeat(60) + '(b)', 'b'), true)
})

type Tree = { tag: string } | { not: Tree } | { join: 'and' | 'or', parts: Tree[] }

const tags = ['a', 'b', 'c', 'd']
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4, withCrossShrink: true },
    fc.record({ tag: fc.constantFrom(...tags) }),
    fc.record({ not: tie('tree') }),
    fc.record({ join: fc.constantFrom('and', 'or'), parts: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }) }))
}))

function written (of: Tree): string {
  if ('tag' in of) return of.tag
  if ('not' in of) return `not (${written(of.not)})`
  return of.parts.map((part) => `(${written(part)})`).join(` ${of.join} `)
}

function isTrue (of: Tree, carried: ReadonlySet<string>): boolean {
  if ('tag' in of) return carried.has(of.tag)
  if ('not' in of) return !isTrue(of.not, carried)
  return of.join === 'and'
    ? of.parts.every((part) => isTrue(part, carried))
    : of.parts.some((part) => isTrue(part, carried))
}

t.test('an expression that was written from a tree means what the tree means', async () => {
  fc.assert(fc.property(tree, fc.subarray(tags), (any, some) => {
    const text = written(any)
    fc.pre(text.length <= 1000)
    return holds(text, ...some) === isTrue(any, new Set(some))
  }), { numRuns: 3000 })
})

t.test('and binds tighter than or, and not tighter than both', async () => {
  const literal = fc.record({ tag: fc.constantFrom(...tags), not: fc.boolean() })
  const sums = fc.array(fc.array(literal, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 })
  fc.assert(fc.property(sums, fc.subarray(tags), (sum, some) => {
    const text = sum.map((product) => product.map(({ tag, not }) => not ? `NOT ${tag}` : tag).join(' And ')).join(' OR ')
    return holds(text, ...some) === sum.some((product) => product.every(({ tag, not }) => some.includes(tag) !== not))
  }))
})
