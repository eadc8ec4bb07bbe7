import Fastify from 'fastify'
import t from 'tap'
import { FormBrowser } from '../../examples/support/form-browser.js'
import { systemClock } from '../../lib/clock.js'
import { createAccounts } from '../../lib/identity/accounts.js'
import { createPasswords } from '../../lib/identity/passwords.js'
import { mcpSecurity } from '../../lib/index.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { freePort } from '../helpers/free-port.js'
import { PlainClient, readTokens, type Tokens } from '../helpers/oauth-client.js'

const SECRET = 'a-secret-of-thirty-two-characters-or-more'
/** The same name and password everywhere: what belongs to whom must not hang on them. */
const user = { name: 'ada', password: 'a few unrelated words' }
const scopes = { 'notes:read': 'Read your notes' }

/** One app, one store, one secret, and as many tenants. */
async function serve (format: 'jwt' | 'opaque') {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(async () => { await app.close() })
  const origin = `http://127.0.0.1:${await freePort()}`
  const store = memoryStore()
  for (const tenant of ['red', 'blue']) {
    const issuer = `${origin}/${tenant}`
    await app.register(async (mcp) => {
      await mcp.register(mcpSecurity, {
        tenant,
        store,
        secrets: [SECRET],
        issuer,
        resource: `${issuer}/mcp`,
        scopes,
        components: [{ tool: 'whoami', scopes: ['notes:read'] }],
        accessTokenFormat: format,
        clients: [{ clientId: 'house', redirectUris: ['http://127.0.0.1:9/callback'] }],
        audit: { log: false },
        rateLimits: false
      })
      mcp.post(`/${tenant}/mcp`, async ({ mcpAuth }) => ({ jsonrpc: '2.0', id: 1, result: { tenant: mcpAuth?.tenant } }))
    })
    await createAccounts({ records: store, tenant, passwords: createPasswords() }).add(user, systemClock())
  }
  await app.listen({ port: Number(new URL(origin).port), host: '127.0.0.1' })
  return { origin, at: (tenant: string) => new PlainClient(`${origin}/${tenant}`) }
}

const { origin, at } = await serve('jwt')
const opaque = await serve('opaque')

/** A client of the tenant, with an id that the other tenant has, too. */
function house (tenant: string, serving = at): PlainClient {
  return Object.assign(serving(tenant), { clientId: 'house' })
}

const redeem = (client: PlainClient, code: string, verifier: string) =>
  client.exchange({ code, verifier, redirect: new URL(origin) })

/** Which tenant a handler saw that the token let in. */
async function tenantOf (client: PlainClient, { access_token: token }: Tokens): Promise<string | undefined> {
  const answer = await client.callTool(token, 'whoami')
  return (await answer.json() as { result?: { tenant: string } }).result?.tenant
}

interface Metadata {
  readonly issuer: string
  readonly jwks_uri: string
  readonly authorization_servers: readonly string[]
}
const read = async <T>(url: string): Promise<T> => await (await fetch(url)).json() as T

const errorOf = async (response: Response) => [response.status, (await response.json() as { error: string }).error]

t.test('each tenant is found at its own place with its own keys, and none at the root', async (t) => {
  const kids: string[] = []
  for (const tenant of ['red', 'blue']) {
    const metadata = await read<Metadata>(`${origin}/.well-known/oauth-authorization-server/${tenant}`)
    t.equal(metadata.issuer, `${origin}/${tenant}`)
    const { keys } = await read<{ keys: Array<{ kid: string }> }>(metadata.jwks_uri)
    kids.push(...keys.map(({ kid }) => kid))
    const resource = await read<Metadata>(`${origin}/.well-known/oauth-protected-resource/${tenant}/mcp`)
    t.same(resource.authorization_servers, [`${origin}/${tenant}`])
  }

  t.equal(new Set(kids).size, 2)
  for (const root of ['oauth-authorization-server', 'oauth-protected-resource', 'openid-configuration', 'jwks.json']) {
    t.equal((await fetch(`${origin}/.well-known/${root}`)).status, 404, root)
  }
})

