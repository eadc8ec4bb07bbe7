import fc from 'fast-check'
import t from 'tap'
import { isThumbprint, nonceNeeded, readProofClaims, soleProof, type ProofTarget } from '../../lib/protocol/dpop.js'
import { OAuthError } from '../../lib/protocol/oauth-error.js'

const NOW = 1_700_000_000
const target: ProofTarget = { method: 'POST', uri: 'https://h.example/mcp', accessTokenHash: 'hash', now: NOW }
const claims = { jti: 'id', htm: 'POST', htu: 'https://h.example/mcp', iat: NOW, ath: 'hash' }

/** The precise reason inside; the code and one description outside. */
function reasonOf (run: () => unknown): string {
  try {
    run()
  } catch (error) {
    t.ok(error instanceof OAuthError)
    if (!(error instanceof OAuthError)) throw error
    t.match(error, { code: 'invalid_dpop_proof', description: 'The DPoP proof is not valid' })
    return error.reason
  }
  return 'taken'
}

const lines: Record<string, [string[], string]> = {
  'no proof': [[], 'no DPoP header'],
  'two proofs': [['a', 'b'], 'more than one DPoP header'],
  'the same proof twice': [['a', 'a'], 'more than one DPoP header'],
  'a proof of 4097 characters': [['x'.repeat(4097)], 'proof too long']
}
for (const [what, [values, reason]] of Object.entries(lines)) {
  t.test(`${what} is refused`, async (t) => {
    t.equal(reasonOf(() => soleProof(values)), reason)
  })
}

t.test('the one proof is read as it is', async (t) => {
  t.equal(soleProof(['a.b.c']), 'a.b.c')
  t.equal(soleProof(['x'.repeat(4096)]).length, 4096)
})

const refused: Record<string, [object, string]> = {
  'no jti': [{ jti: undefined }, 'no jti'],
  'an empty jti': [{ jti: '' }, 'no jti'],
  'a jti that is a number': [{ jti: 1 }, 'no jti'],
  'a jti of 257 characters': [{ jti: 'x'.repeat(257) }, 'no jti'],
  'no htm': [{ htm: undefined }, 'no htm'],
  'another method': [{ htm: 'GET' }, 'htm is not the method'],
  'the method in lower case': [{ htm: 'post' }, 'htm is not the method'],
  'a list of methods': [{ htm: ['POST'] }, 'no htm'],
  'no htu': [{ htu: undefined }, 'no htu'],
  'another path': [{ htu: 'https://h.example/other' }, 'htu is not the address'],
  'another host': [{ htu: 'https://evil.example/mcp' }, 'htu is not the address'],
  'http for https': [{ htu: 'http://h.example/mcp' }, 'htu is not the address'],
  'a user in the address': [{ htu: 'https://h.example@evil.example/mcp' }, 'htu is not the address'],
  'a path for the address': [{ htu: '/mcp' }, 'htu is not the address'],
  'no iat': [{ iat: undefined }, 'no iat'],
  'an iat that is a text': [{ iat: String(NOW) }, 'no iat'],
  'an iat without end': [{ iat: Infinity }, 'no iat'],
  'an iat of 301 seconds ago': [{ iat: NOW - 301 }, 'iat is too old'],
  'an iat of 303 seconds ago': [{ iat: NOW - 303 }, 'iat is too old'],
  'an iat in 301 seconds': [{ iat: NOW + 301 }, 'iat is in the future'],
  'an iat in milliseconds': [{ iat: NOW * 1000 }, 'iat is in the future'],
  'no ath': [{ ath: undefined }, 'no ath'],
  'the ath of another token': [{ ath: 'other' }, 'ath is not of the access token'],
  'a nonce that is no text': [{ nonce: 7 }, 'no nonce'],
  'an empty nonce': [{ nonce: '' }, 'no nonce'],
  'a nonce of 513 characters': [{ nonce: 'x'.repeat(513) }, 'no nonce']
}
for (const [what, [changes, reason]] of Object.entries(refused)) {
  t.test(`a proof with ${what} is refused`, async (t) => {
    const changed: Record<string, unknown> = { ...claims, ...changes }
    const said = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined))

    t.equal(reasonOf(() => readProofClaims(said, target)), reason)
  })
}

t.test('claims that are inherited are none', async (t) => {
  t.equal(reasonOf(() => readProofClaims(Object.create(claims), target)), 'no jti')
})

t.test('a proof for the request is read, to the edges of its time', async (t) => {
  for (const iat of [NOW - 300, NOW - 0.5, NOW, NOW + 300]) {
    t.strictSame(readProofClaims({ ...claims, iat }, target), { jti: 'id', iat, nonce: null })
  }
  t.match(readProofClaims({ ...claims, nonce: 'n' }, target), { nonce: 'n' })
})

t.test('the query of the address is not looked at, and its spelling is not either', async (t) => {
  for (const htu of ['https://h.example/mcp?x=1', 'HTTPS://H.EXAMPLE:443/mcp#a', 'https://h.example/%6Dcp']) {
    t.match(readProofClaims({ ...claims, htu }, target), { jti: 'id' })
  }
})

t.test('that a nonce is needed is an error of its own', async (t) => {
  t.match(nonceNeeded('no nonce'), { code: 'use_dpop_nonce', reason: 'no nonce', status: 400 })
})

t.test('a thumbprint is 43 characters of base64url and nothing else', async (t) => {
  for (const text of ['k'.repeat(43), `-_9${'A'.repeat(40)}`]) t.ok(isThumbprint(text), text)
  for (const text of ['', 'k'.repeat(42), 'k'.repeat(44), `${'k'.repeat(42)}=`, `${'k'.repeat(43)}\n`]) {
    t.notOk(isThumbprint(text), JSON.stringify(text))
  }
})

t.test('without an access token there is nothing to hash', async (t) => {
  t.match(readProofClaims({ ...claims, ath: undefined }, { ...target, accessTokenHash: null }), { jti: 'id' })
})

const address = fc.webUrl({ withQueryParameters: true, withFragments: true })

t.test('a proof for one address is good there and nowhere else', async () => {
  fc.assert(fc.property(address, address, (a, b) => {
    const [one, other] = [a, b].map((text) => new URL(text))
    const uri = `${one?.origin}${one?.pathname}`
    const same = uri === `${other?.origin}${other?.pathname}`
    const reads = (htu: string): boolean => {
      try {
        return readProofClaims({ ...claims, htu }, { ...target, uri }).jti === 'id'
      } catch {
        return false
      }
    }
    return reads(uri) && reads(b) === same
  }), { numRuns: 1000 })
})
