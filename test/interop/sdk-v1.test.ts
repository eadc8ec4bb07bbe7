import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { UnauthorizedError, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import t, { type Test } from 'tap'
import { signInAndConsent } from '../../examples/support/form-browser.js'
import { startReferenceServer, user, type ReferenceServer } from '../helpers/reference-server.js'

/** A provider of SDK v1 that keeps everything in memory. */
function memoryProvider (method: 'none' | 'client_secret_basic' | 'client_secret_post') {
  const kept: { url?: URL, client?: OAuthClientInformationMixed, tokens?: OAuthTokens, verifier: string } = { verifier: '' }
  const provider: OAuthClientProvider = {
    redirectUrl: 'http://localhost:8123/callback',
    clientMetadata: {
      client_name: 'SDK v1',
      redirect_uris: ['http://localhost:8123/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: method
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => { kept.client = client },
    tokens: () => kept.tokens,
    saveTokens: (tokens) => { kept.tokens = tokens },
    redirectToAuthorization: (url) => { kept.url = url },
    saveCodeVerifier: (verifier) => { kept.verifier = verifier },
    codeVerifier: () => kept.verifier,
    invalidateCredentials: (what) => {
      if (what === 'all' || what === 'client') delete kept.client
      if (what === 'all' || what === 'tokens') delete kept.tokens
    }
  }
  return { kept, provider }
}

const connection = (url: URL, provider: OAuthClientProvider) => ({
  client: new Client({ name: 'test', version: '1.0.0' }),
  transport: new StreamableHTTPClientTransport(url, { authProvider: provider })
})

/** SDK v1 gives its errors no name of their own, so that tap cannot tell them by it. */
const isSentToSignIn = async (connected: Promise<void>): Promise<boolean> =>
  await connected.then(() => false, (error: unknown) => error instanceof UnauthorizedError)

async function signedIn (t: Test, server: ReferenceServer, memory: ReturnType<typeof memoryProvider>): Promise<void> {
  const { client, transport } = connection(server.url, memory.provider)
  t.ok(await isSentToSignIn(client.connect(transport as Parameters<typeof client.connect>[0])))
  const back = await signInAndConsent(server.browser(), memory.kept.url ?? new URL('about:blank'), user)
  await transport.finishAuth(back.searchParams.get('code') ?? '')
}

const server = await startReferenceServer(t)

for (const method of ['none', 'client_secret_basic', 'client_secret_post'] as const) {
  t.test(`SDK v1 with ${method} registers, signs in and calls a tool`, async (t) => {
    const memory = memoryProvider(method)
    await signedIn(t, server, memory)

    const { client, transport } = connection(server.url, memory.provider)
    await client.connect(transport as Parameters<typeof client.connect>[0])

    t.match(await client.callTool({ name: 'whoami', arguments: {} }), { content: [{ text: /notes:read/ }] })
    await client.close()
  })
}

t.test('SDK v1 asks for what the first challenge names, which is enough to begin with (RS-22, requirements 4.3)', async (t) => {
  const challenge = (await fetch(server.url, { method: 'POST' })).headers.get('www-authenticate') ?? ''
  const memory = memoryProvider('none')

  await signedIn(t, server, memory)

  t.match(challenge, /^Bearer resource_metadata="[^"]+", scope="notes:read"$/)
  t.equal(memory.kept.url?.searchParams.get('scope'), 'notes:read')
  t.equal(memory.kept.tokens?.scope, 'notes:read')
  const { client, transport } = connection(server.url, memory.provider)
  await client.connect(transport as Parameters<typeof client.connect>[0])
  t.match(await client.callTool({ name: 'list_notes', arguments: {} }), { content: [{ type: 'text' }] })
  await client.close()
})

t.test('SDK v1 refreshes by itself when the access token is refused', async (t) => {
  const memory = memoryProvider('none')
  await signedIn(t, server, memory)
  const before = memory.kept.tokens
  if (before === undefined) throw new Error('no tokens')
  memory.kept.tokens = { ...before, access_token: `${before.access_token}x` }

  const { client, transport } = connection(server.url, memory.provider)
  await client.connect(transport as Parameters<typeof client.connect>[0])

  t.not(memory.kept.tokens.refresh_token, before.refresh_token, 'the refresh token rotated')
  await client.close()
})

t.test('SDK v1 whose client is forgotten by the server registers again', async (t) => {
  const memory = memoryProvider('none')
  await signedIn(t, server, memory)
  memory.kept.client = { client_id: 'gone', redirect_uris: ['http://localhost:8123/callback'] }
  const tokens = memory.kept.tokens
  if (tokens === undefined) throw new Error('no tokens')
  memory.kept.tokens = { ...tokens, access_token: 'expired' }

  const { client, transport } = connection(server.url, memory.provider)
  t.ok(await isSentToSignIn(client.connect(transport as Parameters<typeof client.connect>[0])))

  t.not(memory.kept.client.client_id, 'gone')
  t.match(memory.kept.client.client_id, /^[\w-]{22}$/)
})
