import fc from 'fast-check'
import t from 'tap'
import { bindId } from '../../lib/crypto/bound-id.js'
import { bindState, unbindState } from '../../lib/crypto/bound-state.js'
import type { Owner } from '../../lib/crypto/owner.js'
import { deriveSecrets } from '../../lib/crypto/secrets.js'

const SECRETS = deriveSecrets(['a secret of more than thirty-two characters'])
const owner: Owner = { tenant: 'default', issuer: 'https://as.example', resource: 'https://mcp.example/mcp', subject: 'alice', clientId: 'client-1' }
const NOW = 1_700_000_000
const USE = { owner, request: ['tools/call', 'delete'] } as const

const bound = (state: string) => bindState(SECRETS, { ...USE, expiresAt: NOW + 600 }, state)

t.test('whatever state was bound comes back as it was', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (state) =>
    unbindState(SECRETS, { ...USE, now: NOW }, bound(state)) === state))
})

t.test('a state is good until the second before it expires', async (t) => {
  t.equal(unbindState(SECRETS, { ...USE, now: NOW + 599 }, bound('state')), 'state')
  t.equal(unbindState(SECRETS, { ...USE, now: NOW + 600 }, bound('state')), null)
})

t.test('the end of a state cannot be put off', async (t) => {
  const later = bound('state').replace(String(NOW + 600), String(NOW + 6000))

  t.equal(unbindState(SECRETS, { ...USE, now: NOW }, later), null)
})

t.test('a state of one tool, method or principal is refused at another (RS-33)', async (t) => {
  const elsewhere = {
    'another tool': { ...USE, request: ['tools/call', 'search'] },
    'a prompt of the same name': { ...USE, request: ['prompts/get', 'delete'] },
    'another user': { ...USE, owner: { ...owner, subject: 'bob' } }
  } as const
  for (const [where, use] of Object.entries(elsewhere)) {
    t.equal(unbindState(SECRETS, { ...use, now: NOW }, bound('state')), null, where)
  }
})

t.test('a state that was made up, or bound without an end, is refused', async (t) => {
  const binding = { kind: 'state', owner, within: USE.request } as const

  for (const inner of ['state', '.state', 'x.state', '1e99.state', '99999999999999999.state']) {
    t.equal(unbindState(SECRETS, { ...USE, now: NOW }, bindId(SECRETS, binding, inner)), null, inner)
  }
  t.equal(unbindState(SECRETS, { ...USE, now: NOW }, 'state'), null)
})
