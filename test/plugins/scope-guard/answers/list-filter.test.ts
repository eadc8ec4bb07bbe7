import type { FastifyInstance, InjectOptions } from 'fastify'
import t from 'tap'
import { scopeGuard } from '../../../../lib/plugins/scope-guard.js'
import type { ScopeGuardOptions } from '../../../../types/options.js'
import { answeringWith, eventsOf, WRITERS, type Body } from '../../../helpers/answering.js'
import { buildApp, type Teardown } from '../../../helpers/build-app.js'
import { versions } from '../../../helpers/fastify-versions.js'
import { bearer, call, callTool, guardOptions } from '../../../helpers/guard.js'
import { modernCall, modernHeaders } from '../../../helpers/modern.js'

const TOOLS = ['whoami', 'delete', 'search', 'hidden', 'Search', 'search '].map((name) => ({ name, inputSchema: {} }))
const LIST = { jsonrpc: '2.0', id: 1, result: { tools: TOOLS, nextCursor: 'page-2' } }
const UPDATED = (uri: string) => ({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } })

const json = (value: unknown): Body => ({ text: JSON.stringify(value), type: 'application/json' })
const stream = (...messages: readonly unknown[]): Body => ({
  text: messages.map((message, id) => `id: ${id}\ndata: ${JSON.stringify(message)}\n\n`).join(''), type: 'text/event-stream'
})

async function guarded (app: FastifyInstance, body: Body, options: Partial<ScopeGuardOptions> = {}): Promise<void> {
  await app.register(scopeGuard, guardOptions(options))
  const write = WRITERS['writeHead with an object']
  if (write === undefined) throw new Error('no such writer')
  app.route({ method: ['GET', 'POST'], url: '/mcp', handler: answeringWith(write, body) })
}

async function host (t: Teardown, body: Body, options?: Partial<ScopeGuardOptions>): Promise<FastifyInstance> {
  const app = buildApp(t)
  await guarded(app, body, options)
  return app
}

const ask = (token: string, payload: unknown, headers: Readonly<Record<string, string>> = {}): InjectOptions => ({
  method: 'POST',
  url: '/mcp',
  headers: { ...bearer(token), ...headers, 'content-type': 'application/json' },
  payload: JSON.stringify(payload)
})

const listen = (token: string): InjectOptions => ({ method: 'GET', url: '/mcp', headers: bearer(token) })

interface ToolList { readonly result: { readonly tools: ReadonlyArray<{ readonly name: string }> } }

const namesOf = ({ result }: ToolList) => result.tools.map(({ name }) => name)
const messagesOf = (text: string) => eventsOf(text).map(({ data = '' }) => JSON.parse(data))

const LISTED = { reader: ['whoami', 'search'], writer: ['whoami', 'search'], admin: ['whoami', 'delete', 'search'] }

for (const [version, build] of Object.entries(versions)) {
  for (const [token, names] of Object.entries(LISTED)) {
    t.test(`RS-32: ${token} sees exactly the tools that it may call, on ${version}`, async (t) => {
      const app = build(t)
      await guarded(app, json(LIST))

      const response = await app.inject(ask(token, call('tools/list')))

      t.same(namesOf(response.json()), names)
      t.equal(response.json().result.nextCursor, 'page-2')
      t.match(response.headers, { 'cache-control': 'no-store', vary: 'Authorization' })
    })
  }
}

t.test('a list in an event stream is filtered', async (t) => {
  const app = await host(t, stream({ jsonrpc: '2.0', method: 'notifications/progress', params: { tools: ['hidden'] } }, LIST))

  const [progress, list] = messagesOf((await app.inject(ask('reader', call('tools/list')))).body)

  t.same(namesOf(list), LISTED.reader)
  t.same(progress.params, { tools: ['hidden'] })
})

t.test('prompts, resources and templates are filtered by what they are called', async (t) => {
  const result = {
    prompts: [{ name: 'summary' }, { name: 'search' }],
    resources: [{ uri: 'notes://all' }, { uri: 'notes://7' }, { uri: 'notes://x/y' }],
    resourceTemplates: [{ uriTemplate: 'notes://{id}' }, { uriTemplate: 'other://{id}' }]
  }
  const components = [
    { prompt: 'summary', scopes: ['notes:read'] },
    { resource: 'notes://all', scopes: ['notes:write'] },
    { resourceTemplate: 'notes://{id}', scopes: ['notes:read'] }
  ]
  const app = await host(t, json({ jsonrpc: '2.0', id: 1, result }), { components })

  const response = await app.inject(ask('reader', call('resources/list')))

  t.same(response.json().result, {
    prompts: [{ name: 'summary' }], resources: [{ uri: 'notes://7' }], resourceTemplates: [{ uriTemplate: 'notes://{id}' }]
  })
})

t.test('a batch is filtered whatever stands where', async (t) => {
  const app = await host(t, json([{ jsonrpc: '2.0', id: 2, result: { content: [] } }, LIST]))

  const response = await app.inject(ask('reader', [call('tools/list'), callTool('search', 2)]))

  const [called, list] = response.json()
  t.same(namesOf(list), LISTED.reader)
  t.same(called.result, { content: [] })
})

