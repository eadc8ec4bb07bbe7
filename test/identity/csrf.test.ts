import fc from 'fast-check'
import t from 'tap'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import { csrfToken, verifyCsrf } from '../../lib/identity/csrf.js'

const old = 'an old secret of more than 32 characters'
const secrets = deriveSecrets(['a secret of more than 32 characters in all', old])
const parts = ['consent', 'browser', 'transaction']
const token = csrfToken(secrets, parts)

const REFUSED = {
  'no token': undefined,
  'an empty one': '',
  'one for another browser': csrfToken(secrets, ['consent', 'other', 'transaction']),
  'one for another transaction': csrfToken(secrets, ['consent', 'browser', 'other']),
  'one for another purpose': csrfToken(secrets, ['sign-in', 'browser', 'transaction']),
  'one whose parts were cut elsewhere': csrfToken(secrets, ['consent', 'browsertransaction']),
  'one under a secret of somebody else': csrfToken(deriveSecrets(['a secret of somebody else, quite long too']), parts),
  'one with a character more': `${token}A`,
  'one in capitals': token.toUpperCase()
}

for (const [what, given] of Object.entries(REFUSED)) {
  t.test(`${what} is not accepted`, async (t) => {
    t.equal(verifyCsrf(secrets, parts, given), false)
  })
}

t.test('a token is accepted for what it was made for', async (t) => {
  t.equal(verifyCsrf(secrets, parts, token), true)
})

t.test('a token from before the secrets were rotated is accepted', async (t) => {
  t.equal(verifyCsrf(secrets, parts, csrfToken(deriveSecrets([old]), parts)), true)
})

t.test('different parts never share a token', async () => {
  const list = fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 })
  fc.assert(fc.property(list, list, (one, two) =>
    JSON.stringify(one) === JSON.stringify(two) || !verifyCsrf(secrets, one, csrfToken(secrets, two))))
})
