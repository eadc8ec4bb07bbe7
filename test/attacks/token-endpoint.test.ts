import t, { type Test } from 'tap'
import { PlainClient, readTokens, type Authorized } from '../helpers/oauth-client.js'
import { startReferenceServer } from '../helpers/reference-server.js'

const SECRET = 'a-secret-of-thirty-two-characters-or-more'
const CALLBACK = 'http://127.0.0.1/callback'
const server = await startReferenceServer(t, {
  configuration: {
    clients: [
      { clientId: 'vault', redirectUris: [CALLBACK], secret: SECRET },
      { clientId: 'poster', redirectUris: [CALLBACK], secret: SECRET, tokenEndpointAuthMethod: 'client_secret_post' },
      { clientId: 'house', redirectUris: [CALLBACK] }
    ]
  }
})
const FORM = 'application/x-www-form-urlencoded'
const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
const text = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString()

const client = new PlainClient(server.origin)
await client.register()

async function post (path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return await fetch(`${server.origin}${path}`, { method: 'POST', body, headers: { 'content-type': FORM, ...headers } })
}

/** What every refusal looks like, and that it tells nothing but its code (AS-T2, mistake 20). */
async function assertRefused (t: Test, response: Response, status: number, error: string, what = error): Promise<void> {
  const body = await response.json() as Record<string, unknown>
  t.equal(response.status, status, what)
  t.equal(body.error, error, what)
  t.strictSame(Object.keys(body), ['error', 'error_description'])
  t.match(response.headers.get('content-type'), 'application/json')
  t.equal(response.headers.get('cache-control'), 'no-store')
}

const codeForm = ({ code, verifier }: Authorized): Record<string, string> =>
  ({ grant_type: 'authorization_code', client_id: client.clientId, code, code_verifier: verifier })

t.test('a stolen code is worth nothing, and trying it takes nothing from its owner (AS-T4 to AS-T7, mistakes 2 and 4)', async (t) => {
  const authorized = await client.authorize()
  const right = codeForm(authorized)
  const [grantId = '', tag = ''] = authorized.code.split('.')
  const { code_verifier: verifier, ...withoutVerifier } = right
  const attacks: ReadonlyArray<readonly [string, string, number, string]> = [
    ['another client', text({ ...right, client_id: 'house' }), 400, 'invalid_grant'],
    ['no client', text({ ...right, client_id: '' }), 401, 'invalid_client'],
    ['no verifier', text(withoutVerifier), 400, 'invalid_request'],
    ['an empty verifier', text({ ...right, code_verifier: '' }), 400, 'invalid_request'],
    ['a verifier of 42 characters', text({ ...right, code_verifier: 'a'.repeat(42) }), 400, 'invalid_grant'],
    ['another verifier', text({ ...right, code_verifier: 'a'.repeat(43) }), 400, 'invalid_grant'],
    ['two verifiers', `${text(right)}&code_verifier=${'a'.repeat(43)}`, 400, 'invalid_request'],
    ['a verifier in a list', `${text(withoutVerifier)}&code_verifier[]=${String(verifier)}`, 400, 'invalid_request'],
    ['the redirect URI without its port', text({ ...right, redirect_uri: CALLBACK }), 400, 'invalid_grant'],
    ['another redirect URI', text({ ...right, redirect_uri: 'https://evil.example/' }), 400, 'invalid_grant'],
    ['another resource', text({ ...right, resource: 'https://evil.example/' }), 400, 'invalid_target'],
    ['a resource below', text({ ...right, resource: `${server.url.href}/x` }), 400, 'invalid_target'],
    ['two resources', `${text({ ...right, resource: server.url.href })}&resource=https://evil.example/`, 400, 'invalid_target'],
    ['another tag', text({ ...right, code: `${grantId}.${'A'.repeat(43)}` }), 400, 'invalid_grant'],
    ['no tag', text({ ...right, code: grantId }), 400, 'invalid_grant'],
    ['more of a tag', text({ ...right, code: `${grantId}.${tag}.${tag}` }), 400, 'invalid_grant'],
    ['the code as refresh token', text({ grant_type: 'refresh_token', client_id: client.clientId, refresh_token: authorized.code }), 400, 'invalid_grant'],
    ['a parameter twice', `${text(right)}&x=1&x=1`, 400, 'invalid_request'],
    ['a byte order mark', `\uFEFF${text(right)}`, 400, 'invalid_request'],
    ['a NUL', text({ ...right, x: '\0' }), 400, 'invalid_request'],
    ['another grant type', text({ ...right, grant_type: 'implicit' }), 400, 'unsupported_grant_type']
  ]
  for (const [what, body, status, error] of attacks) await assertRefused(t, await post('/token', body), status, error, what)
  await assertRefused(t, await post(`/token?${text(right)}`, ''), 401, 'invalid_client', 'all in the query')
  await assertRefused(t, await post('/token', JSON.stringify(right), { 'content-type': 'application/json' }), 415, 'invalid_request')
  await assertRefused(t, await post('/token', text(right), { 'content-type': 'text/plain' }), 415, 'invalid_request')

  const { access_token: token } = await readTokens(await client.exchange(authorized))
  t.match(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()), { aud: server.url.href, client_id: client.clientId })
})

