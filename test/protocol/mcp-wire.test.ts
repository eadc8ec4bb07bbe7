import fc from 'fast-check'
import t from 'tap'
import { checkWire } from '../../lib/protocol/mcp-wire.js'
import { isModern, PROTOCOL_VERSIONS, spokenVersions } from '../../lib/protocol/mcp-version.js'

const MODERN = '2026-07-28'
const SPOKEN = spokenVersions(PROTOCOL_VERSIONS)
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities'
const META = { [VERSION_KEY]: MODERN, [CAPABILITIES_KEY]: {} }

type Lines = Readonly<Record<string, string>>

/** Headers by name; a name in two spellings is sent twice. */
function request (body: unknown, lines: Lines = {}, method = 'POST') {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(lines)) {
    const before = headers[name.toLowerCase()]
    headers[name.toLowerCase()] = before === undefined ? value : `${before}, ${value}`
  }
  return { method, body, headers, rawHeaders: Object.entries(lines).flat() }
}

const message = (method: unknown, params: object = {}, more: object = {}) =>
  ({ jsonrpc: '2.0', id: 1, method, params, ...more })
const modern = (method: unknown, params: object = {}, more: object = {}) =>
  message(method, { _meta: META, ...params }, more)
const lines = (method: string, name?: string): Lines =>
  ({ 'MCP-Protocol-Version': MODERN, 'Mcp-Method': method, ...(name === undefined ? {} : { 'Mcp-Name': name }) })

const notification = { id: undefined }
const TOOL = modern('tools/call', { name: 'search' })
const INITIALIZE = message('initialize', { protocolVersion: '2025-11-25' })

t.test('a version is modern from 2026-07-28 on, and one that nobody knows is not taken for an old one', async (t) => {
  for (const version of [MODERN, '2027-01-01', 'v999.0.0', 'DRAFT-2026-v1']) t.ok(isModern(version), version)
  for (const version of ['2025-11-25', '2024-10-07', '1.0', '']) t.notOk(isModern(version), version)
})

const GOOD_MODERN: Record<string, [unknown, Lines]> = {
  'a tool call': [TOOL, lines('tools/call', 'search')],
  'a tool call in Base64': [TOOL, lines('tools/call', '=?base64?c2VhcmNo?=')],
  'a tool call with blanks around the values': [TOOL, { 'mcp-protocol-version': ` ${MODERN} `, 'mcp-method': '\ttools/call', 'mcp-name': ' search ' }],
  'a tool call in capitals': [TOOL, { 'MCP-PROTOCOL-VERSION': MODERN, 'MCP-METHOD': 'tools/call', 'MCP-NAME': 'search' }],
  'a prompt': [modern('prompts/get', { name: 'summary' }), lines('prompts/get', 'summary')],
  'a resource': [modern('resources/read', { uri: 'notes://1' }), lines('resources/read', 'notes://1')],
  'a task': [modern('tasks/get', { taskId: 't1' }), lines('tasks/get', 't1')],
  'an update of a task': [modern('tasks/update', { taskId: 't1' }), lines('tasks/update', 't1')],
  'a cancellation of a task': [modern('tasks/cancel', { taskId: 't1' }), lines('tasks/cancel', 't1')],
  'a list': [modern('tools/list'), lines('tools/list')],
  'a list with a name that nothing mirrors': [modern('tools/list'), lines('tools/list', 'search')],
  'a discovery': [modern('server/discover'), lines('server/discover')],
  'a completion': [modern('completion/complete', { ref: { type: 'ref/prompt', name: 'summary' } }), lines('completion/complete')],
  'a subscription': [modern('subscriptions/listen'), lines('subscriptions/listen')],
  'a call that names nothing, which is refused as that': [modern('tools/call'), lines('tools/call')],
  'a name that is no text, which is refused as that': [modern('tools/call', { name: 1 }), lines('tools/call', '1')],
  'a notification': [modern('notifications/cancelled', {}, notification), lines('notifications/cancelled')],
  'a notification without headers': [modern('notifications/cancelled', {}, notification), {}],
  'a notification without capabilities': [message('notifications/progress', { _meta: { [VERSION_KEY]: MODERN } }, notification), {}],
  'a notification whose id is null': [modern('notifications/cancelled', {}, { id: null }), {}],
  'a notification that only its header makes modern': [message('notifications/cancelled', {}, notification), { 'MCP-Protocol-Version': MODERN }],
  'what is no message': [{ jsonrpc: '2.0', id: 1, params: { _meta: META } }, {}],
  'what is no message, by its header': [{ jsonrpc: '2.0', id: 1 }, { 'MCP-Protocol-Version': MODERN }]
}

