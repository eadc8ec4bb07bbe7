import { decodeJwt } from 'jose'
import t from 'tap'
import { jwtBearerGrant } from '../../lib/oauth/jwt-bearer-grant.js'
import { JWT_BEARER } from '../../lib/protocol/grant-types.js'
import { createAssertionVerifier } from '../../lib/tokens/assertions.js'
import type { EnterpriseIssuer } from '../../types/grant-options.js'
import type { StaticClient } from '../../types/oauth.js'
import { assertionSigner } from '../helpers/assertion-issuer.js'
import { buildContext, DIRECT, ISSUER, MODEL, postToken, RESOURCE, START } from '../helpers/token-context.js'

const secret = 'a-secret-of-thirty-two-characters-or-more'
const SECOND = 'https://mcp.example/second'
const idp = await assertionSigner()
const ci = await assertionSigner('https://ci.example')
const confidential = { secret, tokenEndpointAuthMethod: 'client_secret_post', grantTypes: [JWT_BEARER] } as const
const statics: StaticClient[] = [
  { clientId: 'desk', ...confidential },
  { clientId: 'reader', ...confidential, scope: 'notes:read' },
  { clientId: 'open', grantTypes: [JWT_BEARER] },
  { clientId: 'deploy', grantTypes: [JWT_BEARER], scope: 'notes:write' },
  { clientId: 'other-job', grantTypes: [JWT_BEARER], scope: 'notes:read' }
]

function build (enterprise: Partial<EnterpriseIssuer> = {}, rules = DIRECT) {
  const assertions = createAssertionVerifier({
    issuers: [
      { issuer: idp.issuer, jwksUri: idp.jwksUri, fetch: idp.fetch, profile: 'id-jag', ...enterprise },
      {
        issuer: ci.issuer,
        jwksUri: ci.jwksUri,
        fetch: ci.fetch,
        profile: 'workload',
        workloads: [
          { clientId: 'deploy', claims: { sub: 'repo:acme/notes:main', repository_id: '7' } },
          { clientId: 'other-job', claims: { sub: 'repo:acme/other:main' } }
        ]
      }
    ],
    audience: ISSUER
  })
  const further = new Map([[JWT_BEARER, jwtBearerGrant({ rules, assertions })]])
  return buildContext({ statics, furtherResources: [SECOND], further })
}
const context = build()
const second = { resource: SECOND, model: MODEL, defaultScopes: ['notes:read'] }
const several = build({}, { ...DIRECT, resources: [DIRECT.resources[0], second] })

const USERS = {
  aud: ISSUER, sub: 'alice', client_id: 'desk', resource: RESOURCE, scope: 'notes:read notes:write', jti: 'id-1', iat: START, exp: START + 300
}
const idJag = (changes: object = {}) => idp.sign({ ...USERS, ...changes }, { typ: 'oauth-id-jag+jwt' })
const workload = (changes: object = {}) =>
  ci.sign({ aud: ISSUER, sub: 'repo:acme/notes:main', repository_id: '7', iat: START, exp: START + 300, ...changes })

const DESK = { grant_type: JWT_BEARER, client_id: 'desk', client_secret: secret }
const DEPLOY = { grant_type: JWT_BEARER, client_id: 'deploy' }
const post = async (members: Record<string, string>, assertion: Promise<string>, on = context) =>
  await postToken(on, { ...members, assertion: await assertion })

