import t from 'tap'
import { neededProof, readConfirmation } from '../../lib/tokens/confirmation.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import type { Confirmation } from '../../types/sender-constraint.js'

const KEY = 'k'.repeat(43)
const CERTIFICATE = 'c'.repeat(43)
const both = { dpop: true, certificate: true }
const unknown = new InvalidTokenError('unknown confirmation')

t.test('a token without cnf is bound to nothing', async (t) => {
  t.equal(readConfirmation({}), null)
  t.equal(readConfirmation(Object.create({ cnf: { jkt: KEY } })), null)
})

t.test('what a token is bound to is read', async (t) => {
  for (const cnf of [{ jkt: KEY }, { 'x5t#S256': CERTIFICATE }, { jkt: KEY, 'x5t#S256': CERTIFICATE }]) {
    t.strictSame(readConfirmation({ cnf }), cnf)
  }
})

const strange: readonly unknown[] = [
  null, 'x', [], {}, { kid: 'a' }, { jwk: {} }, { jkt: KEY, jwe: 'a' }, { jkt: '' }, { jkt: 7 }, { jkt: 'k'.repeat(42) },
  { jkt: `${'k'.repeat(42)}=` }, { 'x5t#S256': null }, { x5t: KEY }, { JKT: KEY }, JSON.parse('{"__proto__":"a"}')
]
for (const cnf of strange) {
  t.test(`RS-18: the confirmation ${JSON.stringify(cnf)} is refused`, async (t) => {
    t.throws(() => readConfirmation({ cnf }), unknown)
  })
}

t.test('a verifier of a host cannot bring an unknown one in', async (t) => {
  for (const said of [{}, { kid: 'a' }, { jkt: '' }, { jkt: KEY, other: 'a' }]) {
    const confirmation: Confirmation = said
    t.throws(() => neededProof({ confirmation, scheme: 'bearer' }, both), unknown)
    t.throws(() => neededProof({ confirmation, scheme: 'dpop' }, both), unknown)
  }
})

t.test('a bearer token needs nothing more', async (t) => {
  t.same(neededProof({ confirmation: null, scheme: 'bearer' }, both), { key: null, certificate: null })
})

t.test('what a token is bound to has to be proved', async (t) => {
  t.same(neededProof({ confirmation: { jkt: KEY }, scheme: 'dpop' }, both), { key: KEY, certificate: null })
  t.same(neededProof({ confirmation: { 'x5t#S256': CERTIFICATE }, scheme: 'bearer' }, both), { key: null, certificate: CERTIFICATE })
  t.same(neededProof({ confirmation: { jkt: KEY, 'x5t#S256': CERTIFICATE }, scheme: 'dpop' }, both), { key: KEY, certificate: CERTIFICATE })
})

const refused: Record<string, [Confirmation | null, 'bearer' | 'dpop', { dpop: boolean, certificate: boolean }, string]> = {
  'a token with a key under Bearer': [{ jkt: KEY }, 'bearer', both, 'bound to a key'],
  'a token with a key and a certificate under Bearer': [{ jkt: KEY, 'x5t#S256': CERTIFICATE }, 'bearer', both, 'bound to a key'],
  'a plain token under DPoP': [null, 'dpop', both, 'not bound to a key'],
  'a token with a certificate under DPoP': [{ 'x5t#S256': CERTIFICATE }, 'dpop', both, 'not bound to a key'],
  'a token with a key where there is no DPoP': [{ jkt: KEY }, 'dpop', { ...both, dpop: false }, 'bound to a key'],
  'a token with a certificate where none is asked for':
    [{ 'x5t#S256': CERTIFICATE }, 'bearer', { ...both, certificate: false }, 'bound to a certificate'],
  'a token with both where no certificate is asked for':
    [{ jkt: KEY, 'x5t#S256': CERTIFICATE }, 'dpop', { ...both, certificate: false }, 'bound to a certificate']
}
for (const [what, [confirmation, scheme, possible, reason]] of Object.entries(refused)) {
  t.test(`RS-18: ${what} is refused`, async (t) => {
    t.throws(() => neededProof({ confirmation, scheme }, possible), new InvalidTokenError(reason))
  })
}