for (const [name, [body, headers]] of Object.entries(GOOD_MODERN)) {
  t.test(`modern: ${name} passes`, async (t) => {
    t.strictSame(checkWire(request(body, headers), SPOKEN), { modern: true, fault: null })
  })
}

const GOOD_LEGACY: Record<string, [unknown, Lines]> = {
  'a tool call': [message('tools/call', { name: 'search' }), { 'MCP-Protocol-Version': '2025-11-25' }],
  'a tool call whose version has blanks around it': [
    message('tools/call', { name: 'search' }), { 'MCP-Protocol-Version': ' 2025-11-25\t' }],
  'a tool call without a version header (TR-9)': [message('tools/call', { name: 'search' }), {}],
  'a tool call with headers of the modern era, which mean nothing': [
    message('tools/call', { name: 'search' }), { 'Mcp-Method': 'tools/list', 'Mcp-Name': 'other', 'MCP-Protocol-Version': '2025-06-18' }],
  'metadata without a version': [message('tools/call', { name: 'search', _meta: { progressToken: 1 } }), {}],
  'a version where a parent has it': [message('tools/list', { _meta: Object.create({ [VERSION_KEY]: MODERN }) }), {}],
  initialize: [INITIALIZE, {}],
  'initialize with a header of its version': [INITIALIZE, { 'MCP-Protocol-Version': '2025-11-25' }],
  'initialize with a version that is still to be negotiated': [INITIALIZE, { 'MCP-Protocol-Version': '2020-01-01' }],
  'a method of nobody, which is denied as that': [message('notes/add'), {}],
  'an answer': [{ jsonrpc: '2.0', id: 1, result: {} }, { 'MCP-Protocol-Version': '2025-06-18' }],
  'a batch of revision 2025-03-26': [[message('ping')], { 'MCP-Protocol-Version': '2025-03-26' }],
  'a batch without a version header': [[message('ping')], {}],
  'no body': [undefined, {}],
  'a number': [1, {}],
  null: [null, {}]
}

for (const [name, [body, headers]] of Object.entries(GOOD_LEGACY)) {
  t.test(`legacy: ${name} passes`, async (t) => {
    t.strictSame(checkWire(request(body, headers), SPOKEN), { modern: false, fault: null })
  })
}

const withoutLine = (name: string): Lines => Object.fromEntries(
  Object.entries(lines('tools/call', 'search')).filter(([key]) => key !== name))
const withLine = (name: string, value: string): Lines => ({ ...lines('tools/call', 'search'), [name]: value })
const claim = (meta: object, more: object = {}) => message('tools/call', { name: 'search', _meta: meta }, more)

