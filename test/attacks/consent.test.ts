import t from 'tap'
import { mcpSecurity } from '../../lib/index.js'
import type { AuditEvent } from '../../types/audit.js'
import type { ComponentRule } from '../../types/access.js'
import type { AccessTokenFormat } from '../../types/oauth.js'
import type { McpSecurityOptions } from '../../types/options.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { stoppedClock } from '../helpers/clock.js'
import { callTool } from '../helpers/guard.js'
import { authorize, decide, OPTIONS, post, redirected, STATICS, ticked, VERIFIER, type Answer, type Fields } from '../helpers/oauth-app.js'

// What a user agreed to, and nothing else: what scopes open later (grant pinning).

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
