import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import t from 'tap'
import { issueAccessToken, grantIdOfAccessToken } from '../../lib/tokens/access-token.js'
import { signJws } from '../../lib/tokens/jws.js'
import type { AuthorizationDetail } from '../../types/oauth.js'
import { buildContext, ISSUER, RESOURCE, START } from '../helpers/token-context.js'

const { keyring } = buildContext()
const grant = {
  grantId: 'a'.repeat(22),
  clientId: 'a client',
  subject: 'alice',
  resource: RESOURCE,
  authenticatedAt: START - 100,
  acr: null,
  amr: []
}
const input = {
  keyring,
  issuer: ISSUER,
  grant,
  scopes: ['notes:read', 'notes:write'],
  confirmation: null,
  expiresAt: START + 900,
  now: START
}

t.test('jose finds every claim of RFC 9068 in a token, and the type at+jwt', async (t) => {
  const token = await issueAccessToken(input)

  const { payload } = await jwtVerify(token, createLocalJWKSet(JSON.parse(keyring.jwks)), {
    typ: 'at+jwt', issuer: ISSUER, audience: RESOURCE, currentDate: new Date(START * 1000)
  })

  t.match(payload.jti, /^[\w-]{22}$/)
  t.strictSame({ ...payload, jti: undefined }, {
    iss: ISSUER,
    sub: 'alice',
    aud: RESOURCE,
    client_id: 'a client',
    scope: 'notes:read notes:write',
    iat: START,
    exp: START + 900,
    jti: undefined,
    auth_time: START - 100,
    grant_id: grant.grantId
  })
})

t.test('acr and amr are there when the sign-in told them', async (t) => {
  const token = await issueAccessToken({ ...input, grant: { ...grant, acr: 'urn:mfa', amr: ['pwd', 'otp'] } })

  t.match(decodeJwt(token), { acr: 'urn:mfa', amr: ['pwd', 'otp'] })
})

t.test('a token that is the client\'s own says so, and a user\'s never does, whatever the user is called', async (t) => {
  const own = { ...grant, subject: null, authenticatedAt: null }
  const { sub, sub_type: type, auth_time: signedInAt } = decodeJwt(await issueAccessToken({ ...input, grant: own }))

  t.strictSame({ sub, type, signedInAt }, { sub: 'a client', type: 'client', signedInAt: undefined })
  t.notOk('sub_type' in decodeJwt(await issueAccessToken({ ...input, grant: { ...grant, subject: 'a client' } })))
})

t.test('who acts and who may act are told where the grant knows it', async (t) => {
  const actors = { actor: { sub: 'a', act: { sub: 'b' } }, mayAct: { sub: 'c' } }
  const claims = decodeJwt(await issueAccessToken({ ...input, grant: { ...grant, ...actors } }))

  t.strictSame([claims.act, claims.may_act], [actors.actor, actors.mayAct])
})

t.test('what was granted besides scopes is told, and nothing where that is nothing (RFC 9396 §9.1)', async (t) => {
  const claimsWith = async (authorizationDetails: AuthorizationDetail[]) =>
    decodeJwt(await issueAccessToken({ ...input, grant: { ...grant, authorizationDetails } }))
  const details = [{ type: 'payment', amount: '1' }]

  t.strictSame((await claimsWith(details)).authorization_details, details)
  t.notOk('authorization_details' in await claimsWith([]))
})

t.test('no two tokens are the same', async (t) => {
  t.not(await issueAccessToken(input), await issueAccessToken(input))
})

t.test('the grant of a token is found after the token expired', async (t) => {
  t.equal(await grantIdOfAccessToken(await issueAccessToken({ ...input, expiresAt: 1 }), keyring), grant.grantId)
})

t.test('a token that our keys did not sign for access has no grant', async (t) => {
  const token = await issueAccessToken(input)

  t.equal(await grantIdOfAccessToken(`${token.slice(0, -4)}AAAA`, keyring), null)
  t.equal(await grantIdOfAccessToken('garbage', keyring), null)
  t.equal(await grantIdOfAccessToken(await signJws({ key: keyring.current, type: 'JWT', claims: { grant_id: 'x' } }), keyring), null)
})
