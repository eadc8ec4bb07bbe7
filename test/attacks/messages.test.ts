import { gzipSync } from 'node:zlib'
import t from 'tap'
import { PlainClient } from '../helpers/oauth-client.js'
import { rawExchange } from '../helpers/raw-exchange.js'
import { startReferenceServer } from '../helpers/reference-server.js'

const server = await startReferenceServer(t)
const { host } = new URL(server.origin)
const reader = new PlainClient(server.origin)
const writer = new PlainClient(server.origin)
const { access_token: readToken } = await reader.signIn({ scope: 'notes:read' })
const { access_token: writeToken } = await writer.signIn({ scope: 'notes:write' })

const request = (method: string, params: unknown, more: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params, ...more })
const call = (name: unknown, more: object = {}) => request('tools/call', { name, arguments: { text: 'stolen' } }, more)
const text = (value: unknown) => JSON.stringify(value)
const WRITE = text(call('add_note'))
const READ = text(call('list_notes'))

const POST = 'POST /mcp HTTP/1.1'
const JSON_TYPE = 'Content-Type: application/json'

async function send ([first = '', ...lines]: readonly string[], body: string | Buffer, token = readToken) {
  return await rawExchange(server.origin, [
    first, `Host: ${host}`, `Authorization: Bearer ${token}`, 'Accept: application/json, text/event-stream', ...lines
  ], body)
}

t.test('with the scope the note is written, and without it the challenge names all that is needed (RS-23, RS-24, mistake 18)', async (t) => {
  const refused = await send([POST, JSON_TYPE], WRITE)

  t.equal(refused.status, 403)
  t.match(refused.headers.get('www-authenticate'), [/^Bearer resource_metadata="[^"]+", scope="notes:write notes:read", error="insufficient_scope"/])
  t.equal((await send([POST, JSON_TYPE], WRITE, writeToken)).status, 200)
})

/** Bodies that mean a tool which the token does not open, or might to somebody who reads them otherwise. */
const bodies: Record<string, [string | Buffer, number[]]> = {
  'a notification': [text({ ...call('add_note'), id: undefined }), [403]],
  'an id of null': [text({ ...call('add_note'), id: null }), [403]],
  'an id that is an object': [text({ ...call('add_note'), id: {} }), [400]],
  'an id beyond all numbers': [WRITE.replace('"id":1', '"id":1e999'), [403]],
  'a call that is an answer too': [text(call('add_note', { result: {} })), [403]],
  'a call that is an error too': [text(call('add_note', { error: { code: 1, message: '' } })), [403]],
  'a call as a task': [text(request('tools/call', { name: 'add_note', arguments: { text: 'stolen' }, task: { ttl: 1 } })), [403]],
  'a batch with one of each': [text([call('list_notes'), call('add_note')]), [403]],
  'a batch, the bad one first': [text([call('add_note'), call('list_notes')]), [403]],
  'a batch with a notification': [text([request('ping', {}), { ...call('add_note'), id: undefined }]), [403]],
  'a batch in a batch': [text([[call('add_note')]]), [400]],
  'a batch of a hundred and one': [text(Array.from({ length: 101 }, () => call('add_note'))), [400]],
  'an object like a batch': [text({ 0: call('add_note'), length: 1 }), [400]],
  'two names': ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_notes","name":"add_note","arguments":{"text":"stolen"}}}', [403]],
  'two methods': ['{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"add_note","arguments":{"text":"stolen"}}}', [403]],
  'two params': ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_notes"},"params":{"name":"add_note","arguments":{"text":"stolen"}}}', [403]],
  'a name in escapes': [WRITE.replace('"name":"add_note"', '"n\\u0061me":"\\u0061dd_note"'), [403]],
  'a method in escapes': [WRITE.replace('tools/call', 'tools\\/call'), [403]],
  'a byte order mark': [`\ufeff${WRITE}`, [403]],
  'UTF-16': [Buffer.from(WRITE, 'utf16le'), [400]],
  'half a character': [Buffer.concat([Buffer.from(WRITE.replace('add_note"', 'add_note')), Buffer.from([0xff])]), [400]],
  gzip: [gzipSync(WRITE), [400]],
  'two messages': [`${READ}\n${WRITE}`, [400]],
  'a comment': [`/* */${WRITE}`, [400]],
  'a name under __proto__': ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"__proto__":{"name":"add_note"},"name":"list_notes"}}', [400]],
  'a method under __proto__': [`{"__proto__":${WRITE},"jsonrpc":"2.0","id":1,"method":"ping"}`, [400]],
  'a prototype under constructor': [`{"constructor":{"prototype":${WRITE}},"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_note"}}`, [400, 403]],
  'params in a list': [text(request('tools/call', ['add_note', { text: 'stolen' }])), [400]],
  'a name in a list': [text(call(['add_note'])), [400]],
  'a name in an object': [text(call({ toString: 'add_note' })), [400]],
  'no name': [text(request('tools/call', { arguments: { text: 'stolen' } })), [400]],
  'a method in other letters': [text(request('Tools/Call', { name: 'add_note' })), [403]],
  'a method with a blank': [text(request('tools/call ', { name: 'add_note' })), [403]],
  'a method of nobody': [text(request('notes/add', { text: 'stolen' })), [403]],
  'a task of somebody (RS-33)': [text(request('tasks/result', { taskId: '1' })), [403]],
  'another version of JSON-RPC': [text({ ...call('add_note'), jsonrpc: '1.0' }), [400]],
  text: [text(WRITE), [400, 415]],
  nothing: ['', [400]],
  ...Object.fromEntries(['ADD_NOTE', 'Add_note', 'add_note ', ' add_note', 'add_note\0', 'ａdd_note', 'аdd_note', 'add_note\u200b',
    'add\u005f\u200dnote', '=?base64?YWRkX25vdGU=?=', '__proto__', 'constructor', 'toString', '../add_note', 'add_note", scope="notes:write']
    .map((name) => [`the tool ${JSON.stringify(name)}`, [text(call(name)), [403]]]))
}

