import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { authenticateClient } from '../../lib/oauth/client-authentication.js'
import { sha256 } from '../../lib/crypto/digest.js'
import type { ClientRequest } from '../../lib/oauth/client-request.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { assertionClient } from '../helpers/assertion-client.js'
import { makeCertificate } from '../helpers/certificates.js'
import { addClient, buildContext, formOf, ISSUER, REDIRECT, START } from '../helpers/token-context.js'

const SECRET = 's3cret'.repeat(8)
const context = buildContext({
  statics: [
    { clientId: 'public', redirectUris: [REDIRECT] },
    { clientId: 'basic', redirectUris: [REDIRECT], secret: SECRET },
    { clientId: 'post', redirectUris: [REDIRECT], secret: SECRET, tokenEndpointAuthMethod: 'client_secret_post' }
  ]
})

interface Attempt {
  readonly form?: Readonly<Record<string, string>>
  readonly basic?: readonly [string, string]
  readonly authorization?: string
}

function basicOf ([id, secret]: readonly [string, string]): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}

function authenticate ({ form = {}, basic, authorization }: Attempt, own = context, now = START) {
  const header = basic === undefined ? authorization : basicOf(basic)
  return authenticateClient({ authorization: header, form: formOf(form), proofs: [], certificate: null }, own, now)
}

const refusals: Readonly<Record<string, readonly [Attempt, string]>> = {
  'no client at all': [{}, 'invalid_client'],
  'an unknown client': [{ form: { client_id: 'nobody' } }, 'invalid_client'],
  'an unknown client with a secret': [{ basic: ['nobody', SECRET] }, 'invalid_client'],
  'a wrong secret by Basic': [{ basic: ['basic', 'wrong'] }, 'invalid_client'],
  'a wrong secret in the body': [{ form: { client_id: 'post', client_secret: 'wrong' } }, 'invalid_client'],
  'an empty secret by Basic': [{ basic: ['basic', ''] }, 'invalid_client'],
  'a prefix of the secret': [{ basic: ['basic', SECRET.slice(0, -1)] }, 'invalid_client'],
  'a confidential client without its secret': [{ form: { client_id: 'basic' } }, 'invalid_client'],
  'a confidential client with an empty secret': [{ form: { client_id: 'post', client_secret: '' } }, 'invalid_client'],
  'a public client with a secret': [{ form: { client_id: 'public', client_secret: SECRET } }, 'invalid_client'],
  'a public client by Basic': [{ basic: ['public', ''] }, 'invalid_client'],
  'a Basic client in the body': [{ form: { client_id: 'basic', client_secret: SECRET } }, 'invalid_client'],
  'a body client by Basic': [{ basic: ['post', SECRET] }, 'invalid_client'],
  'malformed Basic': [{ authorization: 'Basic !!!' }, 'invalid_client'],
  'a bearer token': [{ authorization: 'Bearer abc', form: { client_id: 'public' } }, 'invalid_client'],
  'both ways at once': [{ basic: ['basic', SECRET], form: { client_secret: SECRET } }, 'invalid_request'],
  'two client ids': [{ basic: ['basic', SECRET], form: { client_id: 'post' } }, 'invalid_request']
}

for (const [name, [attempt, code]] of Object.entries(refusals)) {
  t.test(`${name} is refused as ${code}`, async (t) => {
    await t.rejects(authenticate(attempt), { name: 'OAuthError', code })
  })
}

t.test('why a client is refused is told to the audit only', async (t) => {
  const attempts = [{ basic: ['nobody', SECRET] }, { basic: ['basic', 'wrong'] }, { basic: ['post', SECRET] }] as const
  const errors = await Promise.all(attempts.map((attempt) => authenticate(attempt).catch((error) => error)))

  t.equal(new Set(errors.map((error) => JSON.stringify(error))).size, 1)
  t.same(errors.map(({ reason }) => reason), ['unknown client', 'wrong secret', 'wrong authentication method'])
})

t.test('each client authenticates as it registered', async (t) => {
  t.equal((await authenticate({ form: { client_id: 'public' } })).clientId, 'public')
  t.equal((await authenticate({ basic: ['basic', SECRET] })).clientId, 'basic')
  t.equal((await authenticate({ basic: ['basic', SECRET], form: { client_id: 'basic' } })).clientId, 'basic')
  t.equal((await authenticate({ form: { client_id: 'post', client_secret: SECRET } })).clientId, 'post')
})