type Case = readonly [Record<string, string>, () => Promise<string>, string, string?]
const refusals: Readonly<Record<string, Case>> = {
  'no assertion': [DESK, async () => '', 'invalid_request'],
  'an assertion that is too long': [DESK, async () => 'x'.repeat(16_385), 'invalid_request'],
  'an ID-JAG and a wrong secret': [{ ...DESK, client_secret: secret.replace('a', 'b') }, idJag, 'invalid_client'],
  'an ID-JAG and no secret': [{ ...DESK, client_secret: '' }, idJag, 'invalid_client'],
  'an ID-JAG from a public client': [{ ...DESK, client_id: 'open', client_secret: '' }, () => idJag({ client_id: 'open' }), 'invalid_client'],
  'an ID-JAG for another client': [DESK, () => idJag({ client_id: 'reader' }), 'invalid_grant'],
  'an ID-JAG for another tenant of ours': [DESK, () => idJag({ aud_tenant: 'acme' }), 'invalid_grant'],
  'an ID-JAG that has ended': [DESK, () => idJag({ exp: START }), 'invalid_grant'],
  'an ID-JAG for a resource of somebody else': [DESK, () => idJag({ resource: 'https://other.example/mcp' }), 'invalid_target'],
  'an ID-JAG whose resource is no text': [DESK, () => idJag({ resource: 7 }), 'invalid_grant'],
  'a request for another resource than the ID-JAG names': [{ ...DESK, resource: 'https://other.example' }, idJag, 'invalid_target'],
  'a scope beyond the ID-JAG': [{ ...DESK, scope: 'notes:admin' }, idJag, 'invalid_scope'],
  'an ID-JAG whose scopes mean nothing here': [DESK, () => idJag({ scope: 'mail' }), 'invalid_scope'],
  'an ID-JAG with an empty scope': [DESK, () => idJag({ scope: '' }), 'invalid_scope'],
  'an ID-JAG that is bound to a key, and no proof of it': [DESK, () => idJag({ cnf: { jkt: 'x'.repeat(43) } }), 'invalid_grant'],
  'an ID-JAG that is bound to something unknown': [DESK, () => idJag({ cnf: { kid: 'x' } }), 'invalid_grant'],
  'an actor without a name': [DESK, () => idJag({ act: {} }), 'invalid_grant'],
  'an actor that is text': [DESK, () => idJag({ act: 'bot' }), 'invalid_grant'],
  'a subject with a line break': [DESK, () => idJag({ sub: 'a\nb' }), 'invalid_grant'],
  'a subject that is too long': [DESK, () => idJag({ sub: 'a'.repeat(255) }), 'invalid_grant'],
  'a workload\'s token of an unknown workload': [DEPLOY, () => workload({ sub: 'repo:acme/notes:other' }), 'invalid_grant'],
  'a workload\'s token that lacks one of the claims': [DEPLOY, () => workload({ repository_id: undefined }), 'invalid_grant'],
  'a workload\'s token whose claim is a number': [DEPLOY, () => workload({ repository_id: 7 }), 'invalid_grant'],
  'a workload that acts as another client': [{ ...DEPLOY, client_id: 'other-job' }, workload, 'invalid_grant'],
  'a workload that acts as a client without workloads': [{ ...DEPLOY, client_id: 'open' }, workload, 'unauthorized_client'],
  'a workload that asks for too much': [{ ...DEPLOY, scope: 'notes:admin' }, workload, 'invalid_scope'],
  'a workload that asks for another resource': [{ ...DEPLOY, resource: 'https://other.example/mcp' }, workload, 'invalid_target']
}

for (const [name, [members, make, code]] of Object.entries(refusals)) {
  t.test(`${name} is refused as ${code}`, async (t) => {
    await t.rejects(post(members, make()), { name: 'OAuthError', code })
  })
}

t.test('an ID-JAG gives its user\'s token to its client, without a refresh token, and says for what', async (t) => {
  const { tokens, event } = await post(DESK, idJag({ auth_time: START - 50, acr: 'urn:mfa', amr: ['pwd', 'otp'] }))

  t.match(tokens, { token_type: 'Bearer', scope: 'notes:read notes:write', resource: RESOURCE })
  t.notOk('refresh_token' in tokens)
  t.match(decodeJwt(tokens.access_token), {
    sub: 'https://idp.example#alice', client_id: 'desk', aud: RESOURCE, auth_time: START - 50, acr: 'urn:mfa', amr: ['pwd', 'otp']
  })
  t.notOk('sub_type' in decodeJwt(tokens.access_token))
  t.match(event, { type: 'token.issued', operation: JWT_BEARER, subject: 'https://idp.example#alice', clientId: 'desk' })
})

t.test('an ID-JAG can be brought again until it ends, since clients do (EX-12)', async (t) => {
  const assertion = idJag()

  t.equal((await post(DESK, assertion)).status, 200)
  t.equal((await post(DESK, assertion)).status, 200)
})

t.test('users of two tenants, and of two issuers, are never one', async (t) => {
  const subjectOf = async (changes: object) => decodeJwt((await post(DESK, idJag(changes))).tokens.access_token).sub
  const subjects = [await subjectOf({}), await subjectOf({ tenant: 'a' }), await subjectOf({ tenant: 'a#b' }), await subjectOf({ sub: 'a#b' })]

  t.equal(new Set(subjects).size, 4)
  t.ok(subjects.every((subject) => subject?.startsWith('https://idp.example')))
})

t.test('the host says who of its users is meant, or that nobody is', async (t) => {
  const user: EnterpriseIssuer['user'] = (claims) => claims.email === 'alice@acme.example' ? 'user-1' : null
  const mapped = build({ user })
  const { tokens } = await post(DESK, idJag({ email: 'alice@acme.example' }), mapped)

  t.equal(decodeJwt(tokens.access_token).sub, 'user-1')
  await t.rejects(post(DESK, idJag({ email: 'bob@acme.example' }), mapped), { code: 'invalid_grant' })
  await t.rejects(post(DESK, idJag(), build({ user: () => '' })), { code: 'invalid_grant' })
  await t.rejects(post(DESK, idJag(), build({ user: () => 'deploy' })), { code: 'invalid_grant', reason: 'user named like a client' })
})

