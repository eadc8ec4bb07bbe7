import t from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import {
  claimsOfOpaqueToken, grantIdOfOpaqueToken, isOpaqueToken, issueOpaqueToken, liveTokens, MAX_LIVE_TOKENS
} from '../../lib/tokens/opaque-token.js'
import type { OpaqueAccessToken } from '../../types/oauth.js'
import { buildContext, ISSUER, openFamily, RESOURCE, SECRETS, START } from '../helpers/token-context.js'

const context = buildContext()
const { grantId } = await openFamily(context)
const grant = await context.grants.find(grantId, START)
if (grant === null) throw new Error('the grant is gone')

const issue = (accessTokens?: readonly OpaqueAccessToken[], now = START, lifetime = 900) => issueOpaqueToken({
  secrets: SECRETS,
  issuer: ISSUER,
  grant: { grantId, resource: RESOURCE, ...(accessTokens === undefined ? {} : { accessTokens }) },
  scopes: ['notes:read'],
  confirmation: null,
  expiresAt: now + lifetime,
  now
})

t.test('a token has a prefix for secret scanners, 256 random bits and unreserved characters only (AS-J2)', async (t) => {
  const tokens = Array.from({ length: 100 }, () => issue().token)

  t.equal(new Set(tokens.map((token) => token.slice(30, 73))).size, 100)
  for (const token of tokens) t.match(token, /^mcps_at_[\w-]{22}[\w-]{43}\.[\w-]{43}$/)
  t.ok(isOpaqueToken(issue().token))
  t.notOk(isOpaqueToken('eyJhbGciOiJFUzI1NiJ9.e30.x'))
})

t.test('what is kept is the digest, with scopes and times, and nothing of the token', async (t) => {
  const { token, accessTokens } = issue()

  t.strictSame(accessTokens, [
    { digest: sha256(token), issuer: ISSUER, resource: RESOURCE, scopes: ['notes:read'], issuedAt: START, expiresAt: START + 900 }
  ])
})

t.test('what is dead is dropped when the next one is issued', async (t) => {
  const first = issue(undefined, START, 100)
  const second = issue(first.accessTokens, START + 50, 100)
  const third = issue(second.accessTokens, START + 100, 100)

  t.strictSame(third.accessTokens.map(({ issuedAt }) => issuedAt), [START + 50, START + 100])
  t.strictSame(liveTokens({ accessTokens: third.accessTokens }, START + 200), [])
  t.strictSame(liveTokens({}, START), [])
})

t.test('a client that refreshes very often keeps its newest sixteen tokens', async (t) => {
  const times = Array.from({ length: 40 }, (_, second) => START + second)
  let accessTokens: readonly OpaqueAccessToken[] = []
  for (const now of times) accessTokens = issue(accessTokens, now).accessTokens

  t.equal(MAX_LIVE_TOKENS, 16)
  t.strictSame(accessTokens.map(({ issuedAt }) => issuedAt), times.slice(-16))
})

t.test('the grant of a token is told when we made it, and only then', async (t) => {
  const { token } = issue()
  const others = deriveSecrets(['another secret for tests, of thirty-two characters'])

  t.equal(grantIdOfOpaqueToken(token, SECRETS), grantId)
  t.equal(grantIdOfOpaqueToken(token, others), null)
  const forged = [
    '', token.slice(0, -1), `${token}A`, ` ${token}`, `${token}\n`, token.slice(8), token.toUpperCase(),
    token.replace(grantId, 'A'.repeat(22)), token.replace('.', '')
  ]
  for (const text of forged) t.equal(grantIdOfOpaqueToken(text, SECRETS), null, text)
})

t.test('a refresh token is no access token, although the same grant has it', async (t) => {
  const { refreshToken } = await openFamily(context)

  t.equal(grantIdOfOpaqueToken(refreshToken, SECRETS), null)
  t.equal(grantIdOfOpaqueToken(`mcps_at_${refreshToken.replace('.', '')}`, SECRETS), null)
})

t.test('a token says what its grant holds of it, as a JWT would', async (t) => {
  const { token, accessTokens } = issue()
  const { accessTokens: both } = issue(accessTokens)

  t.strictSame(claimsOfOpaqueToken(token, { ...grant, accessTokens: both }), {
    iss: ISSUER,
    sub: 'alice',
    aud: RESOURCE,
    client_id: grant.clientId,
    scope: 'notes:read',
    iat: START,
    exp: START + 900,
    auth_time: START - 100,
    grant_id: grantId
  })
})

t.test('a token that its grant does not hold, or whose grant is over or has not begun, is refused', async (t) => {
  const { token, accessTokens } = issue()
  const unknown = new InvalidTokenError('not among the tokens of its grant')
  const ended = new InvalidTokenError('the grant has ended')

  const { accessTokens: _none, ...older } = grant
  t.throws(() => claimsOfOpaqueToken(token, grant), unknown)
  t.throws(() => claimsOfOpaqueToken(token, older), unknown)
  t.throws(() => claimsOfOpaqueToken(token, { ...grant, accessTokens: issue().accessTokens }), unknown)
  t.throws(() => claimsOfOpaqueToken(token, null), ended)
  t.throws(() => claimsOfOpaqueToken(token, { ...grant, status: 'approved', accessTokens }), ended)
})

t.test('what a token says besides scopes is kept with it, and said only by it', async (t) => {
  const authorizationDetails = [{ type: 'payment' }]
  const { token, accessTokens } = issueOpaqueToken({
    secrets: SECRETS,
    issuer: ISSUER,
    grant: { grantId, resource: 'https://mcp.example/bills', authorizationDetails },
    scopes: ['notes:read'],
    confirmation: null,
    expiresAt: START + 900,
    now: START
  })

  t.match(claimsOfOpaqueToken(token, { ...grant, accessTokens }),
    { aud: 'https://mcp.example/bills', authorization_details: authorizationDetails })
})
