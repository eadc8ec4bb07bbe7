import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import type { ComponentRule } from '../../types/access.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { bearer, call, guardOptions, TOKENS, verifierOf } from '../helpers/guard.js'

// A broad rule beside a narrow one, and a handler that finds what it serves as programs do: many spellings, one thing.

const components: readonly ComponentRule[] = [
  { resourceTemplate: 'file:///{+path}', scopes: ['notes:read'] },
  { resource: 'file:///srv/keys', scopes: ['admin'] },
  { resourceTemplate: 'file:///srv/private/{+path}', scopes: ['admin'] }
]

/** A guarded app that writes down which files it would have opened. */
async function fileServer (t: Teardown) {
  const opened: string[] = []
  const app = buildApp(t)
  await app.register(scopeGuard, guardOptions({ components, verifier: verifierOf(TOKENS) }))
  app.post<{ Body: { params: { uri: string } } }>('/mcp', async ({ body }) => {
    opened.push(resolve(fileURLToPath(body.params.uri)))
    return { jsonrpc: '2.0', id: 1, result: { contents: [] } }
  })
  const read = async (token: string, uri: string) =>
    (await app.inject({ method: 'POST', url: '/mcp', headers: bearer(token), payload: call('resources/read', { uri }) })).statusCode
  return { app, opened, read }
}

const SPELLINGS = [
  'file:///srv/keys', 'file:////srv/keys', 'file:///srv//keys', 'file:///srv/keys/', 'file:///srv/keys//', 'file:///srv/keys?x',
  'file:///srv/keys#x', 'file:///srv/keys?', 'file:///srv/keys/?x', 'file:///srv//private/a', 'file:////srv/private//a', 'file:///srv/private/a?x',
  'file:///srv///private/a/b#x'
]

for (const uri of SPELLINGS) {
  t.test(`${uri} is not a way around the rule for the file that it names`, async (t) => {
    const { opened, read } = await fileServer(t)

    t.equal(await read('reader', uri), 403)
    t.strictSame(opened, [])
    t.equal(await read('admin', uri), 200)
    t.match(opened[0], /^\/srv\/(?:keys|private\/a)/)
  })
}

t.test('what no narrower rule is for stays open', async (t) => {
  const { read } = await fileServer(t)

  for (const uri of ['file:///srv/open', 'file:///srv//open?x', 'file:///srv/private', 'file:///srv/keys2', 'file:///srv/keys/a']) {
    t.equal(await read('reader', uri), 200, uri)
  }
})

t.test('a batch of a hundred thousand subscriptions is refused before any of them is decided', async (t) => {
  const { app, opened } = await fileServer(t)
  const resourceSubscriptions = Array.from({ length: 1000 }, () => 'file:///')
  const payload = Array.from({ length: 70 }, () => call('subscriptions/listen', { notifications: { resourceSubscriptions } }))

  const response = await app.inject({ method: 'POST', url: '/mcp', headers: bearer('reader'), payload })

  t.equal(response.statusCode, 400)
  t.match(response.json(), { error: { code: -32600 } })
  t.strictSame(opened, [])
})
