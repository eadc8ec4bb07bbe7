import fc from 'fast-check'
import t from 'tap'
import { readTagFilter, type FilterQuery } from '../../lib/protocol/tag-filter.js'
import { TAG_LIMITS } from '../../lib/protocol/tags.js'

const passes = (query: FilterQuery, ...tags: string[]) => readTagFilter(query)?.(new Set(tags))

t.test('a request that narrows nothing has no filter', async (t) => {
  t.equal(readTagFilter({}), null)
  t.equal(readTagFilter({ tags: undefined, filter: undefined }), null)
})

t.test('a list of tags lets through what carries any of them', async (t) => {
  t.equal(passes({ tags: 'a,b' }, 'b', 'c'), true)
  t.equal(passes({ tags: 'a,b' }, 'c'), false)
  t.equal(passes({ tags: 'a' }), false)
})

t.test('tags are compared exactly', async (t) => {
  t.equal(passes({ tags: 'a' }, 'A'), false)
  t.equal(passes({ tags: 'a' }, 'ab'), false)
})

t.test('an expression lets through what it is true of', async (t) => {
  t.equal(passes({ filter: 'a and not b' }, 'a'), true)
  t.equal(passes({ filter: 'a and not b' }, 'a', 'b'), false)
})

t.test('a list and an expression both have to hold', async (t) => {
  const both = { tags: 'a,b', filter: 'not c' }

  t.equal(passes(both, 'a'), true)
  t.equal(passes(both, 'a', 'c'), false)
  t.equal(passes(both), false)
})

t.test('a tag that nothing carries is no error', async (t) => {
  t.equal(passes({ tags: 'nobody-knows-it' }, 'a'), false)
})

const REFUSED: Record<string, [FilterQuery, string]> = {
  'an empty list': [{ tags: '' }, 'tags must be names'],
  'a list with a gap': [{ tags: 'a,,b' }, 'tags must be names'],
  'a list with a comma at its end': [{ tags: 'a,' }, 'tags must be names'],
  'a list with a blank': [{ tags: 'a, b' }, 'tags must be names'],
  'a wildcard': [{ tags: '*' }, 'tags must be names'],
  'a tag twice': [{ tags: 'a,b,a' }, 'tags must be names'],
  'a tag of 51 characters': [{ tags: 'a'.repeat(51) }, 'tags must be names'],
  'fifty-one tags': [{ tags: Array.from({ length: 51 }, (_, index) => `t${index}`).join(',') }, 'tags must be names'],
  'a list of ten thousand and one characters': [{ tags: 'a'.repeat(10_001) }, 'tags must be shorter'],
  'a list that is sent twice': [{ tags: ['a', 'b'] }, 'tags must be given once'],
  'a list that is an object': [{ tags: { toString: () => 'a' } }, 'tags must be given once'],
  'a list that is null': [{ tags: null }, 'tags must be given once'],
  'an expression that is sent twice': [{ filter: ['a', 'b'] }, 'filter must be given once'],
  'an empty expression': [{ filter: '' }, 'filter must be tags'],
  'a good list with a bad expression': [{ tags: 'a', filter: 'a or' }, 'filter must be tags'],
  'a bad list with a good expression': [{ tags: '', filter: 'a' }, 'tags must be names']
}

for (const [name, [query, message]] of Object.entries(REFUSED)) {
  t.test(`${name} is refused`, async (t) => {
    let refusal: unknown
    try {
      readTagFilter(query)
    } catch (error) {
      refusal = error
    }

    t.ok(refusal instanceof TypeError && refusal.message.startsWith(message), String(refusal))
  })
}

t.test('the limits are those that are given', async (t) => {
  const limits = { ...TAG_LIMITS, tags: 2, tagLength: 60, duplicates: true }

  t.ok(readTagFilter({ tags: `${'a'.repeat(60)},b` }, limits))
  t.ok(readTagFilter({ tags: 'b,b' }, limits))
  t.ok(readTagFilter({ filter: 'a'.repeat(60) }, limits))
  t.throws(() => readTagFilter({ tags: 'a,b,c' }, limits), TypeError)
})

t.test('fifty tags of fifty characters and ten thousand characters in all are read', async (t) => {
  const tags = Array.from({ length: 50 }, (_, index) => String(index).padStart(50, 'x'))

  t.ok(readTagFilter({ tags: tags.join(',') }))
  t.throws(() => readTagFilter({ tags: 'a'.repeat(10_000) }), /names/)
})

t.test('whatever is sent is a filter or a TypeError that says nothing of the request', async () => {
  const word = fc.oneof(fc.constantFrom('a', 'and', 'OR', 'not', '(', ')', ' ', ',', '\u00a0', '*'), fc.string({ maxLength: 4 }))
  const value = fc.oneof(fc.array(word, { maxLength: 30 }).map((words) => words.join('')), fc.string({ unit: 'binary' }), fc.anything())
  const messages = new Set<string>()
  fc.assert(fc.property(value, value, (tags, filter) => {
    try {
      const read = readTagFilter({ tags, filter })
      return read === null ? tags === undefined && filter === undefined : typeof read(new Set(['a'])) === 'boolean'
    } catch (error) {
      if (!(error instanceof TypeError)) return false
      messages.add(error.message)
      return messages.size < 15
    }
  }), { numRuns: 5000 })
})