t.test('no way of writing a message gets past the scope guard (RS-31, mistakes 8, 17)', async (t) => {
  for (const [what, [body, statuses]] of Object.entries(bodies)) {
    const answer = await send([POST, JSON_TYPE], body)

    t.ok(statuses.includes(answer.status), `${what}: ${answer.status}`)
    t.match(JSON.parse(answer.body), { jsonrpc: '2.0', error: { code: Number } }, what)
    t.notMatch(answer.headers.get('www-authenticate'), [/base64|scope="[^"]*", scope=/], what)
  }
})

const types: Record<string, number> = {
  'application/json; charset=utf-16': 403,
  'APPLICATION/JSON': 403,
  'application/json;': 403,
  'application/json; a="b;c"': 403,
  'text/plain': 415,
  'text/plain; charset=utf-8': 415,
  'application/vnd.api+json': 415,
  'application/json-rpc': 415,
  'application/json, text/plain': 415,
  'application/x-www-form-urlencoded': 415,
  'multipart/form-data; boundary=x': 415,
  'text/event-stream': 415,
  '*/*': 415,
  json: 415
}

t.test('no content type does (RS-31)', async (t) => {
  for (const [type, status] of Object.entries(types)) {
    const answer = await send([POST, `Content-Type: ${type}`], WRITE)

    t.equal(answer.status, status, type)
    t.match(JSON.parse(answer.body), { jsonrpc: '2.0', error: { code: Number } }, type)
  }
  t.equal((await send([POST], WRITE)).status, 415, 'no type')
  t.equal((await send([POST, 'Content-Type: text/plain', JSON_TYPE], WRITE)).status, 415, 'two types')
})

const requests: Record<string, [string[], number[]]> = {
  'headers that name another tool (mistake 17)': [[POST, JSON_TYPE, 'Mcp-Method: tools/call', 'Mcp-Name: list_notes'], [400, 403]],
  'headers that name another method': [[POST, JSON_TYPE, 'Mcp-Method: ping', 'MCP-Protocol-Version: 2026-07-28'], [400, 403]],
  'an overridden method': [[POST, JSON_TYPE, 'X-HTTP-Method-Override: GET', 'X-Method-Override: GET'], [403]],
  'another path in a header': [[POST, JSON_TYPE, 'X-Original-URL: /healthz', 'X-Rewrite-URL: /healthz'], [403]],
  PUT: [['PUT /mcp HTTP/1.1', JSON_TYPE], [405]],
  PATCH: [['PATCH /mcp HTTP/1.1', JSON_TYPE], [405]],
  DELETE: [['DELETE /mcp HTTP/1.1', JSON_TYPE], [405]],
  GET: [['GET /mcp HTTP/1.1', JSON_TYPE], [405]],
  HEAD: [['HEAD /mcp HTTP/1.1', JSON_TYPE], [405]],
  OPTIONS: [['OPTIONS /mcp HTTP/1.1', JSON_TYPE], [405]],
  TRACE: [['TRACE /mcp HTTP/1.1', JSON_TYPE], [405]],
  QUERY: [['QUERY /mcp HTTP/1.1', JSON_TYPE], [400, 405]],
  PROPFIND: [['PROPFIND /mcp HTTP/1.1', JSON_TYPE], [404]],
  'a preflight with a body': [['OPTIONS /mcp HTTP/1.1', JSON_TYPE, `Origin: ${server.origin}`, 'Access-Control-Request-Method: POST'], [204]],
  'the path in percent signs': [['POST /%6D%63p HTTP/1.1', JSON_TYPE], [403]],
  'an absolute target': [[`POST http://${host}/mcp HTTP/1.1`, JSON_TYPE], [403]],
  'a query': [['POST /mcp?x=/healthz HTTP/1.1', JSON_TYPE], [403]],
  'two slashes': [['POST //mcp HTTP/1.1', JSON_TYPE], [404]],
  'a slash at the end': [['POST /mcp/ HTTP/1.1', JSON_TYPE], [404]],
  'other letters': [['POST /MCP HTTP/1.1', JSON_TYPE], [404]],
  'a path in a path': [['POST /healthz/../mcp HTTP/1.1', JSON_TYPE], [403, 404]],
  'dots in percent signs': [['POST /healthz/%2e%2e/mcp HTTP/1.1', JSON_TYPE], [404]],
  'a slash in percent signs': [['POST /%2fmcp HTTP/1.1', JSON_TYPE], [404]],
  'a semicolon': [['POST /mcp;x HTTP/1.1', JSON_TYPE], [404]],
  'the pattern behind the path': [['POST /mcp:none(^$) HTTP/1.1', JSON_TYPE], [404]],
  'a NUL': [['POST /mcp%00 HTTP/1.1', JSON_TYPE], [404]],
  'two lengths': [[POST, JSON_TYPE, `Content-Length: ${WRITE.length}`, 'Content-Length: 0'], [400]],
  'a length and chunks': [[POST, JSON_TYPE, `Content-Length: ${WRITE.length}`, 'Transfer-Encoding: chunked'], [400]],
  'a wait for 100': [[POST, JSON_TYPE, 'Expect: 100-continue'], [100]],
  'a wait for nobody knows what': [[POST, JSON_TYPE, 'Expect: a-miracle'], [417]],
  'another protocol': [[POST, JSON_TYPE, 'Upgrade: h2c', 'Connection: Upgrade'], [403]]
}

t.test('no method, path or header does (mistakes 7, 17)', async (t) => {
  for (const [what, [lines, statuses]] of Object.entries(requests)) {
    const { status } = await send(lines, WRITE)
    t.ok(statuses.includes(status), `${what}: ${status}`)
  }
})

t.test('of all of it nothing was written but what the first test wrote', async (t) => {
  const answer = await send([POST, JSON_TYPE], READ, writeToken)
  const { result } = JSON.parse(answer.body) as { result: { content: Array<{ text: string }> } }

  t.equal((JSON.parse(result.content[0]?.text ?? '') as unknown[]).length, 1)
  const events = server.output().split('\n').filter((line) => line.includes('"mcpAudit"') && line.includes('/mcp"'))
    .map((line) => (JSON.parse(line) as { mcpAudit: { outcome: string, operation: string } }).mcpAudit)
  t.equal(events.filter(({ outcome, operation }) => outcome === 'allowed' && operation === 'tools/call add_note').length, 1)
  t.notMatch(JSON.stringify(events), /stolen|base64|ADD_NOTE/)
})
