import t from 'tap'
import { readOwnPrincipal } from '../../lib/tokens/own-principal.js'
import { createRememberedTokens } from '../../lib/tokens/remembered-tokens.js'

const NOW = 1_700_000_000
const rules = { issuer: 'https://as.example', resource: 'https://mcp.example/mcp', tenant: 'default' }

function principalOf (grantId: string, expiresAt = NOW + 900) {
  const claims = { sub: 'alice', client_id: 'c', scope: 's', jti: 'j', auth_time: NOW, iat: NOW, grant_id: grantId }
  const { issuer, resource } = rules
  return readOwnPrincipal(JSON.stringify({ ...claims, iss: issuer, aud: resource, exp: expiresAt }), rules, NOW)
}

const principal = principalOf('g')

t.test('a token is recalled by its exact text only', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  tokens.begin()('token', principal, NOW)

  t.equal(tokens.recall('token', NOW), principal)
  t.equal(tokens.recall('Token', NOW), undefined)
  t.equal(tokens.recall('toke', NOW), undefined)
})

t.test('two tokens with one ending are not taken for each other, young or old', async (t) => {
  const tokens = createRememberedTokens({ max: 4, recheck: 5 })
  const end = 'x'.repeat(64)
  tokens.begin()(`one.${end}`, principal, NOW)

  t.equal(tokens.recall(`two.${end}`, NOW), undefined)
  for (const other of ['a', 'b']) tokens.begin()(other, principal, NOW)
  t.equal(tokens.recall(`two.${end}`, NOW), undefined)
  t.equal(tokens.recall(`one.${end}`, NOW), principal)
})

t.test('a token is recalled for recheck seconds, then known until it expires', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  tokens.begin()('token', principal, NOW)

  t.equal(tokens.recall('token', NOW + 4), principal)
  t.equal(tokens.recall('token', NOW + 5), undefined)
  t.equal(tokens.known('token', NOW + 899), principal)
  t.equal(tokens.known('token', NOW + 900), undefined)
})

t.test('a token is never recalled past its expiry', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 60 })
  tokens.begin()('token', principalOf('g', NOW + 3), NOW)

  t.ok(tokens.recall('token', NOW + 2))
  t.equal(tokens.recall('token', NOW + 3), undefined)
})

t.test('a clock that is set back makes no token be recalled for longer', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  tokens.begin()('token', principal, NOW)

  t.equal(tokens.recall('token', NOW - 1), undefined)
  t.equal(tokens.known('token', NOW - 1), principal)
})

t.test('a token without an end is recalled for recheck seconds, and known from then on', async (t) => {
  const tokens = createRememberedTokens<{ grantId: null, expiresAt: null }>({ max: 10, recheck: 5 })
  tokens.begin()('token', { grantId: null, expiresAt: null }, NOW)

  t.ok(tokens.recall('token', NOW + 4))
  t.equal(tokens.recall('token', NOW + 5), undefined)
  t.ok(tokens.known('token', NOW + 1_000_000))
})

t.test('without recheck seconds nothing is recalled, but it is known', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 0 })
  tokens.begin()('token', principal, NOW)

  t.equal(tokens.recall('token', NOW), undefined)
  t.equal(tokens.known('token', NOW), principal)
  t.equal(tokens.known('another token', NOW), undefined)
})

t.test('forgetting a grant drops all its tokens, young and old, and no others', async (t) => {
  const tokens = createRememberedTokens({ max: 6, recheck: 5 })
  tokens.begin()('old', principal, NOW)
  tokens.begin()('of another grant', principalOf('h'), NOW)
  tokens.begin()('filler', principalOf('h'), NOW)
  tokens.begin()('young', principal, NOW)
  tokens.forget('g')

  t.equal(tokens.known('old', NOW), undefined)
  t.equal(tokens.known('young', NOW), undefined)
  t.ok(tokens.known('of another grant', NOW))
})

t.test('what was looked up before a revocation is not remembered', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  const remember = tokens.begin()
  tokens.forget('g')

  t.equal(remember('token', principal, NOW), false)
  t.equal(tokens.known('token', NOW), undefined)
})

t.test('at most max are remembered; those in use stay', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  for (let i = 0; i < 100; i += 1) {
    tokens.begin()(`token ${i}`, principal, NOW)
    tokens.recall('token 0', NOW)
  }

  const kept = Array.from({ length: 100 }, (_, i) => `token ${i}`).filter((token) => tokens.known(token, NOW))
  t.ok(kept.length <= 10, `${kept.length} are kept`)
  t.ok(kept.includes('token 0'))
  t.ok(kept.includes('token 99'))
})

t.test('remembering a token again takes no further room', async (t) => {
  const tokens = createRememberedTokens({ max: 4, recheck: 5 })
  tokens.begin()('one', principal, NOW)
  for (let i = 0; i < 10; i += 1) tokens.begin()('two', principal, NOW + i)

  t.ok(tokens.known('one', NOW))
  t.ok(tokens.recall('two', NOW + 13))
})

t.test('with no room nothing is remembered, and nobody is told to look again', async (t) => {
  const tokens = createRememberedTokens({ max: 0, recheck: 5 })

  t.equal(tokens.begin()('token', principal, NOW), true)
  t.equal(tokens.known('token', NOW), undefined)
})