t.test('the scopes are what assertion, operator, client and request have in common', async (t) => {
  const scopeOf = async (members: object, changes: object, enterprise: Partial<EnterpriseIssuer> = {}) =>
    (await post({ ...DESK, ...members }, idJag(changes), build(enterprise))).tokens.scope

  t.equal(await scopeOf({ scope: 'notes:read' }, {}), 'notes:read')
  t.equal(await scopeOf({ scope: 'notes:read notes:admin' }, { scope: 'notes:write' }), 'notes:read')
  t.equal(await scopeOf({}, { scope: 'notes:read notes:admin' }, { scopes: ['notes:write'] }), 'notes:read')
  t.equal(await scopeOf({ client_id: 'reader' }, { client_id: 'reader' }), 'notes:read')
  t.equal(await scopeOf({}, { scope: undefined }), 'notes:read')
  t.equal(await scopeOf({}, { scope: ['notes:write'] }), 'notes:write')
})

t.test('of several resources the request names one, and the assertion has to as well', async (t) => {
  const both = { resource: [RESOURCE, SECOND, 'https://other.example'] }
  const { tokens } = await post({ ...DESK, resource: SECOND }, idJag(both), several)

  t.equal(decodeJwt(tokens.access_token).aud, SECOND)
  t.equal(decodeJwt((await post(DESK, idJag({ resource: SECOND }), several)).tokens.access_token).aud, SECOND)
  await t.rejects(post(DESK, idJag(both), several), { code: 'invalid_target' })
  await t.rejects(post({ ...DESK, resource: SECOND }, idJag(), several), { code: 'invalid_target' })
})

t.test('who acts for the user is told by the token, however many act for each other, up to five', async (t) => {
  const chain = (length: number): object => ({ sub: `bot-${length}`, extra: 'x', ...(length > 1 ? { act: chain(length - 1) } : {}) })
  const { tokens } = await post(DESK, idJag({ act: { iss: idp.issuer, ...chain(2) } }))

  t.strictSame(decodeJwt(tokens.access_token).act, { sub: 'bot-2', iss: idp.issuer, act: { sub: 'bot-1' } })
  t.equal((await post(DESK, idJag({ act: chain(5) }))).status, 200)
  const named = await post(DESK, idJag({ may_act: { sub: 'gateway' } }))
  t.strictSame(decodeJwt(named.tokens.access_token).may_act, { sub: 'gateway' })
  await t.rejects(post(DESK, idJag({ act: chain(6) })), { code: 'invalid_grant' })
})

t.test('an ID-JAG that is bound to a key is good with a proof of that key, and of no other', async (t) => {
  const withKey = (jkt: string) =>
    ({ ...context, readSender: () => ({ confirmation: { jkt }, useProof: async () => {} }) })
  const bound = idJag({ cnf: { jkt: 'k'.repeat(43) } })

  t.equal((await post(DESK, bound, withKey('k'.repeat(43)))).tokens.token_type, 'DPoP')
  await t.rejects(post(DESK, bound, withKey('x'.repeat(43))), { code: 'invalid_grant' })
})

t.test('a workload acts as its client, needs no secret, and is no user', async (t) => {
  const { tokens, leniencies } = await post(DEPLOY, workload())

  t.match(tokens, { scope: 'notes:write', resource: RESOURCE })
  t.notOk('refresh_token' in tokens)
  t.match(decodeJwt(tokens.access_token), { sub: 'deploy', sub_type: 'client', client_id: 'deploy' })
  t.strictSame(leniencies, ['missingResource'])
  t.equal((await post({ ...DEPLOY, scope: 'notes:read', resource: RESOURCE }, workload())).tokens.scope, 'notes:read')
})

t.test('a client that the operator does not answer for is no workload\'s, whatever its id', async (t) => {
  const held = await context.clients.find('deploy', START)
  if (held === null) throw new Error('the client is gone')
  const clients = { ...context.clients, find: async () => ({ ...held, origin: 'dynamic' as const }) }

  await t.rejects(post(DEPLOY, workload(), { ...context, clients }), { code: 'unauthorized_client' })
})

t.test('a refusal tells the audit why, and the client nothing of it', async (t) => {
  const error: unknown = await post(DESK, idJag({ client_id: 'reader' })).catch((error: unknown) => error)

  t.match(error, {
    description: 'the code or token is not valid for this client',
    events: [{ type: 'token.refused', reason: 'assertion: assertion for another client', clientId: 'desk', operation: JWT_BEARER }]
  })
})
