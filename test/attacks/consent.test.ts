import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { mcpSecurity } from '../../lib/index.js'
import type { AuditEvent } from '../../types/audit.js'
import type { ComponentRule } from '../../types/access.js'
import type { AccessTokenFormat } from '../../types/oauth.js'
import type { McpSecurityOptions } from '../../types/options.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { stoppedClock, type StoppedClock } from '../helpers/clock.js'
import { json, serveDocuments } from '../helpers/document-server.js'
import { callTool } from '../helpers/guard.js'
import {
  authorizationUrl, authorize, codeFor, COOKIE, decide, oauthApp, OPTIONS, post, redirected, register, RESOURCE,
  STATICS, ticked, VERIFIER, type Answer, type Fields
} from '../helpers/oauth-app.js'

// What a user agreed to, and nothing else: what scopes open later (grant pinning), and what is remembered (mistake 9).

const SCOPE = 'notes:read notes:write'
const COMPONENTS: readonly ComponentRule[] = [
  { tool: 'list', scopes: ['notes:read'] },
  { tool: 'delete', scopes: ['notes:write'], destructive: true }
]
const WIPE: ComponentRule = { tool: 'wipe', scopes: ['notes:write'], destructive: true }

async function start (t: Teardown, more: Partial<McpSecurityOptions> = {}) {
  const app = buildApp(t)
  const clock = stoppedClock()
  const events: AuditEvent[] = []
  const handled: string[] = []
  await app.register(mcpSecurity, {
    ...OPTIONS,
    clients: STATICS,
    components: COMPONENTS,
    clock,
    originGuard: false,
    audit: { log: false, sink: (event) => { events.push(event) } },
    ...more
  })
  app.post<{ Body: { method: string, params: { name?: string } } }>('/mcp', async ({ body: { method, params } }) => {
    handled.push(params.name ?? method)
    const tools = ['list', 'delete', 'wipe'].map((name) => ({ name, inputSchema: { type: 'object' } }))
    return { jsonrpc: '2.0', id: 1, result: method === 'tools/list' ? { tools } : {} }
  })
  await app.ready()

  const send = (token: string, payload: object): Promise<Answer> =>
    app.inject({ method: 'POST', url: '/mcp', headers: { authorization: `Bearer ${token}` }, payload })
  const exchange = async (code: string): Promise<Record<string, string>> =>
    (await post(app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER })).json()

  return {
    app,
    clock,
    events,
    handled,
    exchange,
    async consented (fields: Fields = {}): Promise<Record<string, string>> {
      const page = await authorize(app, { scope: SCOPE, prompt: 'consent', ...fields })
      return await exchange(redirected(await decide(app, [...ticked(page), ['decision', 'allow']])).code ?? '')
    },
    call: (token: string | undefined, tool: string) => send(token ?? '', callTool(tool)),
    async listed (token: string | undefined): Promise<string[]> {
      const answer = await send(token ?? '', { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })
      return answer.json<{ result: { tools: Array<{ name: string }> } }>().result.tools.map(({ name }) => name)
    },
    replace: (...added: ComponentRule[]) => { app.mcpComponents.replace([...COMPONENTS, ...added]) }
  }
}

for (const accessTokenFormat of ['jwt', 'opaque'] as AccessTokenFormat[]) {
  t.test(`a destructive tool that came later is out of reach of a grant, ${accessTokenFormat}, until the user sees it`, async (t) => {
    const { call, listed, consented, replace, handled, events } = await start(t, { accessTokenFormat })
    const { access_token: token } = await consented()
    t.equal((await call(token, 'delete')).statusCode, 200)

    replace(WIPE)

    const refused = await call(token, 'wipe')
    t.equal(refused.statusCode, 403)
    t.match(refused.headers['www-authenticate'], /scope="notes:write notes:read", error="insufficient_scope"/)
    t.match(events.at(-1), { type: 'access.denied', reason: 'not-consented', operation: 'tools/call wipe' })
    t.same(await listed(token), ['list', 'delete'], 'no list shows it')
    t.equal((await call(token, 'delete')).statusCode, 200, 'what was there stays within reach')

    const { access_token: fresh } = await consented()
    t.equal((await call(fresh, 'wipe')).statusCode, 200)
    t.same(await listed(fresh), ['list', 'delete', 'wipe'])
    t.equal((await call(token, 'wipe')).statusCode, 403, 'the new consent is no gift to the old grant')
    t.same(handled.filter((name) => name === 'wipe'), ['wipe'])
  })
}

