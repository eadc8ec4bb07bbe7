import type { Client as SdkClient } from '@modelcontextprotocol/sdk/client/index.js'
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import type { StreamableHTTPClientTransport as SdkTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import t from 'tap'
import { signInAndConsent } from '../../examples/support/form-browser.js'
import { startReferenceServer, user } from '../helpers/reference-server.js'

/** What the version is known for (requirements 2): each of these binds the server, so each has to be seen. */
interface Habits {
  /** Where it shows the secret that it registered without naming a method. */
  readonly secretIn: 'body' | 'header'
  /** Whether it says which resource it wants tokens for. */
  readonly sendsResource: boolean
  /** Whether it looks for the metadata of the resource. */
  readonly readsResourceMetadata: boolean
}

const VERSIONS: Readonly<Record<string, Habits>> = {
  'sdk-1.11': { secretIn: 'body', sendsResource: false, readsResourceMetadata: false },
  'sdk-1.14': { secretIn: 'body', sendsResource: true, readsResourceMetadata: true },
  'sdk-1.15': { secretIn: 'header', sendsResource: true, readsResourceMetadata: true },
  'sdk-1.22': { secretIn: 'header', sendsResource: true, readsResourceMetadata: true },
  '@modelcontextprotocol/sdk': { secretIn: 'header', sendsResource: true, readsResourceMetadata: true }
}

/** A provider that keeps everything in memory, and names no way to authenticate. */
function memoryProvider () {
  const kept: { url?: URL, client?: OAuthClientInformationMixed, tokens?: OAuthTokens, verifier: string } = { verifier: '' }
  const provider: OAuthClientProvider = {
    redirectUrl: 'http://localhost:8123/callback',
    clientMetadata: {
      client_name: 'An MCP client',
      redirect_uris: ['http://localhost:8123/callback'],
      grant_types: ['authorization_code', 'refresh_token']
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => { kept.client = client },
    tokens: () => kept.tokens,
    saveTokens: (tokens) => { kept.tokens = tokens },
    redirectToAuthorization: (url) => { kept.url = url },
    saveCodeVerifier: (verifier) => { kept.verifier = verifier },
    codeVerifier: () => kept.verifier
  }
  return { kept, provider }
}

interface Sent {
  readonly path: string
  readonly headers: Headers
  readonly form: URLSearchParams
}

/** Writes down what is sent by the global fetch, which is all that the older versions know. */
function record (sent: Sent[]): () => void {
  const { fetch: original } = globalThis
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { body } = init ?? {}
    sent.push({ path: new URL(request.url).pathname, headers: request.headers, form: new URLSearchParams(body instanceof URLSearchParams ? body : '') })
    return await original(input, init)
  }
  return () => { globalThis.fetch = original }
}

async function load (name: string): Promise<{ Client: typeof SdkClient, Transport: typeof SdkTransport }> {
  const { Client } = await import(`${name}/client/index.js`)
  const { StreamableHTTPClientTransport: Transport } = await import(`${name}/client/streamableHttp.js`)
  return { Client, Transport }
}

const server = await startReferenceServer(t)

for (const [name, habits] of Object.entries(VERSIONS)) {
  t.test(`${name} registers, signs in, calls a tool and refreshes, each in its own way`, async (t) => {
    const { Client, Transport } = await load(name)
    const { kept, provider } = memoryProvider()
    const sent: Sent[] = []
    t.teardown(record(sent))
    const connect = async () => {
      const client = new Client({ name: 'test', version: '1.0.0' })
      const transport = new Transport(server.url, { authProvider: provider })
      const connected = client.connect(transport as Parameters<typeof client.connect>[0])
      const failed = await connected.then(() => null, (error: unknown) => error)
      return { client, transport, failed }
    }

    const first = await connect()
    t.match(String(first.failed), /Unauthorized/)
    const back = await signInAndConsent(server.browser(), kept.url ?? new URL('about:blank'), user)
    await first.transport.finishAuth(back.searchParams.get('code') ?? '')
    const second = await connect()
    t.equal(second.failed, null)
    t.match(await second.client.callTool({ name: 'whoami', arguments: {} }), { content: [{ text: /notes:read/ }] })
    await second.client.close()

    const [exchange] = sent.filter(({ form }) => form.get('grant_type') === 'authorization_code')
    t.equal(exchange?.form.has('client_secret'), habits.secretIn === 'body')
    t.equal(exchange?.headers.has('authorization'), habits.secretIn === 'header')
    t.equal(exchange?.form.has('resource'), habits.sendsResource)
    t.equal(sent.some(({ path }) => path.startsWith('/.well-known/oauth-protected-resource')), habits.readsResourceMetadata)

    const { refresh_token: before } = kept.tokens ?? {}
    kept.tokens = { ...kept.tokens, access_token: 'expired', token_type: 'Bearer' }
    const third = await connect()
    t.equal(third.failed, null)
    t.not(kept.tokens.refresh_token, before, 'the refresh token rotated')
    await third.client.close()
  })
}
