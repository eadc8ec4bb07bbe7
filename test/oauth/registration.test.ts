import t from 'tap'
import { registerClient, type RegistrationContext } from '../../lib/oauth/registration.js'
import { resolveLeniencies } from '../../lib/protocol/leniencies.js'
import { buildContext, REDIRECT, START } from '../helpers/token-context.js'

const leniencies = resolveLeniencies()
const strict = { leniencies: resolveLeniencies({}, true) }
const minimal = { redirect_uris: [REDIRECT] }

async function register (input: unknown, options: Partial<RegistrationContext> = {}) {
  const { clients } = buildContext()
  const answer = await registerClient({ said: input }, { clients, schemes: [], leniencies, ...options }, START)
  const body: Record<string, unknown> = JSON.parse(answer.body)
  return { ...answer, body, stored: await clients.find(String(body.client_id), START) }
}

const refusals: Readonly<Record<string, readonly [unknown, string]>> = {
  'no object': [null, 'invalid_client_metadata'],
  'a list': [[], 'invalid_client_metadata'],
  'no redirect URI': [{}, 'invalid_redirect_uri'],
  'a script redirect URI': [{ redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
  'a private-use scheme that is not listed': [{ redirect_uris: ['cursor://x'] }, 'invalid_redirect_uri'],
  'no code grant': [{ ...minimal, grant_types: ['refresh_token'] }, 'invalid_client_metadata'],
  'an unknown method': [{ ...minimal, token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata']
}

for (const [name, [input, code]] of Object.entries(refusals)) {
  t.test(`a registration with ${name} is refused as ${code} and stores nothing`, async (t) => {
    const { clients, records } = buildContext()

    await t.rejects(registerClient({ said: input }, { clients, schemes: [], leniencies }, START), { name: 'OAuthError', code })
    t.same((await records.list({ tenant: 'default', kind: 'client', limit: 10 }, START)).records, [])
  })
}

t.test('a public client gets exactly the stored metadata and no secret', async (t) => {
  const { body, stored, event } = await register({
    ...minimal, token_endpoint_auth_method: 'none', client_name: 'Notes', scope: '', logo_uri: '', unknown_member: 1
  })

  t.strictSame(body, { client_id: stored?.clientId, client_id_issued_at: START, ...stored?.metadata })
  t.match(body, { ...minimal, token_endpoint_auth_method: 'none', client_name: 'Notes' })
  t.notOk(Object.values(body).some((value) => value === null || value === ''))
  t.same(event, { type: 'client.registered', reason: 'kept', clientId: stored?.clientId })
})

t.test('a confidential client gets its secret, which does not expire', async (t) => {
  const { body, stored } = await register({ ...minimal, token_endpoint_auth_method: 'client_secret_post' })

  t.match(body, { client_secret: /^[\w-]{43}$/, client_secret_expires_at: 0 })
  t.same(stored?.authenticationMethods, ['client_secret_post'])
})

t.test('a client that names no method may use either; one that names Basic is held to it', async (t) => {
  const either = ['client_secret_basic', 'client_secret_post']

  t.same((await register(minimal)).stored?.authenticationMethods, either)
  t.same((await register({ ...minimal, token_endpoint_auth_method: null })).stored?.authenticationMethods, either)
  const named = await register({ ...minimal, token_endpoint_auth_method: 'client_secret_basic' })
  t.same(named.stored?.authenticationMethods, ['client_secret_basic'])
})

t.test('in strict mode a client that names no method uses Basic, which is what that means', async (t) => {
  const { stored, leniencies: used } = await register({ redirect_uris: ['https://c.example/cb'] }, strict)

  t.same([stored?.authenticationMethods, used], [['client_secret_basic'], []])
})

t.test('a registration says which leniencies it needed', async (t) => {
  const web = ['https://c.example/cb']
  const usedBy = async (input: unknown) => (await register(input)).leniencies

  t.same(await usedBy(minimal), ['eitherSecretMethod', 'loopbackWebClient'])
  t.same(await usedBy({ redirect_uris: web }), ['eitherSecretMethod'])
  t.same(await usedBy({ ...minimal, token_endpoint_auth_method: 'none' }), ['loopbackWebClient'])
  t.same(await usedBy({ ...minimal, token_endpoint_auth_method: 'none', application_type: 'native' }), [])
  t.same(await usedBy({ redirect_uris: web, token_endpoint_auth_method: 'client_secret_basic' }), [])
})

t.test('a method in the prototype of the input is not a method that was named', async (t) => {
  const { stored } = await register(JSON.parse(`{"redirect_uris":["${REDIRECT}"],"__proto__":{"token_endpoint_auth_method":"none"}}`))

  t.equal(stored?.metadata.token_endpoint_auth_method, 'client_secret_basic')
})

t.test('a private-use scheme that the operator listed may be registered', async (t) => {
  const { body } = await register({ redirect_uris: ['cursor://callback'] }, { schemes: ['cursor'] })

  t.same(body.redirect_uris, ['cursor://callback'])
})

t.test('in strict mode a web application must not be on loopback', async (t) => {
  await t.rejects(register({ ...minimal, application_type: 'web' }, strict), { code: 'invalid_redirect_uri' })
  await t.resolves(register({ ...minimal, application_type: 'native' }, strict))
})
