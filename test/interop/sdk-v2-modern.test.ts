import { once, EventEmitter } from 'node:events'
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'
import t, { type Test } from 'tap'
import { DemoClient } from '../../examples/support/demo-client.js'
import { FormBrowser, signInAndConsent } from '../../examples/support/form-browser.js'
import { ODD, startModernServer, type ModernServer } from '../helpers/modern-server.js'

const nobody = { name: '', password: '' }

interface Connected {
  readonly client: Client
  readonly transport: StreamableHTTPClientTransport
  readonly provider: DemoClient
  /** What was answered at the MCP endpoint, as `status method`. */
  readonly answers: string[]
  /** Goes through the pages to which the client sends its user. */
  authorize (): Promise<void>
}

/** A client that negotiates, signed in. */
async function connect (t: Test, server: ModernServer): Promise<Connected> {
  const provider = new DemoClient()
  const browser = new FormBrowser()
  const answers: string[] = []
  const watched: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    const method = new Headers(init?.headers).get('mcp-method')
    if (new URL(response.url).pathname === '/mcp') answers.push(`${response.status} ${method ?? 'without method'}`)
    return response
  }
  const open = () => new StreamableHTTPClientTransport(server.url, { authProvider: provider, fetch: watched })
  const create = () => new Client({ name: 'test', version: '1.0.0' }, {
    versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { form: {} } }
  })
  const back = async (transport: StreamableHTTPClientTransport): Promise<void> => {
    const url = provider.authorizationUrl
    if (url === undefined) throw new Error('no authorization URL')
    provider.authorizationUrl = undefined
    await transport.finishAuth((await signInAndConsent(browser, url, nobody)).searchParams)
  }
  const first = open()
  await t.rejects(create().connect(first), UnauthorizedError)
  await back(first)
  const client = create()
  const transport = open()
  t.teardown(async () => { await client.close() })
  await client.connect(transport)
  return { client, transport, provider, answers, authorize: async () => { await back(transport) } }
}

const server = await startModernServer(t)

t.test('SDK v2 finds the modern revision behind the guard, with one challenge before it (requirements 0)', async (t) => {
  const { client, answers } = await connect(t, server)

  t.equal(client.getNegotiatedProtocolVersion(), '2026-07-28')
  t.strictSame(answers, ['401 server/discover', '200 server/discover'])
})

t.test('whatever a conforming client sends agrees with its body (TR-5 to TR-7)', async (t) => {
  const { client, answers } = await connect(t, server)
  const before = server.events.length

  await client.listTools()
  t.match(await client.callTool({ name: 'whoami', arguments: {} }), { content: [{ text: '"you"' }] })
  for (const input of [
    {}, { region: 'west', count: 0, dry: false }, { region: ' Zürich ', count: -7, dry: true },
    { region: '=?base64?eA==?=' }, { region: 'a, b' }, { region: '' }, { count: Number.MAX_SAFE_INTEGER }
  ]) {
    const answer = await client.callTool({ name: 'deploy', arguments: input })
    t.strictSame(answer.content, [{ type: 'text', text: JSON.stringify(input) }])
  }
  const { prompts } = await client.listPrompts()
  t.ok(prompts.some(({ name }) => name === ODD))
  t.match(await client.getPrompt({ name: ODD }), { messages: [{ content: { text: 'Measure' } }] })
  await client.getPrompt({ name: 'summary', arguments: { of: 'notes' } })
  t.match(await client.complete({ ref: { type: 'ref/prompt', name: 'summary' }, argument: { name: 'of', value: 'n' } }),
    { completion: { values: ['notes'] } })
  const { resources: [resource] } = await client.listResources()
  await client.listResourceTemplates()
  t.match(await client.readResource({ uri: resource?.uri ?? '' }), { contents: [{ text: 'all' }] })

  t.strictSame(answers.slice(2).filter((answer) => !answer.startsWith('200 ')), [])
  t.strictSame(server.events.slice(before).filter(({ outcome }) => outcome !== 'allowed'), [])
})

t.test('a client that listens is told of changes', async (t) => {
  const { client } = await connect(t, server)
  const changes = new EventEmitter()
  client.setNotificationHandler('notifications/tools/list_changed', () => { changes.emit('tools') })

  const subscription = await client.listen({ toolsListChanged: true })
  const told = once(changes, 'tools')
  server.handler.notify.toolsChanged()

  await told
  await subscription.close()
})

t.test('SDK v2 in the modern revision steps up in one round (mistake 18)', async (t) => {
  const { client, provider, answers, authorize } = await connect(t, server)
  const add = async () => await client.callTool({ name: 'add_note', arguments: {} })

  await t.rejects(add(), UnauthorizedError)
  t.equal(provider.scopeAskedFor, 'notes:read notes:write')
  await authorize()
  t.match(await add(), { content: [{ text: '"added"' }] })

  t.strictSame(answers.slice(2), ['403 tools/call', '200 tools/call'])
  t.equal(provider.authorizationUrl, undefined, 'nobody was sent to sign in again')
})