const MISMATCH = { status: 400, code: -32020 }
const BROKEN = { status: 400, code: -32602 }
const REFUSED = { status: 400, code: -32600 }
const BAD: Record<string, [unknown, Lines, object]> = {
  'another version in the header (TR-5)': [TOOL, withLine('MCP-Protocol-Version', '2025-11-25'), MISMATCH],
  'no version header (TR-5)': [TOOL, withoutLine('MCP-Protocol-Version'), MISMATCH],
  'two version headers': [TOOL, withLine('mcp-protocol-version', MODERN), MISMATCH],
  'no header at all': [TOOL, {}, MISMATCH],
  'another method in the header (TR-6)': [TOOL, withLine('Mcp-Method', 'tools/list'), MISMATCH],
  'the method in other letters': [TOOL, withLine('Mcp-Method', 'TOOLS/CALL'), MISMATCH],
  'the method in Base64': [TOOL, withLine('Mcp-Method', '=?base64?dG9vbHMvY2FsbA==?='), MISMATCH],
  'no method header (TR-6)': [TOOL, withoutLine('Mcp-Method'), MISMATCH],
  'two method headers': [TOOL, withLine('mcp-method', 'tools/call'), MISMATCH],
  'another name in the header (mistake 17)': [TOOL, withLine('Mcp-Name', 'delete'), MISMATCH],
  'the name in other letters': [TOOL, withLine('Mcp-Name', 'Search'), MISMATCH],
  'the name in Base64 of other letters': [TOOL, withLine('Mcp-Name', '=?base64?U2VhcmNo?='), MISMATCH],
  'the name in Base64 with markers in capitals': [TOOL, withLine('Mcp-Name', '=?BASE64?c2VhcmNo?='), MISMATCH],
  'the name in Base64 without padding': [modern('tools/call', { name: 'Hello' }), withLine('Mcp-Name', '=?base64?SGVsbG8?='), MISMATCH],
  'a name as its raw bytes': [modern('tools/call', { name: 'café' }), withLine('Mcp-Name', 'café'), MISMATCH],
  'no name header (mistake 17)': [TOOL, withoutLine('Mcp-Name'), MISMATCH],
  'an empty name header': [TOOL, withLine('Mcp-Name', ''), MISMATCH],
  'two name headers': [TOOL, withLine('mcp-name', 'search'), MISMATCH],
  'two name headers that joined are the name': [
    modern('tools/call', { name: 'a, b' }), { ...lines('tools/call', 'a'), 'mcp-name': 'b' }, MISMATCH],
  'another prompt': [modern('prompts/get', { name: 'summary' }), lines('prompts/get', 'search'), MISMATCH],
  'another resource': [modern('resources/read', { uri: 'notes://1' }), lines('resources/read', 'notes://2'), MISMATCH],
  'another spelling of the resource': [modern('resources/read', { uri: 'notes://1' }), lines('resources/read', 'NOTES://1'), MISMATCH],
  'no resource header': [modern('resources/read', { uri: 'notes://1' }), lines('resources/read'), MISMATCH],
  'another task': [modern('tasks/get', { taskId: 't1' }), lines('tasks/get', 't2'), MISMATCH],
  'no task header on an update': [modern('tasks/update', { taskId: 't1' }), lines('tasks/update'), MISMATCH],
  'another task to cancel': [modern('tasks/cancel', { taskId: 't1' }), lines('tasks/cancel', 't2'), MISMATCH],
  'a call that passes for a notification': [modern('tools/call', { name: 'search' }, notification), {}, MISMATCH],
  'a call that passes for a notification, without a name': [modern('tools/call', { name: 'search' }, notification), lines('tools/call'), MISMATCH],
  'a notification with another version in the header': [
    modern('notifications/cancelled', {}, notification), { 'MCP-Protocol-Version': '2025-11-25' }, MISMATCH],
  'a notification with another method in the header': [
    modern('notifications/cancelled', {}, notification), { 'Mcp-Method': 'tools/call' }, MISMATCH],
  'a notification that only its header makes modern, with another method': [
    message('notifications/cancelled', {}, notification), lines('notifications/progress'), MISMATCH],
  'initialize with a modern version header (TR-9)': [INITIALIZE, { 'MCP-Protocol-Version': MODERN }, MISMATCH],
  'a version that nobody knows (TR-5)': [
    claim({ ...META, [VERSION_KEY]: 'v999.0.0' }), withLine('MCP-Protocol-Version', 'v999.0.0'),
    { status: 400, code: -32022, data: { supported: [MODERN], requested: 'v999.0.0' } }],
  'a version of the other era': [
    claim({ ...META, [VERSION_KEY]: '2025-11-25' }), withLine('MCP-Protocol-Version', '2025-11-25'),
    { status: 400, code: -32022, data: { supported: [MODERN], requested: '2025-11-25' } }],
  'a version that goes on and on': [
    claim({ ...META, [VERSION_KEY]: '9'.repeat(65) }), withLine('MCP-Protocol-Version', '9'.repeat(65)),
    { status: 400, code: -32022, data: { supported: [MODERN] } }],
  'a notification of a version that nobody knows': [
    message('notifications/cancelled', { _meta: { [VERSION_KEY]: '2027-01-01' } }, notification), {},
    { status: 400, code: -32022, data: { supported: [MODERN], requested: '2027-01-01' } }],
  'a notification of a version that nobody knows, by its header': [
    message('notifications/cancelled', {}, notification), { 'MCP-Protocol-Version': '2027-01-01' },
    { status: 400, code: -32022, data: { supported: [MODERN], requested: '2027-01-01' } }],
  'a version that is no text': [claim({ ...META, [VERSION_KEY]: 20260728 }), lines('tools/call', 'search'),
    { ...BROKEN, data: { envelope: { missing: [VERSION_KEY] } } }],
  'a version that is null': [claim({ ...META, [VERSION_KEY]: null }), {}, BROKEN],
  'no capabilities (TR-5)': [claim({ [VERSION_KEY]: MODERN }), lines('tools/call', 'search'),
    { ...BROKEN, data: { envelope: { missing: [CAPABILITIES_KEY] } } }],
  'capabilities in a list': [claim({ ...META, [CAPABILITIES_KEY]: [] }), lines('tools/call', 'search'), BROKEN],
  'no metadata under a modern header (TR-5)': [message('tools/list'), lines('tools/list'),
    { ...BROKEN, data: { envelope: { missing: [VERSION_KEY, CAPABILITIES_KEY] } } }],
  'no params under a modern header': [{ jsonrpc: '2.0', id: 1, method: 'tools/list' }, lines('tools/list'), BROKEN],
  'no version in the metadata under a modern header': [
    message('tools/list', { _meta: { [CAPABILITIES_KEY]: {} } }), lines('tools/list'),
    { ...BROKEN, data: { envelope: { missing: [VERSION_KEY] } } }],
  'a call under a modern header that passes for a notification': [
    message('tools/call', { name: 'search' }, notification), lines('tools/call', 'search'), BROKEN],
  'a method that is gone': [modern('initialize'), lines('initialize'), { status: 404, code: -32601 }],
  'a subscription that is gone, though it names nothing': [
    modern('resources/subscribe'), lines('resources/subscribe'), { status: 404, code: -32601 }],
  'a method of nobody (TR-5)': [modern('unknown/method'), lines('unknown/method'), { status: 404, code: -32601 }],
  'a notification of nobody': [modern('notifications/unknown', {}, notification), {}, { status: 404, code: -32601 }],
  'a notification of nobody, by its header': [
    message('notifications/unknown', {}, notification), lines('notifications/unknown'), { status: 404, code: -32601 }],
  'a request that is called a notification': [
    modern('notifications/cancelled'), lines('notifications/cancelled'), { status: 404, code: -32601 }],
  'an answer (TR-4)': [{ jsonrpc: '2.0', id: 1, result: {} }, { 'MCP-Protocol-Version': MODERN }, REFUSED],
  'an error that is an answer': [{ jsonrpc: '2.0', id: 1, error: { code: 1, message: '' } }, { 'MCP-Protocol-Version': MODERN }, REFUSED],
  'an answer that claims to be modern': [{ jsonrpc: '2.0', id: 1, result: {}, params: { _meta: META } }, {}, REFUSED],
  'a batch with a modern message (TR-4)': [[message('ping'), TOOL], {}, REFUSED],
  'a batch under a modern header': [[message('ping')], { 'MCP-Protocol-Version': MODERN }, REFUSED],
  'an empty batch under a modern header': [[], { 'MCP-Protocol-Version': MODERN }, REFUSED],
  'a batch after batches were removed': [[message('ping')], { 'MCP-Protocol-Version': '2025-06-18' }, REFUSED],
  'a batch before batches came': [[message('ping')], { 'MCP-Protocol-Version': '2024-11-05' }, REFUSED],
  'a batch under a version that nobody knows': [[message('ping')], { 'MCP-Protocol-Version': '2020-01-01' }, { status: 400, code: -32000 }],
  'a batch under two versions': [
    [message('ping')], { 'MCP-Protocol-Version': '2025-03-26', 'mcp-protocol-version': '2025-03-26' }, { status: 400, code: -32000 }],
  'an old version that nobody knows (TR-9)': [message('ping'), { 'MCP-Protocol-Version': '2020-01-01' }, { status: 400, code: -32000 }],
  'an empty version': [message('ping'), { 'MCP-Protocol-Version': '' }, { status: 400, code: -32000 }],
  'two old versions': [
    message('ping'), { 'MCP-Protocol-Version': '2025-11-25', 'mcp-protocol-version': '2025-11-25' }, { status: 400, code: -32000 }],
  'initialize with two versions': [
    INITIALIZE, { 'MCP-Protocol-Version': '2025-11-25', 'mcp-protocol-version': MODERN }, { status: 400, code: -32000 }]
}

