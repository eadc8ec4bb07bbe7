import fc from 'fast-check'
import t from 'tap'
import { OAuthError } from '../../lib/protocol/oauth-error.js'
import { buildScopeModel, isScopeToken, readScope } from '../../lib/protocol/scopes.js'
import { TAG_LIMITS } from '../../lib/protocol/tags.js'

const REFUSED: Record<string, string> = {
  'a quote': 'a"b',
  'a backslash': 'a\\b',
  'a tab': 'a\tb',
  'a line break': 'a\nb',
  'a letter outside of ASCII': 'lesen:ä',
  NUL: 'a\0',
  'a leading blank': ' a',
  'a trailing blank': 'a ',
  'two blanks in a row': 'a  b',
  'only a blank': ' ',
  'a scope of 101 characters': 'x'.repeat(101),
  'a hundred and one scopes': Array.from({ length: 101 }, (_, index) => `s${index}`).join(' '),
  'ten thousand scopes': Array.from({ length: 10_000 }, (_, index) => `s${index}`).join(' '),
  'ten thousand times the same scope': 'a '.repeat(10_000) + 'a'
}

for (const [name, text] of Object.entries(REFUSED)) {
  t.test(`a scope parameter with ${name} is refused as invalid_scope`, async (t) => {
    t.throws(() => readScope(text), { code: 'invalid_scope' })
  })
}

t.test('no scope and an empty scope are no scopes', async (t) => {
  t.strictSame(readScope(undefined), [])
  t.strictSame(readScope(''), [])
})

t.test('repeats are dropped and the order stays', async (t) => {
  t.strictSame(readScope('b a b c a'), ['b', 'a', 'c'])
})

t.test('scopes are case-sensitive', async (t) => {
  t.strictSame(readScope('Read read'), ['Read', 'read'])
})

t.test('a hundred scopes of a hundred characters are read', async (t) => {
  const scopes = Array.from({ length: 100 }, (_, index) => String(index).padStart(100, 'x'))

  t.strictSame(readScope(scopes.join(' ')), scopes)
})

t.test('every character of the grammar of RFC 6749 §3.3 is allowed, and no other', async (t) => {
  for (let code = 0; code < 0x120; code++) {
    const allowed = code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e)
    t.equal(isScopeToken(String.fromCharCode(code)), allowed, `character ${code}`)
  }
})

t.test('whatever is sent is refused or comes back as the very same words', async () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab:! "\\é\t'), maxLength: 20 }), (text) => {
    try {
      const scopes = readScope(text)
      return scopes.every(isScopeToken) && [...new Set(text.split(' '))].join(' ') === scopes.join(' ')
    } catch (error) {
      return error instanceof OAuthError
    }
  }))
})

const LIMITED: Record<string, string> = {
  'a scope beyond the limit': 'x'.repeat(61),
  'a tag without a name': 'tag:',
  'a wildcard': 'read tag:*',
  'a tag with a colon': 'tag:a:b',
  'a tag of five characters': 'tag:abcde',
  'three tags': 'tag:a tag:b tag:c',
  'a tag twice': 'tag:a read tag:a'
}

for (const [name, text] of Object.entries(LIMITED)) {
  t.test(`with limits a scope parameter with ${name} is refused as invalid_scope`, async (t) => {
    const limits = { scopeLength: 60, tagLength: 4, tags: 2, duplicates: false }

    t.throws(() => readScope(text, limits), { code: 'invalid_scope' })
    t.ok(readScope(text))
  })
}

t.test('with limits what is inside of them is read, whether or not the tag exists', async (t) => {
  const limits = { scopeLength: 60, tagLength: 4, tags: 2, duplicates: true }

  t.strictSame(readScope('read read tag:a tag:a', limits), ['read', 'tag:a'])
  t.strictSame(readScope(`${'x'.repeat(60)} tag:abcd tag:b`, limits), ['x'.repeat(60), 'tag:abcd', 'tag:b'])
  t.strictSame(readScope('tags TAG:*', TAG_LIMITS), ['tags', 'TAG:*'])
  t.strictSame(readScope('', TAG_LIMITS), [])
})