t.test('a refresh keeps the pin', async (t) => {
  const { app, call, consented, replace } = await start(t)
  const { refresh_token: refreshToken } = await consented()
  replace(WIPE)

  const renewed = await post(app, '/token', { grant_type: 'refresh_token', client_id: 'house', refresh_token: refreshToken })

  t.equal((await call(renewed.json().access_token, 'delete')).statusCode, 200)
  t.equal((await call(renewed.json().access_token, 'wipe')).statusCode, 403)
})

t.test('what becomes destructive later is out of reach too, and what is not destructive never is', async (t) => {
  const { call, consented, replace } = await start(t)
  const { access_token: token } = await consented()
  replace({ tool: 'wipe', scopes: ['notes:write'] })
  t.equal((await call(token, 'wipe')).statusCode, 200)

  replace(WIPE)
  t.equal((await call(token, 'wipe')).statusCode, 403)
})

t.test('what came after the page was shown is not granted by it', async (t) => {
  const { app, call, exchange, replace } = await start(t)
  const page = await authorize(app, { scope: SCOPE })
  replace(WIPE)

  const { code = '' } = redirected(await decide(app, [...ticked(page), ['decision', 'allow']]))

  t.equal((await call((await exchange(code)).access_token, 'wipe')).statusCode, 403)
})

t.test('what only an unticked scope opened is not granted when another scope opens it later', async (t) => {
  const { app, call, exchange } = await start(t)
  const page = await authorize(app, { scope: SCOPE })
  const fields = ticked(page).filter(([name, value]) => name !== 'scope' || value === 'notes:read')
  const { access_token: token } = await exchange(redirected(await decide(app, [...fields, ['decision', 'allow']])).code ?? '')

  app.mcpComponents.replace([{ tool: 'delete', scopes: ['notes:read'], destructive: true }])

  t.equal((await call(token, 'delete')).statusCode, 403)
})

t.test('who asks for a resource that is not known here, too, gets no grant without pins at those that are', async (t) => {
  const elsewhere = 'https://elsewhere.example/mcp'
  const { app, call, replace } = await start(t, { resources: [{ resource: elsewhere }] })
  const url = `${authorizationUrl({ scope: SCOPE })}&resource=${encodeURIComponent(elsewhere)}`
  const page = await app.inject({ url, headers: { cookie: COOKIE, 'x-user': 'alice' } })
  const { code } = redirected(await decide(app, [...ticked(page), ['decision', 'allow']]))
  const fields = { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER, resource: RESOURCE }
  const { access_token: token } = (await post(app, '/token', fields)).json<Record<string, string>>()
  t.equal((await call(token, 'delete')).statusCode, 200)

  replace(WIPE)

  t.equal((await call(token, 'wipe')).statusCode, 403)
})

t.test('a batch with one tool out of reach does nothing', async (t) => {
  const { app, consented, replace, handled } = await start(t)
  const { access_token: token } = await consented()
  replace(WIPE)

  const answer = await app.inject({
    method: 'POST',
    url: '/mcp',
    headers: { authorization: `Bearer ${token}` },
    payload: [callTool('list', 1), callTool('wipe', 2)]
  })

  t.equal(answer.statusCode, 403)
  t.strictSame(handled, [])
})

t.test('with hideDenied a tool out of reach is one that does not exist', async (t) => {
  const { call, consented, replace } = await start(t, { hideDenied: true })
  const { access_token: token } = await consented()
  replace(WIPE)

  const hidden = await call(token, 'wipe')
  const unknown = await call(token, 'nothing')

  t.equal(hidden.body, unknown.body)
  t.equal(hidden.headers['www-authenticate'], undefined)
})

const isPage = (answer: Answer): boolean => answer.statusCode === 200 && ticked(answer).some(([name]) => name === 'transaction')