for (const [name, [body, headers, expected]] of Object.entries(BAD)) {
  t.test(`${name} is refused`, async (t) => {
    t.match(checkWire(request(body, headers), SPOKEN).fault, expected)
  })
}

t.test('a version header in a list is nobody\'s', async (t) => {
  const listed = { ...request(message('ping')), headers: { 'mcp-protocol-version': ['2025-11-25'] } }
  t.match(checkWire(listed, SPOKEN).fault, { status: 400, code: -32000 })
})

t.test('a fault has data only where the revision says so', async (t) => {
  const { fault } = checkWire(request(TOOL, withLine('Mcp-Name', 'delete')), SPOKEN)
  t.strictSame(fault, { status: 400, code: -32020, reason: 'name header and body disagree' })
})

t.test('other HTTP methods are of older revisions (TR-4)', async (t) => {
  for (const method of ['GET', 'DELETE', 'HEAD']) {
    t.match(checkWire(request(undefined, { 'MCP-Protocol-Version': MODERN }, method), SPOKEN).fault, { status: 405 })
    t.match(checkWire(request(TOOL, {}, method), SPOKEN).fault, { status: 405 })
    t.equal(checkWire(request(undefined, { 'MCP-Protocol-Version': '2025-11-25' }, method), SPOKEN).fault, null)
    t.equal(checkWire(request(undefined, {}, method), SPOKEN).fault, null)
    t.match(checkWire(request(undefined, { 'MCP-Protocol-Version': '2020-01-01' }, method), SPOKEN).fault, { status: 400 })
  }
})

