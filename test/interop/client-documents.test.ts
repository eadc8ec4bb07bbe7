import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2, UnauthorizedError as UnauthorizedV2 } from '@modelcontextprotocol/client'
import { UnauthorizedError as UnauthorizedV1, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import t from 'tap'
import { DemoClient } from '../../examples/support/demo-client.js'
import { signInAndConsent } from '../../examples/support/form-browser.js'
import { certificate, json, serveDocuments } from '../helpers/document-server.js'
import { startReferenceServer, user } from '../helpers/reference-server.js'

const folder = await mkdtemp(join(tmpdir(), 'mcp-documents-'))
t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
const ca = join(folder, 'ca.pem')
await writeFile(ca, (await certificate).cert)

const documents = await serveDocuments(t, json({}), 'localhost')
const url = documents.url()
const provider = () => Object.assign(new DemoClient(), { clientMetadataUrl: url.href })
const { clientMetadata } = new DemoClient()
documents.answer(json({ ...clientMetadata, client_id: url.href }))

const server = await startReferenceServer(t, {
  configuration: { clientDocuments: { loopback: true }, registration: false }, env: { NODE_EXTRA_CA_CERTS: ca }
})

t.test('SDK v2 with a client ID metadata document signs in where nobody can register (PX-10)', async (t) => {
  const authProvider = provider()
  const first = new TransportV2(server.url, { authProvider })
  await t.rejects(new ClientV2({ name: 'test', version: '1.0.0' }).connect(first), UnauthorizedV2)
  t.equal(authProvider.authorizationUrl?.searchParams.get('client_id'), url.href)
  const redirect = await signInAndConsent(server.browser(), authProvider.authorizationUrl ?? url, user)
  await first.finishAuth(redirect.searchParams)

  const client = new ClientV2({ name: 'test', version: '1.0.0' })
  await client.connect(new TransportV2(server.url, { authProvider }))
  t.match(await client.callTool({ name: 'whoami', arguments: {} }), { content: [{ text: new RegExp(url.host) }] })
  await client.close()
})

t.test('SDK v1 does so too', async (t) => {
  const kept: { url?: URL, tokens?: OAuthTokens, client?: OAuthClientInformationMixed, verifier: string } = { verifier: '' }
  const { redirect_uris: redirectUris, grant_types: grantTypes } = clientMetadata
  const authProvider: OAuthClientProvider = {
    clientMetadataUrl: url.href,
    redirectUrl: String(redirectUris[0]),
    clientMetadata: { redirect_uris: redirectUris, ...(grantTypes === undefined ? {} : { grant_types: grantTypes }) },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => { kept.client = client },
    tokens: () => kept.tokens,
    saveTokens: (tokens) => { kept.tokens = tokens },
    redirectToAuthorization: (to) => { kept.url = to },
    saveCodeVerifier: (verifier) => { kept.verifier = verifier },
    codeVerifier: () => kept.verifier
  }
  const transport = () => new TransportV1(server.url, { authProvider })
  const connect = (client: ClientV1, over: TransportV1) => client.connect(over as Parameters<ClientV1['connect']>[0])
  const first = transport()
  // SDK v1 gives its errors no name of their own.
  t.ok(await connect(new ClientV1({ name: 'test', version: '1.0.0' }), first)
    .then(() => false, (error: unknown) => error instanceof UnauthorizedV1))
  const redirect = await signInAndConsent(server.browser(), kept.url ?? url, user)
  await first.finishAuth(redirect.searchParams.get('code') ?? '')

  const client = new ClientV1({ name: 'test', version: '1.0.0' })
  await connect(client, transport())
  t.match(await client.callTool({ name: 'whoami', arguments: {} }), { content: [{ text: new RegExp(url.host) }] })
  await client.close()
})