t.test('the scope of a tag is known exactly as long as the tag lives', async (t) => {
  const live = new Set(['db'])
  const tagged = buildScopeModel({ read: 'Read', write: { title: 'Write', implies: ['read'] } }, () => live)

  t.equal(tagged.has('tag:db'), true)
  t.strictSame(tagged.known(['tag:db', 'read', 'tag:x', 'tag:db']), ['tag:db', 'read'])
  t.strictSame([...tagged.closure(['tag:db', 'tag:x', 'write'])], ['tag:db', 'read', 'write'])
  t.strictSame(tagged.missing(['tag:db'], ['tag:db', 'tag:x', 'read']), ['tag:x', 'read'])
  t.strictSame(tagged.missing(['write', 'tag:x'], ['tag:db', 'tag:x']), ['tag:db', 'tag:x'])
  live.delete('db')
  live.add('x')
  t.equal(tagged.has('tag:db'), false)
  t.equal(tagged.has('tag:x'), true)
  t.strictSame(tagged.missing(['tag:db'], ['tag:db']), ['tag:db'])
})

t.test('the scope of a tag has a title in words, and nothing else has one of its kind', async (t) => {
  const tagged = buildScopeModel({ read: 'Read' }, () => new Set(['db']))

  t.equal(tagged.title('tag:db'), 'Use everything tagged \u201cdb\u201d')
  t.equal(tagged.title('tag:x'), 'tag:x')
  t.equal(tagged.description('tag:db'), undefined)
  t.strictSame(tagged.names, ['read'])
})

t.test('without live tags no scope of a tag is known', async (t) => {
  const plain = buildScopeModel({ read: 'Read' })

  t.equal(plain.has('tag:db'), false)
  t.strictSame(plain.known(['tag:db']), [])
  t.strictSame(plain.missing(['tag:db'], ['tag:db']), ['tag:db'])
})

const model = buildScopeModel({
  'notes:read': 'Read your notes',
  'notes:write': { title: 'Change your notes', description: 'Also deletes them.', implies: ['notes:read'] },
  admin: { title: 'Everything', implies: ['notes:write'] },
  other: { title: 'Something else' }
})

t.test('a scope in words is its title, with a description when there is one', async (t) => {
  t.equal(model.title('notes:read'), 'Read your notes')
  t.equal(model.description('notes:read'), undefined)
  t.equal(model.title('notes:write'), 'Change your notes')
  t.equal(model.description('notes:write'), 'Also deletes them.')
})

t.test('an unknown scope is called by its name', async (t) => {
  t.equal(model.title('unknown'), 'unknown')
  t.equal(model.description('unknown'), undefined)
})

t.test('the names are in the order of the catalogue', async (t) => {
  t.strictSame(model.names, ['notes:read', 'notes:write', 'admin', 'other'])
  t.equal(model.has('admin'), true)
  t.equal(model.has('Admin'), false)
})

t.test('a scope contains what it implies, at any depth', async (t) => {
  t.strictSame([...model.closure(['admin'])].sort(), ['admin', 'notes:read', 'notes:write'])
  t.strictSame([...model.closure([])], [])
})

t.test('a granted scope that the catalogue does not know opens nothing, not even itself', async (t) => {
  t.equal(model.closure(['unknown']).size, 0)
  t.strictSame(model.missing(['unknown'], ['unknown']), ['unknown'])
})

const MISSING: Record<string, [string[], string[], string[]]> = {
  'nothing required': [['other'], [], []],
  'nothing required of an empty grant': [[], [], []],
  'the very scope': [['notes:read'], ['notes:read'], []],
  'a scope that is implied': [['admin'], ['notes:read', 'notes:write'], []],
  'a scope that implies the granted one': [['notes:read'], ['notes:write'], ['notes:write']],
  'several, all of them at once': [['other'], ['notes:read', 'other', 'admin'], ['notes:read', 'admin']],
  'another case': [['Notes:Read'], ['notes:read'], ['notes:read']],
  'only a prefix granted': [['notes'], ['notes:read'], ['notes:read']],
  'an empty grant': [[], ['notes:read'], ['notes:read']]
}

for (const [name, [granted, required, missing]] of Object.entries(MISSING)) {
  t.test(`missing scopes: ${name}`, async (t) => { t.strictSame(model.missing(granted, required), missing) })
}

