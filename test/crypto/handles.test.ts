import fc from 'fast-check'
import t from 'tap'
import { deriveSecrets, handlesOf, openHandle, sealHandle, type HandleOwner } from '../../lib/crypto/handles.js'
import { stoppedClock } from '../helpers/clock.js'

const OLD = 'an old secret of more than thirty-two characters'
const NEW = 'a new secret of more than thirty-two characters'
const SECRETS = deriveSecrets([OLD])
const NOW = 1_700_000_000
const owner: HandleOwner = { tenant: 'default', issuer: 'https://as.example', resource: 'https://mcp.example/mcp', subject: 'alice', clientId: 'client-1' }
const USE = { owner, purpose: 'cart', now: NOW }

const sealed = (value: unknown = 'a value') => sealHandle(SECRETS, { ...USE, value, lifetime: 60 })

t.test('whatever JSON can say comes out of a handle as it went in', async () => {
  fc.assert(fc.property(fc.jsonValue().filter((value) => value !== null), (value) => {
    const text = JSON.stringify(value)
    return JSON.stringify(openHandle(SECRETS, { ...USE, handle: sealed(JSON.parse(text)) })) === text
  }))
})

t.test('a handle neither shows its value nor looks the same twice', async (t) => {
  const handle = sealed('a value of some length')

  t.notMatch(handle, /value/)
  t.notMatch(Buffer.from(handle, 'base64url').toString('latin1'), /value/)
  t.not(handle, sealed('a value of some length'))
})

t.test('a handle is nobody else\'s, and for nothing else', async (t) => {
  const others: Record<string, Partial<typeof USE>> = {
    'another user': { owner: { ...owner, subject: 'bob' } },
    'another client of the same user': { owner: { ...owner, clientId: 'client-2' } },
    'another issuer': { owner: { ...owner, issuer: 'https://other.example' } },
    'another tenant': { owner: { ...owner, tenant: 'other' } },
    'another resource': { owner: { ...owner, resource: 'https://mcp.example/other' } },
    'a client for itself': { owner: { ...owner, subject: null } },
    'another purpose': { purpose: 'order' }
  }
  for (const [who, use] of Object.entries(others)) {
    t.equal(openHandle(SECRETS, { ...USE, ...use, handle: sealed() }), null, who)
  }
})

t.test('a handle ends with its lifetime', async (t) => {
  t.equal(openHandle(SECRETS, { ...USE, now: NOW + 59, handle: sealed() }), 'a value')
  t.equal(openHandle(SECRETS, { ...USE, now: NOW + 60, handle: sealed() }), null)
})

t.test('a handle with any one byte changed is not opened', async (t) => {
  const bytes = Buffer.from(sealed(), 'base64url')

  for (let position = 0; position < bytes.length; position++) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(bytes.readUInt8(position) ^ 1, position)
    t.equal(openHandle(SECRETS, { ...USE, handle: changed.toString('base64url') }), null, `byte ${position}`)
  }
})

t.test('what is no handle at all is not opened and does not throw', async (t) => {
  for (const handle of [undefined, null, 1, {}, [], ['a'], '', 'a', 'A'.repeat(65_537), sealed().slice(1), `${sealed()}=`]) {
    t.equal(openHandle(SECRETS, { ...USE, handle }), null)
  }
})

t.test('what was sealed for our own records is not a handle', async (t) => {
  t.equal(openHandle(SECRETS, { ...USE, handle: SECRETS.seal('codes', 'cart', '9999999999:1') }), null)
})

t.test('a handle of an older secret is opened until that secret goes', async (t) => {
  t.equal(openHandle(deriveSecrets([NEW, OLD]), { ...USE, handle: sealed() }), 'a value')
  t.equal(openHandle(deriveSecrets([NEW]), { ...USE, handle: sealed() }), null)
})

t.test('a value that JSON cannot say, null, or one too long cannot be sealed', async (t) => {
  for (const value of [undefined, null, NaN, () => {}, Symbol('s'), 1n, 'x'.repeat(65_536)]) {
    t.throws(() => sealHandle(SECRETS, { ...USE, value, lifetime: 60 }), TypeError)
  }
})

t.test('a lifetime is whole seconds above 0', async (t) => {
  for (const lifetime of [0, -1, 0.5, NaN, Infinity]) {
    t.throws(() => sealHandle(SECRETS, { ...USE, value: 1, lifetime }), { message: /^lifetime must/ })
  }
})

t.test('handles of one owner follow the clock', async (t) => {
  const clock = stoppedClock()
  const handles = handlesOf(SECRETS, owner, clock)
  const handle = handles.seal({ purpose: 'cart', value: { items: [1] }, lifetime: 60 })

  t.same(handles.open({ purpose: 'cart', handle }), { items: [1] })
  t.equal(handlesOf(SECRETS, { ...owner, subject: 'bob' }, clock).open({ purpose: 'cart', handle }), null)
  clock.advance(60)
  t.equal(handles.open({ purpose: 'cart', handle }), null)
})
