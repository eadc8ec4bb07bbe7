import { decodeJwt } from 'jose'
import t from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { issueTokens } from '../../lib/oauth/token-answer.js'
import { targetOf } from '../../lib/oauth/resources.js'
import { buildContext, openFamily, RESOURCE, START } from '../helpers/token-context.js'

const context = buildContext()
const { grantId } = await openFamily(context)
const grant = await context.grants.find(grantId, START)
if (grant === null) throw new Error('the grant is gone')
const target = { ...targetOf(grant, undefined, context.resources), scopes: ['notes:read'] }
const opaque = { ...target, resource: { ...target.resource, accessTokenFormat: 'opaque' as const } }
const issue = async (input: Omit<Parameters<typeof issueTokens>[0], 'confirmation'>) =>
  await issueTokens({ confirmation: null, ...input })

t.test('the answer is what clients parse: no null, a number of seconds, the scope always', async (t) => {
  const body = JSON.parse((await issue({ grant, target, refreshToken: 'r', context, now: START })).body)

  t.strictSame({ ...body, access_token: 'a' }, {
    access_token: 'a', token_type: 'Bearer', expires_in: 900, scope: 'notes:read', refresh_token: 'r'
  })
  t.match(decodeJwt(body.access_token), { aud: RESOURCE, scope: 'notes:read', exp: START + 900 })
})

t.test('the authorization details of the token are in the answer, and no other of the grant (RFC 9396 §7)', async (t) => {
  const [one, two] = [{ type: 'payment', amount: '1' }, { type: 'payment', amount: '2' }]
  const both = { ...grant, authorizationDetails: [one, two] }
  const detailed = { ...target, authorizationDetails: [one] }
  const answer = await issue({ grant: both, target: detailed, refreshToken: null, context, now: START })
  const body = JSON.parse(answer.body)

  t.strictSame(body.authorization_details, [one])
  t.strictSame(decodeJwt(body.access_token).authorization_details, [one])
})

t.test('without a refresh token there is no such member', async (t) => {
  const body = JSON.parse((await issue({ grant, target, refreshToken: null, context, now: START })).body)

  t.notOk(Object.hasOwn(body, 'refresh_token'))
})

t.test('an access token does not outlive its grant', async (t) => {
  const ending = { ...grant, endsAt: START + 100 }
  const body = JSON.parse((await issue({ grant: ending, target, refreshToken: null, context, now: START })).body)

  t.equal(body.expires_in, 100)
  t.equal(decodeJwt(body.access_token).exp, START + 100)
})

t.test('an opaque token is in the answer, and its digest in the grant that has to be stored', async (t) => {
  const { body, grant: next } = await issue({ grant, target: opaque, refreshToken: null, context, now: START })
  const answer = JSON.parse(body)

  t.match(answer, { access_token: /^mcps_at_/, token_type: 'Bearer', expires_in: 900, scope: 'notes:read' })
  t.match(next.accessTokens, [{ digest: sha256(answer.access_token), scopes: ['notes:read'], expiresAt: START + 900 }])
})

t.test('after a switch to JWTs the opaque tokens of a grant stay good until they expire', async (t) => {
  const first = await issue({ grant, target: opaque, refreshToken: null, context, now: START })
  const issueAt = async (now: number) =>
    (await issue({ grant: first.grant, target, refreshToken: null, context, now })).grant

  t.strictSame((await issueAt(START + 899)).accessTokens, first.grant.accessTokens)
  t.strictSame((await issueAt(START + 900)).accessTokens, [])
})