t.test('what is remembered of one client is nothing for another, for another user or another place (mistake 9)', async (t) => {
  const { app, consented } = await start(t)
  await consented()
  t.ok(redirected(await authorize(app, { scope: SCOPE })).code)

  t.ok(isPage(await authorize(app, { scope: SCOPE, client_id: 'reader' })))
  t.ok(isPage(await authorize(app, { scope: SCOPE }, 'mallory')))
  t.equal((await authorize(app, { scope: SCOPE, redirect_uri: 'https://evil.example/cb' })).statusCode, 400)
})

t.test('a client that registers with the name and address of another is asked about (mistake 9)', async (t) => {
  const { app } = await start(t)
  const metadata = { client_name: 'House client', redirect_uris: ['https://house.example/cb?from=as'] }
  const [one, two] = [await register(app, metadata), await register(app, { ...metadata, client_uri: 'https://x.example' })]
  await codeFor(app, { client_id: one })
  t.ok(redirected(await authorize(app, { client_id: one })).code)

  t.ok(isPage(await authorize(app, { client_id: two })))
  t.ok(isPage(await authorize(app, { client_id: 'house' })))
})

t.test('a program on the user\'s machine is asked about each time (AS-A17)', async (t) => {
  const { app } = await start(t)
  const clientId = await register(app)
  await codeFor(app, { client_id: clientId })

  t.ok(isPage(await authorize(app, { client_id: clientId })))
  const silent = await authorize(app, { client_id: clientId, prompt: 'none' })
  t.equal(silent.statusCode, 400, 'and is told nothing without a click')
  t.notOk('location' in silent.headers)
})

t.test('nobody gets a code without being signed in, whatever is remembered', async (t) => {
  const { app, consented } = await start(t)
  await consented()

  const nobody = await app.inject(authorizationUrl({ scope: SCOPE }))
  t.equal(nobody.statusCode, 401)
  t.match(redirected(await app.inject(authorizationUrl({ scope: SCOPE, prompt: 'none' }))), { error: 'login_required' })
})

t.test('what comes later under an old scope is asked for, although the scope is remembered', async (t) => {
  const { app, call, consented, replace } = await start(t)
  const { access_token: token } = await consented()
  replace(WIPE)
  t.equal((await call(token, 'wipe')).statusCode, 403)

  t.ok(isPage(await authorize(app, { scope: SCOPE })), 'the step-up leads to the page')
  const { access_token: fresh } = await consented({ prompt: undefined })

  t.equal((await call(fresh, 'wipe')).statusCode, 200)
  t.ok(redirected(await authorize(app, { scope: SCOPE })).code, 'and that is remembered')
})

interface Ending {
  readonly app: FastifyInstance
  readonly clock: StoppedClock
  readonly tokens: Record<string, string>
}

const endings: Record<string, (ending: Ending) => Promise<unknown>> = {
  'the client revoked its token': ({ app, tokens }) => post(app, '/revoke', { client_id: 'house', token: tokens.refresh_token }),
  'a refresh token came back that was used before': async ({ app, clock, tokens: { refresh_token: token } }) => {
    const use = () => post(app, '/token', { grant_type: 'refresh_token', client_id: 'house', refresh_token: token })
    await use()
    clock.advance(31)
    await use()
  },
  'the user was revoked': ({ app, clock }) => app.pkceStore.grants.revokeSubject('alice', clock()),
  'the user withdrew it': ({ app, clock }) => app.pkceStore.grants.withdraw({ subject: 'alice', clientId: 'house' }, clock()),
  'the client was revoked': ({ app, clock }) => app.pkceStore.grants.revokeClient('house', clock())
}

for (const [what, end] of Object.entries(endings)) {
  t.test(`after ${what} the token is dead and the user is asked again`, async (t) => {
    const { app, clock, call, consented } = await start(t)
    const tokens = await consented()

    await end({ app, clock, tokens })

    t.equal((await call(tokens.access_token, 'list')).statusCode, 401)
    t.ok(isPage(await authorize(app, { scope: SCOPE })))
  })
}

