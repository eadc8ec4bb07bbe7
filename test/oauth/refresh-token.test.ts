import fc from 'fast-check'
import t from 'tap'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import { grantIdOfRefreshToken, mintRefreshToken } from '../../lib/oauth/refresh-token.js'
import { SECRETS } from '../helpers/token-context.js'

const GRANT = 'g'.repeat(22)
const token = mintRefreshToken(GRANT, SECRETS)

t.test('a token of ours names its grant', async (t) => {
  t.equal(grantIdOfRefreshToken(token, SECRETS), GRANT)
  t.match(token, /^[\w.-]{110}$/)
  t.not(mintRefreshToken(GRANT, SECRETS), token)
})

t.test('a token outlives the rotation of the secrets as long as the old one is kept', async (t) => {
  const [old, fresh] = ['old secret '.repeat(4), 'new secret '.repeat(4)]
  const minted = mintRefreshToken(GRANT, deriveSecrets([old]))

  t.equal(grantIdOfRefreshToken(minted, deriveSecrets([fresh, old])), GRANT)
  t.equal(grantIdOfRefreshToken(minted, deriveSecrets([fresh])), null)
})

const [grantId = '', secret = '', tag = ''] = token.split('.')
const forgeries = {
  'an empty text': '',
  'the id of a grant alone': grantId,
  'no tag': `${grantId}.${secret}`,
  'an empty tag': `${grantId}.${secret}.`,
  'the tag of another token': `${grantId}.${secret}.${mintRefreshToken(GRANT, SECRETS).split('.')[2]}`,
  'another grant': `${'h'.repeat(22)}.${secret}.${tag}`,
  'another secret': `${grantId}.${'A'.repeat(43)}.${tag}`,
  'a code': `${grantId}.${secret}`,
  'a tag for another purpose': `${grantId}.${secret}.${SECRETS.mac('codes', `${grantId}.${secret}`)}`,
  'a tail': `${token}A`,
  'a line break': `${token}\n`
}

for (const [name, forged] of Object.entries(forgeries)) {
  t.test(`${name} is not a token of ours`, async (t) => {
    t.equal(grantIdOfRefreshToken(forged, SECRETS), null)
  })
}

t.test('no text is a token of ours unless we minted it', async () => {
  const lookAlike = fc.stringMatching(/^[\w-]{22}\.[\w-]{43}\.[\w-]{43}$/)

  fc.assert(fc.property(fc.oneof(fc.string(), lookAlike), (text) => grantIdOfRefreshToken(text, SECRETS) === null))
})
