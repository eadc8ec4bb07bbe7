import fc from 'fast-check'
import t from 'tap'
import { bindId, unbindId, type Binding } from '../../lib/crypto/bound-id.js'
import type { Owner } from '../../lib/crypto/owner.js'
import { deriveSecrets } from '../../lib/crypto/secrets.js'

const OLD = 'an old secret of more than thirty-two characters'
const NEW = 'a new secret of more than thirty-two characters'
const SECRETS = deriveSecrets([OLD])
const OWNER: Owner = { tenant: 'default', issuer: 'https://as.example', resource: 'https://mcp.example/mcp', subject: 'alice', clientId: 'client-1' }
const BINDING: Binding = { kind: 'session', owner: OWNER }

t.test('whatever id was bound comes back as it was', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (id) => unbindId(SECRETS, BINDING, bindId(SECRETS, BINDING, id)) === id))
})

t.test('a bound id of visible ASCII is visible ASCII (TR-10)', async (t) => {
  t.match(bindId(SECRETS, BINDING, 'session-1'), /^session-1\.[\x21-\x7E]{43}$/)
})

t.test('an id is nobody else\'s: whatever of its owner is different, it is refused', async (t) => {
  const bound = bindId(SECRETS, BINDING, 'id')

  const others: Record<string, Owner> = {
    'another user': { ...OWNER, subject: 'bob' },
    'another client of the same user': { ...OWNER, clientId: 'client-2' },
    'a user of the same name of another issuer': { ...OWNER, issuer: 'https://other.example' },
    'another tenant': { ...OWNER, tenant: 'other' },
    'another resource': { ...OWNER, resource: 'https://mcp.example/other' },
    'a client for itself': { ...OWNER, subject: null },
    'a user and client whose names make the same text': { ...OWNER, subject: 'alic', clientId: 'eclient-1' }
  }
  for (const [who, owner] of Object.entries(others)) t.equal(unbindId(SECRETS, { ...BINDING, owner }, bound), null, who)
})

t.test('a client for itself is not the user whose name is null', async (t) => {
  const bound = bindId(SECRETS, { kind: 'task', owner: { ...OWNER, subject: null } }, 'id')

  t.equal(unbindId(SECRETS, { kind: 'task', owner: { ...OWNER, subject: 'null' } }, bound), null)
})

t.test('an id of one kind is none of another', async (t) => {
  const kinds = ['session', 'event', 'task', 'state'] as const
  for (const kind of kinds) {
    const bound = bindId(SECRETS, { kind, owner: OWNER }, 'id')
    for (const other of kinds) t.equal(unbindId(SECRETS, { kind: other, owner: OWNER }, bound), other === kind ? 'id' : null)
  }
})

t.test('an id is good only within what it was bound to', async (t) => {
  const within = (...within: string[]): Binding => ({ kind: 'event', owner: OWNER, within })
  const bound = bindId(SECRETS, within('a', 'b'), 'c')

  t.equal(unbindId(SECRETS, within('a', 'b'), bound), 'c')
  for (const other of [within(), within('a'), within('a', 'x'), within('ab'), within('b', 'a')]) {
    t.equal(unbindId(SECRETS, other, bound), null)
  }
})

t.test('an id that was made up, cut, changed or bound twice over is refused', async (t) => {
  const bound = bindId(SECRETS, BINDING, 'id')
  const [id = '', tag = ''] = bound.split('.')

  const wrong = [
    '', '.', 'id', 'id.', `.${tag}`, `ie.${tag}`, tag, `${id}${tag}`, `${id}:${tag}`, bound.slice(1), bound.slice(0, -1), `${bound}A`,
    ` ${bound}`, `${bound}=`, `${id}.${tag.slice(1)}A`, `${id}.${'A'.repeat(43)}`
  ]
  for (const one of wrong) t.equal(unbindId(SECRETS, BINDING, one), null, one)
  t.equal(unbindId(SECRETS, BINDING, bindId(SECRETS, BINDING, bound)), bound)
})

t.test('an id that an older secret bound is taken until that secret goes', async (t) => {
  const bound = bindId(SECRETS, BINDING, 'id')

  t.equal(unbindId(deriveSecrets([NEW, OLD]), BINDING, bound), 'id')
  t.equal(unbindId(deriveSecrets([NEW]), BINDING, bound), null)
  t.not(bindId(deriveSecrets([NEW, OLD]), BINDING, 'id'), bound)
})
