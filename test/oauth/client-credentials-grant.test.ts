import { decodeJwt } from 'jose'
import t from 'tap'
import { answerTokenRequest } from '../../lib/oauth/token-endpoint.js'
import { TokenRefusal } from '../../lib/oauth/token-refusal.js'
import { createOwnTokenVerifier } from '../../lib/tokens/own-token-verifier.js'
import type { StaticClient } from '../../types/oauth.js'
import { buildContext, DIRECT, formOf, ISSUER, openFamily, postToken, RESOURCE, START } from '../helpers/token-context.js'

const secret = 'a-secret-of-thirty-two-characters-or-more'
const JOB = { client_id: 'job', client_secret: secret, grant_type: 'client_credentials' }
const statics: StaticClient[] = [{
  clientId: 'job', secret, tokenEndpointAuthMethod: 'client_secret_post', grantTypes: ['client_credentials'], scope: 'notes:write'
}, {
  clientId: 'desk', redirectUris: ['https://desk.example/callback'], secret, tokenEndpointAuthMethod: 'client_secret_post'
}, {
  clientId: 'stale', secret, tokenEndpointAuthMethod: 'client_secret_post', grantTypes: ['client_credentials'], scope: 'gone'
}]
const context = buildContext({ statics })

const refusals: Readonly<Record<string, readonly [Readonly<Record<string, string>>, string]>> = {
  'no secret': [{ client_secret: '' }, 'invalid_client'],
  'a wrong secret': [{ client_secret: secret.replace('a', 'b') }, 'invalid_client'],
  'a client that did not register it': [{ client_id: 'desk' }, 'unauthorized_client'],
  'a scope beyond what the operator gave': [{ scope: 'notes:admin' }, 'invalid_scope'],
  'a scope that does not exist': [{ scope: 'constructor' }, 'invalid_scope'],
  'a malformed scope': [{ scope: 'notes:read  notes:write' }, 'invalid_scope'],
  'a client whose scope exists no longer': [{ client_id: 'stale' }, 'invalid_scope'],
  'another resource': [{ resource: 'https://other.example/mcp' }, 'invalid_target'],
  'a resource that is no URL': [{ resource: 'mcp' }, 'invalid_target']
}

for (const [name, [changes, code]] of Object.entries(refusals)) {
  t.test(`${name} is refused as ${code}`, async (t) => {
    await t.rejects(postToken(context, { ...JOB, ...changes }), { name: 'OAuthError', code })
  })
}

for (const [name, origin] of [['registered itself', 'dynamic'], ['brings a document', 'document']] as const) {
  t.test(`a client that ${name} gets no token of its own, whatever it managed to register`, async (t) => {
    const held = await context.clients.find('job', START)
    if (held === null) throw new Error('the client is gone')
    const clients = { ...context.clients, find: async () => ({ ...held, origin }) }

    await t.rejects(postToken({ ...context, clients }, JOB), { code: 'unauthorized_client' })
  })
}

t.test('a public client gets no token of its own, even one of the operator\'s', async (t) => {
  const held = await context.clients.find('job', START)
  if (held === null) throw new Error('the client is gone')
  const clients = { ...context.clients, find: async () => ({ ...held, secretDigests: [], authenticationMethods: ['none'] as const }) }

  await t.rejects(postToken({ ...context, clients }, { ...JOB, client_secret: '' }), { code: 'unauthorized_client' })
})

t.test('a client gets all that the operator gave it when it asks for nothing, and no refresh token', async (t) => {
  const { tokens, event, leniencies } = await postToken(context, JOB)

  t.match(tokens, { token_type: 'Bearer', expires_in: 900, scope: 'notes:write' })
  t.notOk('refresh_token' in tokens)
  t.strictSame(leniencies, ['missingResource'])
  t.match(event, {
    type: 'token.issued',
    operation: 'client_credentials',
    clientId: 'job',
    subject: null,
    resource: RESOURCE,
    scopesAsked: [],
    scopesGranted: ['notes:write']
  })
})

t.test('it gets what it asks for where the operator\'s scope implies it, and nothing beyond', async (t) => {
  const { tokens } = await postToken(context, { ...JOB, scope: 'notes:read notes:admin', resource: RESOURCE })

  t.equal(tokens.scope, 'notes:read')
})

t.test('the token is the client\'s own, and never a user\'s of the same name', async (t) => {
  const { tokens: { access_token: own } } = await postToken(context, JOB)
  const { accessToken } = await openFamily(context, { subject: 'job' })
  const { secrets, keyring, grants } = context
  const verifier = createOwnTokenVerifier({
    secrets, keyring, issuer: ISSUER, resource: RESOURCE, tenant: 'default', findGrant: grants.find, remembered: 0, recheck: 0
  })

  t.match(decodeJwt(own), { sub: 'job', client_id: 'job', sub_type: 'client', aud: RESOURCE })
  t.match(await verifier.verify(own, START), { subject: null, clientId: 'job', authenticatedAt: null })
  t.match(await verifier.verify(accessToken, START), { subject: 'job' })
})

t.test('ending the grants of a user spares those of a client of that name', async (t) => {
  const context = buildContext({ statics })
  const { event: { grantId } } = await postToken(context, JOB)

  t.equal(await context.grants.revokeSubject('job', START), 0)
  t.equal(await context.grants.isLive(grantId ?? '', START), true)
  t.equal(await context.grants.revokeClient('job', START), 1)
  t.equal(await context.grants.isLive(grantId ?? '', START), false)
})

t.test('the grant behind a token ends with it', async (t) => {
  const { event: { grantId } } = await postToken(context, JOB)

  t.equal(await context.grants.isLive(grantId ?? '', START + 899), true)
  t.equal(await context.grants.isLive(grantId ?? '', START + 900), false)
})

t.test('an opaque token is good as well', async (t) => {
  const context = buildContext({ statics, accessTokenFormat: 'opaque' })
  const { tokens, event: { grantId } } = await postToken(context, JOB)
  const grant = await context.grants.find(grantId ?? '', START)

  t.match(tokens.access_token, /^mcps_at_/)
  t.equal(grant?.accessTokens?.length, 1)
})

t.test('a request without resource is refused where the leniency for it is off', async (t) => {
  const strict = buildContext({ statics, direct: { ...DIRECT, missingResource: false } })

  await t.rejects(postToken(strict, JOB), { code: 'invalid_target' })
  t.equal((await postToken(strict, { ...JOB, resource: RESOURCE })).status, 200)
})

t.test('a refusal tells the audit who asked and for what', async (t) => {
  const form = formOf({ ...JOB, scope: 'notes:admin' })
  const request = { form, authorization: undefined, proofs: [], certificate: null }
  const error: unknown = await answerTokenRequest(request, context, START)
    .catch((error) => error)

  t.type(error, TokenRefusal)
  t.match(error, { events: [{ type: 'token.refused', clientId: 'job', scopesAsked: ['notes:admin'], operation: 'client_credentials' }] })
})
