import t from 'tap'
import type { OAuthRoutesOptions } from '../../../types/options.js'
import type { Teardown } from '../../helpers/build-app.js'
import { json, serveDocuments } from '../../helpers/document-server.js'
import { elementsOf } from '../../helpers/markup.js'
import {
  authorizationUrl, authorize, codeFor, decide, LOOPBACK, oauthApp, post, redirected, ticked, VERIFIER
} from '../../helpers/oauth-app.js'

/** A client with a document on this machine, and a server that reads such. */
async function scene (t: Teardown, options: Partial<OAuthRoutesOptions> = {}) {
  const server = await serveDocuments(t, json({}), 'localhost')
  const clientId = server.url().href
  const document = { client_id: clientId, client_name: 'A documented client', redirect_uris: [LOOPBACK] }
  server.answer(json(document))
  const { agent } = server.options
  const oauth = await oauthApp(t, { routes: { clientDocuments: { agent, loopback: true }, ...options } })
  return { ...oauth, server, clientId, document, asks: { client_id: clientId, redirect_uri: LOOPBACK } }
}

t.test('a client with a document gets consent, a code and tokens, and refreshes them', async (t) => {
  const { app, asks, clientId, server, events } = await scene(t)
  const code = await codeFor(app, asks)
  const exchange = { grant_type: 'authorization_code', client_id: clientId, code, code_verifier: VERIFIER, redirect_uri: LOOPBACK }
  const tokens = await post(app, '/token', exchange)
  t.equal(tokens.statusCode, 200)
  const refreshed = await post(app, '/token', {
    grant_type: 'refresh_token', client_id: clientId, refresh_token: tokens.json().refresh_token
  })
  t.equal(refreshed.statusCode, 200)
  t.equal(server.seen.length, 1, 'neither consent nor the token endpoint fetches')
  t.match(events.find(({ type }) => type === 'token.issued'), { clientId })
})

t.test('the consent page says who publishes what is known of the client (AS-C1)', async (t) => {
  const { app, asks, server } = await scene(t)
  const { body } = await authorize(app, asks)
  t.match(body, `<dt>Assured by</dt><dd><bdi>${server.url().host}</bdi> `)
  t.match(body, 'A documented client')
  t.notMatch(body, /registered itself/)
})

t.test('nothing is fetched for a stranger, who is asked to sign in first (PX-15)', async (t) => {
  const { app, asks, server } = await scene(t)
  const answer = await app.inject({ url: authorizationUrl(asks) })
  t.match(answer, { statusCode: 401, headers: { 'content-type': /^text\/html/ } })
  const silent = await app.inject({ url: authorizationUrl({ ...asks, prompt: 'none' }) })
  t.equal(silent.statusCode, 401)
  t.notOk('location' in silent.headers)
  t.same(server.seen, [])
})

t.test('a host that answers the request itself is not interrupted', async (t) => {
  const { app, asks, server } = await scene(t, {
    signIn: async (_request, reply) => {
      await reply.redirect('/sign-in')
      return null
    }
  })
  t.match(await app.inject({ url: authorizationUrl(asks) }), { statusCode: 302, headers: { location: '/sign-in' } })
  t.same(server.seen, [])
})

t.test('a user who is signed in is asked once who he is', async (t) => {
  let asked = 0
  const { app, asks } = await scene(t, { signIn: () => { asked += 1; return { subject: 'alice' } } })
  t.equal((await authorize(app, asks)).statusCode, 200)
  t.equal(asked, 1)
})

t.test('a redirect URI that the document does not name is not followed (AS-A2)', async (t) => {
  const { app, clientId } = await scene(t)
  const answer = await authorize(app, { client_id: clientId, redirect_uri: 'https://elsewhere.example/cb' })
  t.equal(answer.statusCode, 400)
  t.notOk('location' in answer.headers)
})

t.test('whatever is wrong with a document, the page is the same, and leads nowhere (PX-12, PX-15)', async (t) => {
  const pages = new Set<string>()
  for (const [path, status, body] of [
    ['/gone', 404, {}], ['/empty', 200, {}], ['/list', 200, []], ['/moved', 302, {}], ['/secret', 200, { client_secret: 'x' }]
  ] as const) {
    const { app, server, events } = await scene(t)
    const url = server.url(path).href
    server.answer((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json', location: '/client.json' })
      response.end(JSON.stringify(Array.isArray(body) ? body : { client_id: url, client_name: 'x', redirect_uris: [LOOPBACK], ...body, ...(path === '/empty' ? { redirect_uris: [] } : {}) }))
    })
    const answer = await authorize(app, { client_id: url, redirect_uri: LOOPBACK })
    t.equal(answer.statusCode, 400, path)
    t.same(elementsOf(answer.body).filter(({ name }) => name === 'a'), [])
    t.match(events.at(-1), { type: 'authorization.refused', reason: /^client document/ })
    pages.add(answer.body.replace(/<code[^>]*>.*?<\/code>/g, ''))
    t.same(server.seen, [path])
  }
  t.equal(pages.size, 1)
})

t.test('errors do not redirect to a client with a document before the user has acted (AS-A11)', async (t) => {
  const { app, asks } = await scene(t)
  const answer = await authorize(app, { ...asks, response_type: 'token' })
  t.equal(answer.statusCode, 400)
  t.notOk('location' in answer.headers)
})

t.test('a changed document counts when it is read again, also for the redirect URI', async (t) => {
  const { app, asks, server, document, clock } = await scene(t)
  const page = await authorize(app, asks)
  t.equal(page.statusCode, 200)
  server.answer(json({ ...document, redirect_uris: ['https://new.example/cb'] }))
  t.equal((await authorize(app, asks)).statusCode, 200, 'still fresh')
  clock.advance(3600)
  t.equal((await authorize(app, asks)).statusCode, 400)
  t.equal((await authorize(app, { ...asks, redirect_uri: 'https://new.example/cb' })).statusCode, 200)
})

t.test('the operator may switch documents off', async (t) => {
  const { app, asks, server } = await scene(t, { clientDocuments: false })
  t.equal((await authorize(app, asks)).statusCode, 400)
  t.same(server.seen, [])
})

t.test('a client on loopback is not read unless the operator says so', async (t) => {
  const { app, asks, server, events } = await scene(t, { clientDocuments: {} })
  t.equal((await authorize(app, asks)).statusCode, 400)
  t.match(events.at(-1), { reason: 'client document: an address that is not public' })
  t.same(server.seen, [])
})

t.test('a page that is answered late still goes to the client that it was about', async (t) => {
  const { app, asks, server } = await scene(t)
  const page = await authorize(app, asks)
  server.answer((_request, response) => { response.writeHead(500).end() })
  const answer = await decide(app, [...ticked(page), ['decision', 'allow']])
  t.ok(redirected(answer).code)
})
