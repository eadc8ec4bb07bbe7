import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'
import t from 'tap'
import { DemoClient } from '../../examples/support/demo-client.js'
import { signInAndConsent } from '../../examples/support/form-browser.js'
import { startReferenceServer, user } from '../helpers/reference-server.js'

const connection = (url: URL, provider: DemoClient, mode?: 'auto', send: typeof fetch = fetch) => ({
  client: new Client({ name: 'test', version: '1.0.0' }, mode === undefined ? {} : { versionNegotiation: { mode } }),
  transport: new StreamableHTTPClientTransport(url, { authProvider: provider, fetch: send })
})

const server = await startReferenceServer(t)

for (const mode of [undefined, 'auto'] as const) {
  t.test(`SDK v2, version negotiation ${mode ?? 'as it comes'}, signs in, calls a tool and steps up in one round`, async (t) => {
    const browser = server.browser()
    const provider = new DemoClient()
    const authorize = async (transport: StreamableHTTPClientTransport): Promise<void> => {
      if (provider.authorizationUrl === undefined) throw new Error('no authorization URL')
      await transport.finishAuth((await signInAndConsent(browser, provider.authorizationUrl, user)).searchParams)
    }
    const first = connection(server.url, provider, mode)
    await t.rejects(first.client.connect(first.transport), UnauthorizedError)
    await authorize(first.transport)

    const rounds: number[] = []
    const { client, transport } = connection(server.url, provider, mode, async (input, init) => {
      const response = await fetch(input, init)
      if (response.status === 403) rounds.push(403)
      return response
    })
    await client.connect(transport)
    t.match(await client.callTool({ name: 'whoami', arguments: {} }), { content: [{ text: /notes:read/ }] })
    await t.rejects(client.callTool({ name: 'add_note', arguments: { text: 'x' } }), UnauthorizedError)
    t.equal(provider.authorizationUrl?.searchParams.get('scope'), 'notes:read notes:write')
    await authorize(transport)

    t.not((await client.callTool({ name: 'add_note', arguments: { text: 'x' } })).isError, true)
    t.strictSame(rounds, [403], 'one challenge named all that was needed')
    await client.close()
  })
}

t.test('SDK v2 refreshes by itself when the access token is refused', async (t) => {
  const provider = new DemoClient()
  const first = connection(server.url, provider)
  await t.rejects(first.client.connect(first.transport), UnauthorizedError)
  await first.transport.finishAuth(
    (await signInAndConsent(server.browser(), provider.authorizationUrl ?? new URL('about:blank'), user)).searchParams)
  const stored = provider.stored
  if (stored === undefined) throw new Error('no tokens')
  provider.stored = { ...stored, access_token: `${stored.access_token}x` }

  const { client, transport } = connection(server.url, provider)
  await client.connect(transport)

  t.not(provider.stored.refresh_token, stored.refresh_token, 'the refresh token rotated')
  t.match(await client.callTool({ name: 'whoami', arguments: {} }), { content: [{ text: /ada|subject/ }] })
  await client.close()
})