t.test('an answer to a page from another site, without its token, or by somebody else, is remembered by nobody (mistake 9)', async (t) => {
  const { app } = await start(t)
  const fields: Array<[string, string]> = [...ticked(await authorize(app, { scope: SCOPE })), ['decision', 'allow']]

  t.equal((await decide(app, fields, { origin: 'https://evil.example' })).statusCode, 403)
  t.equal((await decide(app, fields.filter(([name]) => name !== 'csrf'))).statusCode, 403)
  t.equal((await decide(app, fields, { 'x-user': 'mallory' })).statusCode, 403)

  t.ok(isPage(await authorize(app, { scope: SCOPE })))
  t.ok(isPage(await authorize(app, { scope: SCOPE }, 'mallory')))
})

t.test('who said yes to a payment has not said yes to a second one, nor to what the page could not show', async (t) => {
  const schema = Type.Object({ to: Type.String() }, { additionalProperties: false })
  const payment = { schema, describe: ({ to }: Readonly<Record<string, unknown>>) => `Pay ${String(to)} 10 EUR once` }
  const { app } = await start(t, { authorizationDetails: { payment } })
  const asked = (to: string): Fields => ({ authorization_details: JSON.stringify([{ type: 'payment', to }]) })
  await codeFor(app, asked('Bob'))

  t.ok(isPage(await authorize(app, asked('Bob'))))
  t.match(redirected(await authorize(app, { ...asked('Bob'), prompt: 'none' })), { error: 'consent_required' })
  t.match(redirected(await authorize(app, asked('x'.repeat(290)))), { error: 'invalid_authorization_details' })
})

t.test('a page that was open while the document of its client came to name another place gives nothing away', async (t) => {
  const { options: { agent }, url, answer } = await serveDocuments(t, json({}), 'localhost')
  const { app, clock } = await oauthApp(t, { routes: { clientDocuments: { agent, loopback: true } } })
  const clientId = url().href
  const names = (place: string): void => {
    answer(json({ client_id: clientId, client_name: 'Some client', redirect_uris: [place] }, { 'cache-control': 'no-store' }))
  }
  names('https://lost.example/cb')
  const page = await authorize(app, { client_id: clientId })
  t.ok(isPage(page))

  names('https://new.example/cb')
  clock.advance(301)
  t.ok(isPage(await authorize(app, { client_id: clientId }, 'bob')))

  t.match(await decide(app, [...ticked(page), ['decision', 'allow']]), { statusCode: 400, headers: { location: undefined } })
})

t.test('a client that did not register the code flow asks nobody for a consent (AS-A11)', async (t) => {
  const { app } = await start(t, { deviceAuthorization: true })
  const metadata = { grant_types: ['urn:ietf:params:oauth:grant-type:device_code'], redirect_uris: ['https://c.example/cb'] }
  const answer = await authorize(app, { client_id: await register(app, metadata) })

  t.match(answer, { statusCode: 400, body: /the client did not register this grant type/ })
  t.notOk(isPage(answer))
})

t.test('what is remembered does not stand in for the sign-in that a client asks for (AS-A16)', async (t) => {
  const clock = stoppedClock()
  const since = clock() - 100
  const { app } = await start(t, { clock, signIn: () => ({ subject: 'alice', authenticatedAt: since, acr: 'weak' }) })
  await codeFor(app)
  t.ok(redirected(await authorize(app)).code, 'it is remembered')

  for (const wish of [{ prompt: 'login' }, { max_age: '99' }, { max_age: '0' }, { acr_values: 'strong' }] as Fields[]) {
    let answer = await authorize(app, wish)
    if (String(answer.headers.location).startsWith('/authorize?')) {
      answer = await app.inject({ url: String(answer.headers.location), headers: { cookie: COOKIE } })
    }
    t.match(redirected(answer), { error: 'unmet_authentication_requirements', code: undefined })
    if ('prompt' in wish) continue
    t.match(redirected(await authorize(app, { ...wish, prompt: 'none' })), { error: 'login_required', code: undefined })
  }
  const late = await authorize(app, { max_age: '101' })
  t.ok(redirected(await app.inject({ url: String(late.headers.location), headers: { cookie: COOKIE } })).code)
})