t.test('a list that comes under another id is filtered none the less', async (t) => {
  const app = await host(t, json({ ...LIST, id: '1' }))

  t.same(namesOf((await app.inject(ask('reader', call('tools/list')))).json()), LISTED.reader)
  t.same(namesOf((await app.inject(ask('reader', [call('tools/list'), callTool('search', 2)]))).json()), LISTED.reader)
})

t.test('a list that is replayed on a stream is filtered by its shape', async (t) => {
  const app = await host(t, stream(LIST, { jsonrpc: '2.0', id: 9, result: { content: [] } }))

  const response = await app.inject(listen('reader'))
  const [list, called] = messagesOf(response.body)

  t.same(namesOf(list), LISTED.reader)
  t.same(called.result, { content: [] })
  t.match(response.headers, { 'cache-control': /no-store/, vary: 'Authorization' })
})

t.test('a list that comes as the answer to something else in the same session is filtered', async (t) => {
  const app = buildApp(t)
  await app.register(scopeGuard, guardOptions())
  app.post('/mcp', async (_request, reply) => reply.header('mcp-session-id', 'a').send(LIST))
  const opened = await app.inject(ask('reader', call('initialize')))

  const response = await app.inject(ask('reader', callTool('search'), {
    'mcp-session-id': String(opened.headers['mcp-session-id'])
  }))

  t.same(namesOf(response.json()), LISTED.reader)
})

t.test('an answer to a call outside of a session is not touched', async (t) => {
  const app = await host(t, json(LIST))

  const response = await app.inject(ask('reader', callTool('search')))

  t.equal(response.body, JSON.stringify(LIST))
})

t.test('who may not read a resource is not told that it has changed', async (t) => {
  const app = await host(t, stream(UPDATED('notes://all'), UPDATED('notes://secret'), { ...UPDATED(''), params: {} }))

  const { body } = await app.inject(listen('reader'))

  t.same(messagesOf(body), [UPDATED('notes://all')])
  t.match(body, /\nid: 2[^\n]*\n\n$/)
})

t.test('what a subscription is sent is held against the policy too', async (t) => {
  const app = await host(t, stream(UPDATED('notes://all'), UPDATED('notes://secret')))

  for (const asked of [
    call('subscriptions/listen', { notifications: { resourceSubscriptions: ['notes://all'] } }),
    call('resources/subscribe', { uri: 'notes://all' })
  ]) t.same(messagesOf((await app.inject(ask('reader', asked))).body), [UPDATED('notes://all')])
})

t.test('RS-32: a list of the revision 2026-07-28 is private to its principal', async (t) => {
  const app = await host(t, json({ ...LIST, result: { ...LIST.result, ttlMs: 5, cacheScope: 'public' } }))

  const response = await app.inject(ask('reader', call('tools/list')))

  t.match(response.json().result, { ttlMs: 5, cacheScope: 'private' })
})

t.test('RS-32: a list without a scope for caches is made private in revision 2026-07-28, and only there', async (t) => {
  const app = await host(t, json(LIST))
  const modern = modernCall('tools/list')

  t.equal((await app.inject(ask('reader', modern, modernHeaders(modern)))).json().result.cacheScope, 'private')
  t.notOk('cacheScope' in (await app.inject(ask('reader', call('tools/list')))).json().result)
})

t.test('with reportOnly lists show everything', async (t) => {
  const app = await host(t, json(LIST), { reportOnly: true })

  t.equal((await app.inject(ask('reader', call('tools/list')))).body, JSON.stringify(LIST))
})

for (const late of [false, true]) {
  t.test(`the host's last word counts for lists, ${late ? 'later' : 'at once'}`, async (t) => {
    const asked: unknown[] = []
    const app = await host(t, json(LIST), {
      access: ({ operation }) => {
        asked.push(operation)
        const allowed = operation.type === 'route' || operation.component?.name !== 'search'
        return late ? Promise.resolve(allowed) : allowed
      }
    })

    t.same(namesOf((await app.inject(ask('reader', call('tools/list')))).json()), ['whoami'])
    t.equal(asked.length, 3, 'the request and two components')
  })
}

t.test('a notification about a resource waits for the last word of the host', async (t) => {
  const both = [UPDATED('notes://all'), UPDATED('notes://1')]
  const app = await host(t, stream(...both), {
    components: both.map(({ params: { uri } }) => ({ resource: uri, scopes: ['notes:read'] })),
    access: async ({ operation }) => operation.type === 'route' || operation.component?.name !== 'notes://1'
  })

  t.same(messagesOf((await app.inject(listen('reader'))).body), [UPDATED('notes://all')])
})

t.test('a last word that fails hides the item', async (t) => {
  const app = await host(t, json(LIST), {
    access: ({ operation }) => {
      if (operation.type === 'message' && operation.component !== null) throw new Error('down')
      return true
    }
  })

  t.same(namesOf((await app.inject(ask('reader', call('tools/list')))).json()), [])
})

t.test('a route that is not the MCP endpoint may answer with what it likes', async (t) => {
  const app = await host(t, json(LIST))
  app.get('/tools', async () => LIST)

  t.same((await app.inject({ url: '/tools', headers: bearer('reader') })).json(), LIST)
})