for (const [format, serving] of [['JWT', at], ['opaque', opaque.at]] as const) {
  t.test(`an access token (${format}) of one tenant is nothing at another, which cannot revoke it either`, async (t) => {
    const [red, blue] = [house('red', serving), house('blue', serving)]
    const tokens = await readTokens(await red.exchange(await red.authorize({}, user)))

    t.equal((await blue.callTool(tokens.access_token, 'whoami')).status, 401)
    const revoked = await fetch(`${blue.origin}/revoke`, {
      method: 'POST', body: new URLSearchParams({ client_id: 'house', token: tokens.access_token })
    })
    t.equal(revoked.status, 200)
    t.equal(await tenantOf(red, tokens), 'red')
  })
}

t.test('a code of one tenant is refused by another, and is not used up by that', async (t) => {
  const [red, blue] = [house('red'), house('blue')]
  const { code, verifier } = await red.authorize({}, user)

  t.same(await errorOf(await redeem(blue, code, verifier)), [400, 'invalid_grant'])
  t.equal((await redeem(red, code, verifier)).status, 200)
})

t.test('a refresh token of one tenant is refused by another, and its family lives on', async (t) => {
  const [red, blue] = [house('red'), house('blue')]
  const { refresh_token: token } = await readTokens(await red.exchange(await red.authorize({}, user)))

  t.same(await errorOf(await blue.refresh(token)), [400, 'invalid_grant'])
  t.equal((await red.refresh(token)).status, 200)
})

t.test('a client that registered with one tenant is unknown to another', async (t) => {
  const red = at('red')
  await red.register()
  const blue = Object.assign(at('blue'), { clientId: red.clientId })

  t.same(await errorOf(await blue.refresh('x')), [401, 'invalid_client'])
  t.equal((await fetch(blue.authorizationUrl('v'.repeat(43)), { redirect: 'manual' })).status, 400)
})

t.test('a request that was pushed to one tenant is unknown to another', async (t) => {
  const [red, blue] = [house('red'), house('blue')]
  const pushed = await fetch(`${red.origin}/par`, {
    method: 'POST', body: red.authorizationUrl('v'.repeat(43)).searchParams
  })
  const { request_uri: request } = await pushed.json() as { request_uri: string }
  const query = new URLSearchParams({ client_id: 'house', request_uri: request }).toString()
  const ask = async (client: PlainClient) => await fetch(`${client.origin}/authorize?${query}`, { redirect: 'manual' })

  t.equal(pushed.status, 201)
  t.equal((await ask(blue)).status, 400)
  t.equal((await ask(red)).status, 303)
})

t.test('who is signed in with one tenant is nobody to another, also under the name of its cookie', async (t) => {
  const [red, blue] = [house('red'), house('blue')]
  await red.authorize({}, user)
  const session = new Map(red.browser.cookies).get('__Host-mcp-session-red') ?? ''
  t.match(session, /^[\w-]{20,}$/)
  for (const name of ['__Host-mcp-session-red', '__Host-mcp-session-blue', '__Host-mcp-session']) {
    const cookie = `${name}=${session}`
    const answer = await fetch(blue.authorizationUrl('v'.repeat(43)), { headers: { cookie }, redirect: 'manual' })
    t.match(answer.headers.get('location'), /^\/blue\/sign-in\?/, name)
  }
})

t.test('one browser is signed in with both, each by itself', async (t) => {
  const browser = new FormBrowser()
  for (const tenant of ['red', 'blue', 'red']) {
    const client = Object.assign(house(tenant), { browser })
    const tokens = await readTokens(await client.exchange(await client.authorize({}, user)))
    t.equal(await tenantOf(client, tokens), tenant)
  }
  const names = browser.cookies.map(([name]) => name).filter((name) => name.includes('session'))
  t.same(names.sort(), ['__Host-mcp-session-blue', '__Host-mcp-session-red'])
})

t.test('a decision about one tenant that is sent to another decides nothing', async (t) => {
  const [red, blue] = [house('red'), house('blue')]
  await red.authorize({}, user)
  const page = await red.browser.open(red.authorizationUrl('v'.repeat(43), { prompt: 'consent' }))
  if (page instanceof URL) throw new Error('no consent page')
  const html = page.html.replaceAll('/red/', '/blue/')
  const answer = await red.browser.submit({ ...page, url: new URL(blue.origin), html }, 'transaction', { decision: 'allow' })

  t.ok(!(answer instanceof URL) && answer.status >= 400)
})