t.test('where only the modern revision is spoken, the others are told so', async (t) => {
  const only = spokenVersions([MODERN])
  const told = { status: 400, code: -32022, data: { supported: [MODERN] } }
  t.match(checkWire(request(message('tools/list')), only), { modern: true, fault: told })
  t.match(checkWire(request(INITIALIZE), only).fault, told)
  t.match(checkWire(request(INITIALIZE, { 'MCP-Protocol-Version': '2025-11-25' }), only).fault, { status: 400, code: -32000 })
  t.match(checkWire(request([message('ping')]), only).fault, { status: 400, code: -32600 })
  t.match(checkWire(request(undefined, {}, 'GET'), only).fault, { status: 405 })
  t.equal(checkWire(request(TOOL, lines('tools/call', 'search')), only).fault, null)
})

t.test('where only older revisions are spoken, the modern one is told which', async (t) => {
  const old = spokenVersions(['2025-11-25', '2025-06-18'])
  t.match(checkWire(request(TOOL, lines('tools/call', 'search')), old).fault,
    { status: 400, code: -32022, data: { supported: ['2025-11-25', '2025-06-18'], requested: MODERN } })
  t.match(checkWire(request(message('ping'), { 'MCP-Protocol-Version': '2025-03-26' }), old).fault, { status: 400, code: -32000 })
  t.match(checkWire(request([message('ping')]), old).fault, { status: 400, code: -32600 }, 'batches are of revision 2025-03-26')
  t.equal(checkWire(request(message('ping')), old).fault, null)
})

t.test('a modern call passes only with a header for each thing that its body says', async () => {
  const part = fc.constantFrom('tools/call', 'tools/list', 'search', 'delete', MODERN, '2025-11-25', '', '=?base64?c2VhcmNo?=')
  const line = fc.option(part, { nil: undefined })
  fc.assert(fc.property(line, line, line, (version, method, name) => {
    const sent = { 'mcp-protocol-version': version, 'mcp-method': method, 'mcp-name': name }
    const there = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined)) as Lines
    const agree = version === MODERN && method === 'tools/call' && ['search', '=?base64?c2VhcmNo?='].includes(String(name))
    return (checkWire(request(TOOL, there), SPOKEN).fault === null) === agree
  }), { numRuns: 2000 })
})

t.test('nothing that a body may be makes the check throw', async () => {
  const meta = fc.record({ [VERSION_KEY]: fc.anything(), [CAPABILITIES_KEY]: fc.anything() }, { requiredKeys: [] })
  const body = fc.oneof(fc.jsonValue(), fc.record({
    method: fc.oneof(fc.anything(), fc.constantFrom('initialize', 'tools/call', 'tasks/get', 'notifications/cancelled')),
    id: fc.anything(),
    params: fc.oneof(fc.anything(), fc.record(
      { name: fc.anything(), uri: fc.anything(), taskId: fc.anything(), _meta: meta }, { requiredKeys: [] })),
    result: fc.anything()
  }, { requiredKeys: [] }))
  const header = fc.record({
    'mcp-protocol-version': fc.oneof(fc.string(), fc.constantFrom(...PROTOCOL_VERSIONS)),
    'mcp-method': fc.string(),
    'mcp-name': fc.string()
  }, { requiredKeys: [] })
  fc.assert(fc.property(body, header, fc.constantFrom('POST', 'GET'), (body, headers, method) => {
    checkWire(request(body, headers as Lines, method), SPOKEN)
  }), { numRuns: 2000 })
})