t.test('known scopes are those of the catalogue, without repeats, in the order of asking', async (t) => {
  t.strictSame(model.known(['openid', 'other', 'notes:read', 'other', '__proto__', 'constructor']), ['other', 'notes:read'])
})

t.test('two ways to the same implied scope are no circle', async (t) => {
  const diamond = buildScopeModel({
    a: { title: 'A', implies: ['b', 'c'] }, b: { title: 'B', implies: ['d'] }, c: { title: 'C', implies: ['d'] }, d: 'D'
  })

  t.strictSame([...diamond.closure(['a'])].sort(), ['a', 'b', 'c', 'd'])
})

t.test('a catalogue of a hundred scopes is what one request can ask for', async (t) => {
  const catalogue = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`s${index}`, 'S']))

  t.equal(buildScopeModel(catalogue).names.length, 100)
})

const BAD: Record<string, [Parameters<typeof buildScopeModel>[0], RegExp]> = {
  'no scope': [{}, /^scopes must/],
  'a name with a blank': [{ 'a b': 'A' }, /^scopes\["a b"\] /],
  'a name with an equals sign': [{ 'a=b': 'A' }, /^scopes\["a=b"\] /],
  'an empty name': [{ '': 'A' }, /^scopes\[""\] /],
  'a title of nothing': [{ a: ' ' }, /^scopes\.a must have a title/],
  'an implied scope that is not there': [{ a: { title: 'A', implies: ['b'] } }, /^scopes\.a\.implies\[0\] names "b"/],
  'an implied scope that is not there, further down': [
    { a: { title: 'A', implies: ['b'] }, b: { title: 'B', implies: ['a2'] } }, /^scopes\.b\.implies\[0\] names "a2"/
  ],
  'a scope that implies itself': [{ a: { title: 'A', implies: ['a'] } }, /^scopes\.a\.implies runs in a circle: a > a$/],
  'a longer circle': [
    { a: { title: 'A', implies: ['b'] }, b: { title: 'B', implies: ['c'] }, c: { title: 'C', implies: ['a'] } },
    /^scopes\.a\.implies runs in a circle: a > b > c > a$/
  ],
  'the scope of a tag': [{ 'tag:db': 'Databases' }, /^scopes\.tag:db is reserved/],
  offline_access: [{ offline_access: 'Stay signed in' }, /^scopes\.offline_access is reserved/],
  'more scopes than a request can ask for': [
    Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`s${index}`, 'S'])), /^scopes must name at most 100/
  ]
}

for (const [name, [catalogue, message]] of Object.entries(BAD)) {
  t.test(`a catalogue with ${name} is refused with the path of it`, async (t) => {
    t.throws(() => buildScopeModel(catalogue), { name: 'TypeError', message })
  })
}

const names = ['a', 'b', 'c', 'd', 'e']
const someScopes = fc.subarray(names)
// Each scope may imply later ones only, so there is no circle.
const catalogues = fc.tuple(...names.map((name, index) => fc.subarray(names.slice(index + 1)).map((implies) =>
  [name, { title: name, implies }] as const))).map((entries) => Object.fromEntries(entries))

t.test('what is missing is exactly what the closure does not hold', async () => {
  fc.assert(fc.property(catalogues, someScopes, someScopes, (catalogue, granted, required) => {
    const any = buildScopeModel(catalogue)
    const held = any.closure(granted)
    return any.missing(granted, required).join() === required.filter((scope) => !held.has(scope)).join()
  }))
})

t.test('more scope never misses more', async () => {
  fc.assert(fc.property(catalogues, someScopes, someScopes, someScopes, (catalogue, granted, more, required) => {
    const any = buildScopeModel(catalogue)
    const before = any.missing(granted, required)
    return any.missing([...granted, ...more], required).every((scope) => before.includes(scope))
  }))
})

t.test('a closure is closed', async () => {
  fc.assert(fc.property(catalogues, someScopes, (catalogue, granted) => {
    const any = buildScopeModel(catalogue)
    const closure = [...any.closure(granted)]
    return any.closure(closure).size === closure.length && granted.every((scope) => closure.includes(scope))
  }))
})