t.test('a client shows who it is in its own way, or is nobody, and no way tells more than another (AS-T3, mistake 21)', async (t) => {
  const form = { grant_type: 'refresh_token', refresh_token: 'x' }
  const nobody: ReadonlyArray<readonly [string, Record<string, string>, string?]> = [
    ['an unknown client', { client_id: 'nobody' }],
    ['no secret', { client_id: 'vault' }],
    ['an empty secret', { client_id: 'vault', client_secret: '' }],
    ['the right secret in the body', { client_id: 'vault', client_secret: SECRET }],
    ['the right secret by Basic', {}, basic('poster', SECRET)],
    ['a secret for a public client', { client_id: 'house', client_secret: SECRET }],
    ['an empty password for a public client', {}, basic('house', '')],
    ['a wrong secret', { client_id: 'poster', client_secret: `${SECRET}x` }],
    ['a wrong secret by Basic', {}, basic('vault', SECRET.slice(1))],
    ['an empty password', {}, basic('vault', '')],
    ['a password with a blank behind', {}, basic('vault', `${SECRET}+`)],
    ['a bad escape', {}, basic('vault', '%3')],
    ['the name of another one', {}, basic('vault%3A', SECRET)],
    ['a prototype', { client_id: '__proto__', client_secret: SECRET }],
    ['no base64', {}, 'Basic vault:secret'],
    ['a bearer token', { client_id: 'house' }, 'Bearer abc'],
    ['an assertion', { client_id: 'house', client_assertion: 'e30.e30.', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }]
  ]
  for (const path of ['/token', '/revoke']) {
    for (const [what, fields, authorization] of nobody) {
      const response = await post(path, text({ ...form, token: 'x', ...fields }), authorization === undefined ? {} : { authorization })
      t.equal(response.headers.get('www-authenticate'), authorization === undefined ? null : 'Basic realm="oauth"', what)
      await assertRefused(t, response, 401, 'invalid_client', what)
    }
    for (const fields of [{ client_id: 'vault', client_secret: SECRET }, { client_id: 'house' }]) {
      const response = await post(path, text({ ...form, token: 'x', ...fields }), { authorization: basic('vault', SECRET) })
      await assertRefused(t, response, 400, 'invalid_request', 'two ways at once')
    }
  }
  await assertRefused(t, await post('/token', text(form), { authorization: basic('vault', SECRET) }), 400, 'invalid_grant')
  await assertRefused(t, await post('/token', text(form), { authorization: basic('%76ault', SECRET) }), 400, 'invalid_grant')
})

t.test('a refresh token is of use to nobody else, and for nothing more (AS-T9, mistake 12)', async (t) => {
  const tokens = await client.signIn({ scope: 'notes:read' })
  const other = await client.signIn()
  const [grantId = '', secret = '', tag = ''] = tokens.refresh_token.split('.')
  const [otherId = ''] = other.refresh_token.split('.')
  const ask = (token: string, fields = {}): Promise<Response> =>
    client.token({ grant_type: 'refresh_token', refresh_token: token, ...fields })
  const forged = [
    `${grantId}.${secret}.${'A'.repeat(43)}`, `${grantId}.${'A'.repeat(43)}.${tag}`, `${otherId}.${secret}.${tag}`,
    `${grantId}.${secret}`, `${tokens.refresh_token}=`, ` ${tokens.refresh_token}`, tokens.refresh_token.toUpperCase(), tokens.access_token
  ]
  for (const token of forged) await assertRefused(t, await ask(token), 400, 'invalid_grant')
  await assertRefused(t, await ask(tokens.refresh_token, { client_id: 'house' }), 400, 'invalid_grant')
  await assertRefused(t, await ask(tokens.refresh_token, { scope: 'notes:read notes:write' }), 400, 'invalid_scope')
  await assertRefused(t, await ask(tokens.refresh_token, { scope: 'a '.repeat(10_000) }), 400, 'invalid_scope')
  await assertRefused(t, await ask(tokens.refresh_token, { resource: 'https://evil.example/' }), 400, 'invalid_target')

  const next = await readTokens(await ask(tokens.refresh_token, { resource: server.url.href.toUpperCase().replace('/MCP', '/mcp') }))
  t.equal(next.scope, 'notes:read')
  await assertRefused(t, await ask(tokens.refresh_token, { scope: 'notes:write' }), 400, 'invalid_scope', 'nor in the window')
  const last = await readTokens(await ask(next.refresh_token))

  await assertRefused(t, await ask(tokens.refresh_token, { scope: 'notes:write' }), 400, 'invalid_grant', 'the alarm comes first')
  await assertRefused(t, await ask(last.refresh_token), 400, 'invalid_grant', 'the family is dead')
  t.equal((await client.callTool(last.access_token, 'whoami')).status, 401)
  t.equal((await ask(other.refresh_token)).status, 200, 'and no other one')
})

t.test('nobody revokes what is another client\'s, nor learns whether it is (AS-V1, mistake 13)', async (t) => {
  const tokens = await client.signIn()
  const revoke = async (fields: Record<string, string>, headers = {}): Promise<string> => {
    const response = await post('/revoke', text(fields), headers)
    return `${response.status} ${response.headers.get('content-type') ?? ''} ${await response.text()}`
  }
  const answers = [
    await revoke({ client_id: 'house', token: tokens.refresh_token }),
    await revoke({ client_id: 'house', token: tokens.access_token, token_type_hint: 'refresh_token' }),
    await revoke({ token: tokens.refresh_token }, { authorization: basic('vault', SECRET) }),
    await revoke({ client_id: client.clientId, token: 'never was' }),
    await revoke({ client_id: client.clientId, token: `${tokens.access_token}x` })
  ]
  t.equal((await client.callTool(tokens.access_token, 'whoami')).status, 200)
  answers.push(await revoke({ client_id: client.clientId, token: tokens.refresh_token, token_type_hint: 'access_token' }))
  answers.push(await revoke({ client_id: client.clientId, token: tokens.refresh_token }))

  t.strictSame(new Set(answers).size, 1)
  t.match(answers[0], /^200 /)
  t.equal((await client.callTool(tokens.access_token, 'whoami')).status, 401)
  await assertRefused(t, await client.refresh(tokens.refresh_token), 400, 'invalid_grant')
})
