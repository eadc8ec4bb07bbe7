import t from 'tap'
import {
  grantedTags, isTagName, isTagScope, scopeOfTag, TAG_LIMITS, tagOfScope, whyTooManyTags
} from '../../lib/protocol/tags.js'

const limits = { ...TAG_LIMITS, tagLength: 4, tags: 2 }

t.test('a scope tag:NAME grants NAME, and no other scope grants a tag', async (t) => {
  t.equal(tagOfScope('tag:billing_eu-1'), 'billing_eu-1')
  for (const scope of ['tag:', 'tag:a b', 'tag:*', 'TAG:a', 'tags:a', 'atag:a', 'tag:a:b', 'tag:é', `tag:${'a'.repeat(97)}`]) {
    t.equal(tagOfScope(scope), null, scope)
  }
})

t.test('the granted tags stand in the order of the scopes, each once', async (t) => {
  t.strictSame(grantedTags(['tag:b', 'notes:read', 'tag:a', 'tag:b']), ['b', 'a'])
})

t.test('a tag is 1 to 96 letters, digits, _ and -, or as many as the limits say', async (t) => {
  t.equal(isTagName('a'.repeat(96)), true)
  t.equal(isTagName('a'.repeat(97)), false)
  t.equal(isTagName('A_-9', limits), true)
  t.equal(isTagName('A_-99', limits), false)
})

t.test('no character beyond letters, digits, _ and - is in a tag', async (t) => {
  for (let code = 0; code < 0x180; code++) {
    const character = String.fromCharCode(code)
    const allowed = /[A-Za-z0-9]/.test(character) || character === '_' || character === '-'
    t.equal(isTagName(`a${character}`), allowed, `character ${code}`)
  }
  for (const text of ['', 'a\n', '\na', ' a', 'a ', '*', 'ａ']) t.equal(isTagName(text), false, JSON.stringify(text))
})

t.test('whatever begins with tag: is meant for a tag', async (t) => {
  for (const scope of ['tag:', 'tag:*', 'tag:a']) t.equal(isTagScope(scope), true, scope)
  for (const scope of ['tags', 'TAG:a', 'a tag:a', '']) t.equal(isTagScope(scope), false, scope)
})

t.test('the scope of a tag is what names it', async (t) => {
  t.equal(scopeOfTag('db'), 'tag:db')
  t.equal(tagOfScope(scopeOfTag('db')), 'db')
})

t.test('the limits are 100 characters a scope, 50 a tag, 50 tags, and none twice', async (t) => {
  t.strictSame(TAG_LIMITS, { scopeLength: 100, tagLength: 50, tags: 50, duplicates: false })
  t.throws(() => Object.assign(TAG_LIMITS, { tags: 5000 }))
})

t.test('no more tags may be named than the limits say', async (t) => {
  t.equal(whyTooManyTags(['a', 'b'], limits), null)
  t.equal(whyTooManyTags([], limits), null)
  t.equal(whyTooManyTags(['a', 'b', 'c'], limits), 'too many tags')
})

t.test('one name that is no tag is enough to refuse them all', async (t) => {
  t.equal(whyTooManyTags(['a', 'b c'], limits), 'a tag is letters, digits, _ and -')
  t.equal(whyTooManyTags(['abcde'], limits), 'a tag is letters, digits, _ and -')
})

t.test('a tag may be named twice only where the limits say so', async (t) => {
  t.equal(whyTooManyTags(['a', 'a'], limits), 'a tag is named twice')
  t.equal(whyTooManyTags(['a', 'A'], limits), null)
  t.equal(whyTooManyTags(['a', 'a'], { ...limits, duplicates: true }), null)
})