t.test('a client that named no method may send its secret either way', async (t) => {
  const own = buildContext()
  const { client, secret } = await own.clients.register({
    metadata: {
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      response_types: ['code']
    },
    authenticationMethods: ['client_secret_basic', 'client_secret_post']
  }, START)
  const { clientId } = client

  t.same(await authenticate({ basic: [clientId, secret ?? ''] }, own), client)
  t.same(await authenticate({ form: { client_id: clientId, client_secret: secret ?? '' } }, own), client)
  await t.rejects(authenticate({ form: { client_id: clientId } }, own), { code: 'invalid_client' })
})

t.test('a client that was forgotten is refused as invalid_client, so that it registers again', async (t) => {
  const own = buildContext()
  const { client } = await addClient(own)
  const form = { client_id: client.clientId }

  t.same(await authenticate({ form }, own), client)
  await t.rejects(authenticate({ form }, own, START + 86_400), { code: 'invalid_client' })
})

t.test('each of two secrets is good while one takes the place of the other', async (t) => {
  const [old, next] = ['old'.repeat(11), 'new'.repeat(11)] as const
  const client = {
    ...(await addClient(context, { token_endpoint_auth_method: 'client_secret_post' })).client,
    secretDigests: [sha256(old), sha256(next)]
  }
  const own = { ...context, clients: { ...context.clients, find: async () => client } }
  const show = (secret: string) => authenticate({ form: { client_id: client.clientId, client_secret: secret } }, own)

  t.equal(await show(old), client)
  t.equal(await show(next), client)
  await t.rejects(show(old + next), { code: 'invalid_client' })
})

t.test('no secret is good for a client that has none', async (t) => {
  const { client } = await addClient(context, { token_endpoint_auth_method: 'client_secret_post' })
  const own = { ...context, clients: { ...context.clients, find: async () => ({ ...client, secretDigests: [] }) } }

  await t.rejects(authenticate({ form: { client_id: client.clientId, client_secret: 'any' } }, own), { code: 'invalid_client' })
})

const job = await assertionClient({ clientId: 'job', audience: ISSUER, now: () => START })
const certificate = { x509: new X509Certificate(makeCertificate('named', ['DNS:client.example']).cert), thumbprint: '', isTrusted: true }
const proving = buildContext({
  statics: [
    { clientId: 'job', redirectUris: [REDIRECT], jwks: job.jwks },
    { clientId: 'named', redirectUris: [REDIRECT], tlsClientAuth: { sanDns: 'client.example' } },
    { clientId: 'other', redirectUris: [REDIRECT], tlsClientAuth: { sanDns: 'other.example' } }
  ]
})
const prove = (form: Readonly<Record<string, string>>, more: Partial<ClientRequest> = {}) => authenticateClient(
  { authorization: undefined, proofs: [], certificate: null, form: formOf(form), ...more }, proving, START)

t.test('a client with a key is who signed, named beside it or not', async (t) => {
  t.equal((await prove(job.fields())).clientId, 'job')
  t.equal((await prove({ client_id: 'job', ...job.fields() })).clientId, 'job')
})

t.test('what an assertion lacks is told to the audit, as what it needed leniency for', async (t) => {
  const reported: unknown[] = []
  const report = (event: unknown): void => { reported.push(event) }
  await prove(job.fields({ claims: { aud: `${ISSUER}/` } }), { report })
  await prove(job.fields({ claims: { aud: `${ISSUER}/` } }))

  t.same(reported, [{ type: 'leniency.used', operation: 'assertionAudience', clientId: 'job' }])
  for (const [fields, reason] of [
    [{ client_id: 'named', ...job.fields() }, 'client assertion: of another client'],
    [job.fields({ claims: { exp: START - 60 } }), 'client assertion: expired'],
    [job.fields({ claims: { sub: undefined } }), 'client assertion: no sub'],
    [job.fields({ claims: { sub: 'named', iss: 'named' } }), 'wrong authentication method']
  ] as const) {
    await t.rejects(prove(fields), { code: 'invalid_client', reason })
  }
})

t.test('a client with a certificate is whom it names', async (t) => {
  t.equal((await prove({ client_id: 'named' }, { certificate })).clientId, 'named')
  await t.rejects(prove({ client_id: 'other' }, { certificate }), { code: 'invalid_client', reason: 'client certificate: of somebody else' })
  await t.rejects(prove({ client_id: 'named' }), { code: 'invalid_client', reason: 'client certificate: no certificate' })
  await t.rejects(prove({ client_id: 'named', client_secret: 'x' }, { certificate }), { code: 'invalid_client', reason: 'wrong authentication method' })
})

t.test('keys that cannot be had now are no refusal', async (t) => {
  const down = { ...proving, assertions: { ...proving.assertions, isFirstUse: async () => { throw new StoreUnavailableError('down') } } }
  const request = { authorization: undefined, proofs: [], certificate: null, form: formOf(job.fields()) }

  await t.rejects(authenticateClient(request, down, START), StoreUnavailableError)
})
