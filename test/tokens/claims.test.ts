import fc from 'fast-check'
import t from 'tap'
import { claimAt, deepFreeze, isClaims, isMeantFor, listClaim, textClaim, timeClaim } from '../../lib/tokens/claims.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'

const resource = 'https://mcp.example/mcp'

t.test('only an object that is no list holds claims', async (t) => {
  t.ok(isClaims({}))
  for (const value of [null, undefined, [], 'text', 7, true]) t.notOk(isClaims(value))
})

t.test('a claim is found by its name, dots and all, or by the names on the way to it', async (t) => {
  const claims = { 'https://h.example/roles': 'a', realm_access: { roles: 'b' }, 'realm_access.roles': 'c' }

  t.equal(claimAt(claims, 'https://h.example/roles'), 'a')
  t.equal(claimAt(claims, ['realm_access', 'roles']), 'b')
  t.equal(claimAt(claims, 'realm_access.roles'), 'c')
})

t.test('what is not there, and what an object has by nature, is no claim', async (t) => {
  for (const path of ['sub', 'toString', '__proto__', 'constructor', ['a', 'constructor'], ['a', 'b', 'c'], ['list', '0']]) {
    t.equal(claimAt({ a: { b: 'text' }, list: ['x'] }, path), undefined)
  }
})

t.test('a text is a text that is not empty', async (t) => {
  t.equal(textClaim({ sub: 'alice' }, 'sub'), 'alice')
  t.equal(textClaim({}, 'sub'), null)
  for (const sub of ['', 7, null, ['alice'], { toString: 'alice' }, true]) {
    t.throws(() => textClaim({ sub }, 'sub'), new InvalidTokenError('malformed sub'))
  }
})

t.test('a time is a number of seconds, in whole ones', async (t) => {
  t.equal(timeClaim({ exp: 17.9 }, 'exp'), 17)
  t.equal(timeClaim({}, 'exp'), null)
  for (const exp of ['17', '', null, [17], {}, true]) {
    t.throws(() => timeClaim({ exp }, 'exp'), new InvalidTokenError('malformed exp'))
  }
})

t.test('a time without end is no time', async (t) => {
  t.throws(() => timeClaim(JSON.parse('{"exp":1e999}'), 'exp'), InvalidTokenError)
})

t.test('a list is a list of texts or a text that holds several', async (t) => {
  t.strictSame(listClaim({ scope: ' a b  a ' }, 'scope', ' '), ['a', 'b'])
  t.strictSame(listClaim({ scope: '' }, 'scope', ' '), [])
  t.strictSame(listClaim({ roles: 'one role' }, 'roles'), ['one role'])
  t.strictSame(listClaim({ scp: ['a', 'b', 'a'] }, 'scp', ' '), ['a', 'b'])
  t.strictSame(listClaim({}, 'scp', ' '), [])
})

t.test('nothing else is a list', async (t) => {
  for (const roles of [7, null, {}, ['a', 7], [['a']], [null], true, { 0: 'a', length: 1 }]) {
    t.throws(() => listClaim({ realm_access: { roles } }, ['realm_access', 'roles']), new InvalidTokenError('malformed realm_access.roles'))
  }
})

t.test('a list never holds more than what was written', async () => {
  fc.assert(fc.property(fc.anything(), (scope) => {
    try {
      const texts = listClaim({ scope }, 'scope', ' ')
      return texts.every((text) => typeof text === 'string' && [scope].flat().join(' ').includes(text))
    } catch (error) {
      return error instanceof InvalidTokenError
    }
  }))
})

t.test('the audience holds the resource, spelled as RFC 3986 allows', async (t) => {
  for (const aud of [resource, 'HTTPS://MCP.example:443/mcp', ['https://other.example', resource]]) t.ok(isMeantFor({ aud }, { resource }))
  for (const aud of [[], '', 'https://mcp.example', `${resource}/x`, ['https://other.example']]) t.notOk(isMeantFor({ aud }, { resource }))
  t.notOk(isMeantFor({}, { resource }))
})

t.test('an audience that stands for the resource is compared byte by byte, and the resource no longer counts', async (t) => {
  t.ok(isMeantFor({ aud: ['x', 'api://notes'] }, { resource, audience: 'api://notes' }))
  for (const aud of ['API://notes', 'api://notes/', resource]) t.notOk(isMeantFor({ aud }, { resource, audience: 'api://notes' }))
})

t.test('an audience that is no text is refused', async (t) => {
  for (const aud of [7, [7, resource], { 0: resource }]) {
    t.throws(() => isMeantFor({ aud }, { resource }), new InvalidTokenError('malformed aud'))
  }
})

t.test('everything is frozen, however deep', async (t) => {
  let deep: object = { end: true }
  for (let depth = 0; depth < 100_000; depth += 1) deep = { deep }
  const value = deepFreeze({ list: [{ a: 1 }], nothing: null, deep })

  for (const part of [value, value.list, value.list[0], value.deep]) t.ok(Object.isFrozen(part))
})
