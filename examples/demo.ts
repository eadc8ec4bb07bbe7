import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport, UnauthorizedError, refreshAuthorization } from '@modelcontextprotocol/client'
import { DemoClient } from './support/demo-client.js'
import { FormBrowser, signInAndConsent } from './support/form-browser.js'

const TOTAL = 10
const here = dirname(fileURLToPath(import.meta.url))
let number = 0

const detail = (text: string): void => { process.stdout.write(`        ${text}\n`) }

async function step<T> (title: string, work: () => Promise<T>): Promise<T> {
  process.stdout.write(`[${String(++number).padStart(2)}/${TOTAL}] ${title}\n`)
  return await work()
}

function expect (isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(`expected ${what}`)
  detail(`ok: ${what}`)
}

async function failure (work: Promise<unknown>): Promise<unknown> {
  return await work.then(() => undefined, (error: unknown) => error)
}

async function addAccount (environment: NodeJS.ProcessEnv, password: string): Promise<void> {
  const child = spawn(process.execPath, [join(here, 'reference-server/account.js'), 'add', 'ada'], {
    env: environment, stdio: ['pipe', 'ignore', 'inherit']
  })
  child.stdin.end(`${password}\n`)
  const [code] = await once(child, 'exit')
  expect(code === 0, 'the account command made the account "ada"')
}

/** Starts the reference server and answers the URL of its MCP endpoint. */
async function startServer (environment: NodeJS.ProcessEnv): Promise<{ server: ChildProcess, url: URL }> {
  const server = spawn(process.execPath, [join(here, 'reference-server/main.js')], {
    env: environment, stdio: ['ignore', 'pipe', 'inherit']
  })
  for await (const line of createInterface({ input: server.stdout })) {
    detail(line)
    const url = /^listening on (\S+)$/.exec(line)?.[1]
    if (url !== undefined) return { server, url: new URL(url) }
  }
  throw new Error('the server stopped before it listened')
}

async function drive (url: URL, password: string): Promise<void> {
  const provider = new DemoClient()
  const browser = new FormBrowser()
  const connect = () => ({
    client: new Client({ name: 'demo', version: '1.0.0' }),
    transport: new StreamableHTTPClientTransport(url, { authProvider: provider })
  })
  const grant = async (transport: StreamableHTTPClientTransport): Promise<void> => {
    if (provider.authorizationUrl === undefined) throw new Error('the client did not ask for authorization')
    const back = await signInAndConsent(browser, provider.authorizationUrl, { name: 'ada', password })
    await transport.finishAuth(back.searchParams)
  }

  await step('Without a token the endpoint answers 401 and says where to go', async () => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
    detail(`www-authenticate: ${response.headers.get('www-authenticate') ?? ''}`)
    expect(response.status === 401, 'status 401 with a challenge')
  })

  const first = connect()
  await step('The SDK client discovers the authorization server and registers itself', async () => {
    const error = await failure(first.client.connect(first.transport))
    expect(error instanceof UnauthorizedError, 'the client stops for the user\'s consent')
    expect(provider.registered?.client_id !== undefined, `it is registered as ${provider.registered?.client_id ?? ''}`)
  })

  await step('The user signs in and consents; the client exchanges its code', async () => {
    detail(`scope asked for: ${provider.scopeAskedFor}`)
    await grant(first.transport)
    expect(provider.stored?.scope === 'notes:read', 'a token for notes:read')
  })

  const { client, transport } = connect()
  await step('The client connects and calls a tool', async () => {
    await client.connect(transport)
    const { tools } = await client.listTools()
    detail(`tools: ${tools.map(({ name }) => name).join(', ')}`)
    const me = await client.callTool({ name: 'whoami', arguments: {} })
    detail(JSON.stringify(me.content))
    expect(JSON.stringify(me.content).includes('notes:read'), 'whoami knows the user and the scope')
  })

  const addNote = async () => await client.callTool({ name: 'add_note', arguments: { text: 'Buy milk' } })
  await step('A tool that needs more is refused: insufficient scope', async () => {
    provider.authorizationUrl = undefined
    const error = await failure(addNote())
    expect(error instanceof UnauthorizedError, 'add_note is refused with 403 insufficient_scope')
    detail(`the client asks the user for: ${provider.scopeAskedFor}`)
  })

  await step('The user consents to more; the same call now works', async () => {
    await grant(transport)
    expect(provider.stored?.scope?.includes('notes:write') === true, 'the token now has notes:write')
    const added = await addNote()
    expect(added.isError !== true, 'add_note works')
    const found = await client.callTool({ name: 'search_notes', arguments: { query: 'milk' } })
    expect(JSON.stringify(found.content).includes('Buy milk'), 'and the note is there')
  })

  const metadata = await (await fetch(new URL('/.well-known/oauth-authorization-server', url))).json() as {
    issuer: string,
    authorization_endpoint: string,
    token_endpoint: string,
    revocation_endpoint: string
    response_types_supported: string[]
  }
  await step('The client refreshes its token', async () => {
    const before = provider.stored
    if (before?.refresh_token === undefined || provider.registered === undefined) throw new Error('no refresh token')
    const tokens = await refreshAuthorization(metadata.issuer, {
      metadata, clientInformation: provider.registered, refreshToken: before.refresh_token
    })
    expect(tokens.refresh_token !== before.refresh_token, 'the refresh token rotated')
    provider.stored = { ...before, ...tokens }
    expect((await client.callTool({ name: 'list_notes', arguments: {} })).isError !== true, 'the new access token works')
  })

  await step('The client revokes its grant', async () => {
    const response = await fetch(metadata.revocation_endpoint, {
      method: 'POST',
      body: new URLSearchParams({ token: provider.stored?.refresh_token ?? '', client_id: provider.registered?.client_id ?? '' })
    })
    expect(response.status === 200, 'status 200')
  })

  await step('Afterwards both tokens are refused', async () => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${provider.stored?.access_token ?? ''}` },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    })
    expect(response.status === 401, 'the access token is answered 401')
    const refresh = await fetch(metadata.token_endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token', refresh_token: provider.stored?.refresh_token ?? '', client_id: provider.registered?.client_id ?? ''
      })
    })
    const answer = await refresh.json() as { error: string }
    expect(refresh.status === 400 && answer.error === 'invalid_grant', 'the refresh token is answered invalid_grant')
  })
  await client.close()
}

async function main (): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-demo-'))
  const environment: NodeJS.ProcessEnv = { ...process.env, HOST: '127.0.0.1', PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'error' }
  delete environment['ISSUER']
  const password = randomBytes(18).toString('base64url')
  let server: ChildProcess | undefined
  try {
    const started = await step('The reference server starts with an account and fresh data', async () => {
      await addAccount(environment, password)
      return await startServer(environment)
    })
    server = started.server
    await drive(started.url, password)
    const exited = once(server, 'exit')
    server.kill('SIGTERM')
    const [code] = await exited
    expect(code === 0, 'the server drained and exited 0')
    process.stdout.write('\nEvery step did what it should.\n')
  } finally {
    server?.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  }
}

try {
  await main()
} catch (error) {
  process.stdout.write(`\nStep ${number} failed: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`)
  process.exit(1)
}
