import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { call, guardOptions, SCOPES } from '../helpers/guard.js'
import { modernCall, modernHeaders } from '../helpers/modern.js'
import { rawExchange } from '../helpers/raw-exchange.js'

const components = [
  { tool: 'read', scopes: ['notes:read'] },
  { tool: 'write', scopes: ['notes:write'] },
  { tool: 'a, b', scopes: ['notes:read'] },
  { tool: 'lesen für alle', scopes: ['notes:read'] },
  { tool: 'deploy', scopes: ['notes:read'], headers: { Region: 'region' } },
  { resource: 'notes://1', scopes: ['notes:read'] },
  { resource: 'notes://2', scopes: ['notes:write'] }
]

/** A guarded server whose handler remembers every request that reaches it, in a router that is set up like this. */
async function startTarget (t: Test, options: FastifyServerOptions = {}) {
  const app = Fastify({ forceCloseConnections: true, ...options })
  t.teardown(async () => { await app.close() })
  const reached: unknown[] = []
  await app.register(scopeGuard, guardOptions({ scopes: SCOPES, components }))
  app.route({
    method: ['GET', 'POST', 'DELETE'], url: '/mcp', handler: async ({ body }) => { reached.push(body ?? null); return {} }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo

  async function send (first: string, lines: readonly string[], body: unknown, token = 'reader'): Promise<number> {
    const head = [`${first} HTTP/1.1`, `Host: 127.0.0.1:${port}`, `Authorization: Bearer ${token}`, ...lines]
    const type = body === undefined ? [] : ['Content-Type: application/json']
    return (await rawExchange(`http://127.0.0.1:${port}`, [...head, ...type], body === undefined ? '' : JSON.stringify(body))).status
  }
  return { reached, send }
}

const VERSION = 'MCP-Protocol-Version: 2026-07-28'
const encode = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`
const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

/** The lines that a conforming client sends, but for what the attacker makes of them. */
const lines = (method: string, name?: string, more: readonly string[] = []): readonly string[] =>
  [VERSION, `Mcp-Method: ${method}`, ...(name === undefined ? [] : [`Mcp-Name: ${name}`]), ...more]

const WRITE = modernCall('tools/call', { name: 'write', arguments: { name: 'read' } })
const READ = modernCall('tools/call', { name: 'read' })
const legacy = (name: string) => call('tools/call', { name })

/** Head lines, body, and the only right status. All mean a tool that the token does not open, or say two things. */
const ATTACKS: Record<string, [readonly string[], unknown, number]> = {
  '17a: the name of the open tool in the header': [lines('tools/call', 'read'), WRITE, 400],
  '17a: the name of the closed tool in the header of a call for the open one': [lines('tools/call', 'write'), READ, 400],
  '17a: a harmless method in the header': [lines('tools/list'), WRITE, 400],
  '17a: a harmless method in the header, the right name': [lines('tools/list', 'write'), WRITE, 400],
  '17a: both names in one header': [lines('tools/call', 'read, write'), WRITE, 400],
  '17a: both names in two headers': [lines('tools/call', 'write', ['Mcp-Name: read']), WRITE, 400],
  '17a: both names in two headers, the other first': [lines('tools/call', 'read', ['mcp-name: write']), WRITE, 400],
  '17a: a name that two headers make together': [lines('tools/call', 'a', ['Mcp-Name: b']), modernCall('tools/call', { name: 'a, b' }), 400],
  '17a: two methods': [lines('tools/list', undefined, ['Mcp-Method: tools/call', 'Mcp-Name: write']), WRITE, 400],
  '17a: two versions': [['MCP-Protocol-Version: 2025-11-25', ...lines('tools/call', 'write')], WRITE, 400],
  '17a: an older version in the header': [['MCP-Protocol-Version: 2025-11-25', 'Mcp-Method: tools/call', 'Mcp-Name: read'], WRITE, 400],
  '17a: an older version in the body': [
    lines('tools/call', 'read'), modernCall('tools/call', { name: 'write' }, { version: '2025-11-25' }), 400],
  '17a: no version in the body': [lines('tools/call', 'read'), legacy('write'), 400],
  '17a: initialize under a modern header': [lines('initialize'), call('initialize', { protocolVersion: '2025-11-25' }), 400],
  '17a: another resource in the header': [
    lines('resources/read', 'notes://1'), modernCall('resources/read', { uri: 'notes://2' }), 400],
  '17a: an argument that its header does not have': [
    lines('tools/call', 'deploy', ['Mcp-Param-Region: west']), modernCall('tools/call', { name: 'deploy', arguments: { region: 'east' } }), 400],
  '17a: an argument with two headers': [
    lines('tools/call', 'deploy', ['Mcp-Param-Region: west', 'Mcp-Param-Region: east']),
    modernCall('tools/call', { name: 'deploy', arguments: { region: 'west, east' } }), 400],
  '17a: an argument without its header': [
    lines('tools/call', 'deploy'), modernCall('tools/call', { name: 'deploy', arguments: { region: 'east' } }), 400],
  '17a: headers in order, and a closed tool': [lines('tools/call', 'write'), WRITE, 403],
  '17b: a batch of both': [[], [legacy('read'), legacy('write')], 403],
  '17b: a batch of both in revision 2025-03-26': [['MCP-Protocol-Version: 2025-03-26'], [legacy('read'), legacy('write')], 403],
  '17b: a batch of open calls after batches were removed': [['MCP-Protocol-Version: 2025-06-18'], [legacy('read')], 400],
  '17b: a batch of one modern call': [lines('tools/call', 'read'), [READ], 400],
  '17b: a batch of one modern call under an older header': [['MCP-Protocol-Version: 2025-03-26'], [READ], 400],
  '17b: a batch of one modern call without any header': [[], [READ], 400],
  '17b: a modern call behind a legacy one': [[], [legacy('read'), READ], 400],
  '17c: no header at all': [[], READ, 400],
  '17c: no name': [lines('tools/call'), READ, 400],
  '17c: an empty name': [lines('tools/call', ''), READ, 400],
  '17c: no method': [[VERSION, 'Mcp-Name: read'], READ, 400],
  '17c: no version': [['Mcp-Method: tools/call', 'Mcp-Name: read'], READ, 400],
  '17c: no headers that count, legacy': [['Mcp-Method: tools/call', 'Mcp-Name: read'], legacy('write'), 403],
  '17d: the tool in capitals': [lines('tools/call', 'READ'), READ, 400],
  '17d: the tool in capitals in the body': [lines('tools/call', 'READ'), modernCall('tools/call', { name: 'READ' }), 403],
  '17d: the method in capitals': [lines('Tools/Call', 'read'), READ, 400],
  '17d: the method in capitals, header and body': [lines('TOOLS/CALL', 'write'), modernCall('TOOLS/CALL', { name: 'write' }), 404],
  '17d: a letter that looks the same': [lines('tools/call', 'read'), modernCall('tools/call', { name: 'r\u0435ad' }), 400],
  '17d: a name in another normal form': [
    lines('tools/call', encode('lesen für alle'.normalize('NFD'))), modernCall('tools/call', { name: 'lesen für alle' }), 400],
  '17d: a name as raw UTF-8': [lines('tools/call', utf8('lesen für alle')), modernCall('tools/call', { name: 'lesen für alle' }), 400],
  '17d: a name as raw Latin-1': [lines('tools/call', 'lesen für alle'), modernCall('tools/call', { name: 'lesen für alle' }), 400],
  '17d: the closed tool in Base64': [lines('tools/call', encode('write')), WRITE, 403],
  '17d: the open tool in Base64 over a closed one': [lines('tools/call', encode('read')), WRITE, 400],
  '17d: Base64 that the body repeats': [lines('tools/call', encode('write')), modernCall('tools/call', { name: encode('write') }), 400],
  '17d: Base64 in Base64': [lines('tools/call', encode(encode('write'))), modernCall('tools/call', { name: encode('write') }), 403],
  '17d: Base64 with markers in capitals': [lines('tools/call', '=?BASE64?cmVhZA==?='), READ, 400],
  '17d: Base64 without padding': [lines('tools/call', '=?base64?cmVhZA?='), READ, 400],
  '17d: Base64 with bits to spare': [lines('tools/call', '=?base64?cmVhZB==?='), READ, 400],
  '17d: Base64 with a byte order mark': [lines('tools/call', encode('\ufeffread')), READ, 400],
  '17d: Base64 with a zero behind': [lines('tools/call', encode('read\0')), READ, 400],
  '17d: Base64 of no text': [lines('tools/call', '=?base64?/w==?='), READ, 400],
  '17d: another spelling of a resource': [
    lines('resources/read', 'NOTES://1'), modernCall('resources/read', { uri: 'NOTES://1' }), 403],
  '17e: a call as a notification': [lines('tools/call', 'write'), { ...WRITE, id: undefined }, 403],
  '17e: a call as a notification without its headers': [[], { ...READ, id: undefined }, 400],
  '17e: a call as a notification that only the header makes modern': [
    lines('tools/call', 'read'), { ...legacy('write'), id: undefined }, 400],
  '17e: a notification in the header only': [lines('notifications/cancelled'), { ...WRITE, id: undefined }, 400],
  '17e: a notification of nobody': [lines('notifications/write'), { ...modernCall('notifications/write'), id: undefined }, 404],
  '17e: a request that is called a notification': [lines('notifications/cancelled'), modernCall('notifications/cancelled'), 404],
  '17e: another task in the header': [lines('tasks/get', 'mine'), modernCall('tasks/get', { taskId: 'theirs' }), 400],
  '17e: a task without its header': [lines('tasks/cancel'), modernCall('tasks/cancel', { taskId: 'theirs' }), 400],
  '17e: the result of a task, which is gone': [lines('tasks/result'), modernCall('tasks/result', { taskId: 'theirs' }), 404],
  '17e: an answer': [[VERSION], { jsonrpc: '2.0', id: 1, result: {} }, 400],
  'a method of older revisions': [lines('resources/subscribe'), modernCall('resources/subscribe', { uri: 'notes://1' }), 404],
  'a version of nobody': [['MCP-Protocol-Version: 2020-01-01'], legacy('read'), 400],
  'a version that is yet to come': [['MCP-Protocol-Version: 2030-01-01'], legacy('read'), 400]
}

t.test('what says two things, or means what the token does not open, never reaches the handler (mistake 17)', async (t) => {
  const { reached, send } = await startTarget(t)

  for (const [name, [head, body, status]] of Object.entries(ATTACKS)) {
    t.equal(await send('POST /mcp', head, body), status, name)
  }

  t.strictSame(reached, [])
})

t.test('without a token all of it is 401 (mistake 7)', async (t) => {
  const { reached, send } = await startTarget(t)
  for (const [name, [head, body]] of Object.entries(ATTACKS)) t.equal(await send('POST /mcp', head, body, 'nobody-knows'), 401, name)
  t.strictSame(reached, [])
})

t.test('what a conforming client sends reaches it', async (t) => {
  const { reached, send } = await startTarget(t)
  const odd = modernCall('tools/call', { name: 'lesen für alle' })
  const deploy = modernCall('tools/call', { name: 'deploy', arguments: { region: 'west' } })
  const lineUp = (message: Parameters<typeof modernHeaders>[0]) => Object.entries(modernHeaders(message)).map((line) => line.join(': '))

  t.equal(await send('POST /mcp', lineUp(READ), READ), 200)
  t.equal(await send('POST /mcp', lines('tools/call', encode('lesen für alle')), odd), 200)
  t.equal(await send('POST /mcp', lines('tools/call', 'deploy', ['mcp-param-region:   west  ']), deploy), 200)
  t.equal(await send('POST /mcp', [], legacy('read')), 200)
  t.equal(await send('POST /mcp', lineUp(WRITE), WRITE, 'writer'), 200)
  t.equal(reached.length, 5)
})

t.test('17f: another spelling of the path, or another method, opens nothing', async (t) => {
  const routers: FastifyServerOptions[] = [
    {}, { routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, caseSensitive: false } }]
  for (const options of routers) {
    const { reached, send } = await startTarget(t, options)

    for (const path of ['//mcp', '/MCP/', '/MCP', '/mcp/', '/%6dcp', '/%6D%63p', '/./mcp', '/mcp;x', '/mcp?x=/open', '/mcp#open']) {
      for (const head of [lines('tools/call', 'read'), lines('tools/call', 'write')]) {
        t.ok(await send(`POST ${path}`, head, WRITE) >= 400, path)
      }
      t.ok(await send(`POST ${path}`, [], legacy('write')) >= 400, path)
      t.ok(await send(`GET ${path}`, [VERSION], undefined) >= 400, path)
    }
    for (const method of ['HEAD', 'GET', 'DELETE']) {
      t.equal(await send(`${method} /mcp`, [VERSION, 'Mcp-Session-Id: theirs', 'Last-Event-ID: theirs'], undefined), 405, method)
      t.equal(await send(`${method} /mcp`, lines('tools/call', 'read'), undefined), 405, method)
      t.equal(await send(`${method} /mcp`, [VERSION], undefined, 'nobody-knows'), 401, method)
    }
    t.equal(await send('DELETE /mcp', lines('tools/call', 'read'), READ), 405)
    t.equal(await send('PUT /mcp', lines('tools/call', 'read'), READ), 405)
    t.strictSame(reached, [])
  }
})
