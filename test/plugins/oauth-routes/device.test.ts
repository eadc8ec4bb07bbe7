import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { DEVICE_GRANT } from '../../../lib/protocol/grant-types.js'
import { fieldsOf } from '../../helpers/markup.js'
import {
  COOKIE, decide, oauthApp, post, register, RESOURCE, SECRET, ticked, type Answer, type Fields
} from '../../helpers/oauth-app.js'
import type { Teardown } from '../../helpers/build-app.js'

const DEVICE = { grant_types: [DEVICE_GRANT, 'refresh_token'], redirect_uris: undefined }

async function deviceApp (t: Teardown, routes: Parameters<typeof oauthApp>[1] = {}) {
  const made = await oauthApp(t, { ...routes, routes: { deviceAuthorization: true, ...routes.routes } })
  return { ...made, clientId: await register(made.app, DEVICE) }
}

const ask = (app: FastifyInstance, fields: Fields, headers = {}): Promise<Answer> =>
  post(app, '/device_authorization', { scope: 'notes:read notes:write', resource: RESOURCE, ...fields }, headers)

const poll = (app: FastifyInstance, deviceCode: string, clientId: string): Promise<Answer> =>
  post(app, '/token', { grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: clientId })

const visit = (app: FastifyInstance, query = '', user: string | undefined = 'alice'): Promise<Answer> =>
  app.inject({ url: `/device${query}`, headers: { cookie: COOKIE, ...(user === '' ? {} : { 'x-user': user }) } })

async function enter (
  app: FastifyInstance, userCode: string, headers: Readonly<Record<string, string>> = {}, fields: Fields = {}
): Promise<Answer> {
  const csrf = fieldsOf((await visit(app)).body).find(([name]) => name === 'csrf')?.[1]
  const sent = Object.entries({ cookie: COOKIE, 'x-user': 'alice', ...headers }).filter(([, value]) => value !== '')
  return await post(app, '/device', { csrf, user_code: userCode, ...fields }, Object.fromEntries(sent))
}

async function opened (app: FastifyInstance, clientId: string) {
  const { device_code: deviceCode, user_code: userCode } =
    (await ask(app, { client_id: clientId })).json<{ device_code: string, user_code: string }>()
  return { deviceCode, userCode }
}

t.test('a user whose tokens could be taken for those of a client can allow a device nothing (RFC 9068 §5)', async (t) => {
  const job = { clientId: 'job', secret: SECRET, grantTypes: ['client_credentials'], scope: 'notes:read' }
  const { app, events, clientId } = await deviceApp(t, { clients: [job] })
  const { userCode } = await opened(app, clientId)

  t.equal((await enter(app, userCode, { 'x-user': 'job' })).statusCode, 403)
  t.match(events.at(-1), { type: 'authorization.refused', reason: 'user named like a client' })
  t.equal((await enter(app, userCode)).statusCode, 200)
})

t.test('a device gets its tokens after a person typed its code and agreed', async (t) => {
  const { app, events, clock, clientId } = await deviceApp(t)
  const answer = await ask(app, { client_id: clientId })
  t.match(answer, { statusCode: 200, headers: { 'content-type': /^application\/json/, 'cache-control': 'no-store', 'access-control-allow-origin': '*' } })
  const { device_code: deviceCode, user_code: userCode, ...rest } = answer.json()
  t.same(rest, {
    verification_uri: 'https://as.example/device',
    verification_uri_complete: `https://as.example/device?user_code=${userCode}`,
    expires_in: 600,
    interval: 5
  })
  t.match(events.at(-1), { type: 'authorization.requested', operation: 'device_code', clientId, scopesAsked: ['notes:read', 'notes:write'] })
  t.match(await poll(app, deviceCode, clientId), { statusCode: 400, body: /authorization_pending/ })

  const page = await enter(app, userCode.toLowerCase())
  t.match(page, { statusCode: 200, body: new RegExp(`<strong class="user-code">${userCode}</strong>`) })
  t.match(events.at(-1), { type: 'authorization.requested', operation: 'device_code', subject: 'alice', clientId })
  const done = await decide(app, [...ticked(page).filter(([, value]) => value !== 'notes:write'), ['decision', 'allow']])
  t.match(done, { statusCode: 200, body: /Your device is connected/ })
  t.notHas(done.headers, 'location')
  t.match(events.at(-1), { type: 'consent.granted', subject: 'alice', clientId, scopesGranted: ['notes:read'] })

  clock.advance(5)
  const tokens = await poll(app, deviceCode, clientId)
  t.match(tokens.json(), { token_type: 'Bearer', scope: 'notes:read', refresh_token: /./ })
})

t.test('a person who denies, or ticks nothing, leaves the device with nothing', async (t) => {
  for (const decision of ['deny', 'allow']) {
    const { app, events, clientId } = await deviceApp(t)
    const { deviceCode, userCode } = await opened(app, clientId)
    const page = await enter(app, userCode)

    const done = await decide(app, [...ticked(page).filter(([name]) => name !== 'scope'), ['decision', decision]])

    t.match(done, { statusCode: 200, body: /Nothing was allowed/ })
    t.match(events.at(-1), { type: 'consent.denied', subject: 'alice', clientId })
    t.match(await poll(app, deviceCode, clientId), { statusCode: 400, body: /access_denied/ })
  }
})

t.test('a link only fills the code in (RFC 8628 §5.4)', async (t) => {
  const { app, clientId } = await deviceApp(t)
  const { deviceCode, userCode } = await opened(app, clientId)

  const page = await visit(app, `?user_code=${userCode}`)

  t.match(page, { statusCode: 200, headers: { 'cache-control': 'no-store', 'content-security-policy': /frame-ancestors 'none'/ } })
  t.same(fieldsOf(page.body).find(([name]) => name === 'user_code'), ['user_code', userCode])
  t.match(await poll(app, deviceCode, clientId), { body: /authorization_pending/ })
})

t.test('what is no code in a link is left out', async (t) => {
  const { app } = await deviceApp(t)
  const page = await visit(app, '?user_code=%22%3E%3Cscript%3E')

  t.same(fieldsOf(page.body).find(([name]) => name === 'user_code'), ['user_code', ''])
})

t.test('nobody gets further without signing in', async (t) => {
  const { app, clientId } = await deviceApp(t)
  const { userCode } = await opened(app, clientId)

  t.equal((await visit(app, '', '')).statusCode, 401)
  t.match(await enter(app, userCode, { 'x-user': '' }), { statusCode: 401, body: /Sign in first/ })
})

t.test('a host that sends people to sign in gets them back to the page with its code', async (t) => {
  const { app } = await deviceApp(t, {
    routes: { signIn: (request, reply, { interactive }) => { if (interactive) reply.redirect(`/login?to=${encodeURIComponent(request.url)}`, 303); return null } }
  })

  t.match(await visit(app, '?user_code=WDJB-MJHT'), { statusCode: 303, headers: { location: '/login?to=%2Fdevice%3Fuser_code%3DWDJB-MJHT' } })
})

t.test('a host that answers the form by itself is left to it, and can offer a way out', async (t) => {
  const { app } = await deviceApp(t, {
    routes: {
      signIn: (request, reply) => {
        if (request.headers['x-user'] === 'mallory') reply.code(418).send()
        return { subject: 'alice', signOutAction: '/logout' }
      }
    }
  })

  t.match(await visit(app), { body: /action="\/logout"/ })
  t.equal((await enter(app, 'BBBB-BBBB', { 'x-user': 'mallory' })).statusCode, 418)
})

const noForms: Record<string, [Readonly<Record<string, string>>, Fields]> = {
  'another origin': [{ origin: 'https://evil.example' }, {}],
  'no token': [{}, { csrf: undefined }],
  'a wrong token': [{}, { csrf: 'x'.repeat(43) }],
  'the token of another browser': [{ cookie: '__Host-mcp-browser=abcdefghijklmnopqrstuv' }, {}]
}

for (const [what, [headers, fields]] of Object.entries(noForms)) {
  t.test(`a form with ${what} is not ours (AS-C2)`, async (t) => {
    const { app, clientId } = await deviceApp(t)
    const { userCode } = await opened(app, clientId)
    t.match(await enter(app, userCode, headers, fields), { statusCode: 403, headers: { 'content-type': /html/ } })
  })
}

t.test('a code that nobody waits under is told from none, and the page comes again', async (t) => {
  const { app, events } = await deviceApp(t)

  t.match(await enter(app, 'BBBB-BBBB'), { statusCode: 400, body: /No device is waiting/ })
  t.match(events.at(-1), { type: 'authorization.refused', reason: 'unknown user code', subject: 'alice', operation: 'device_code' })
  t.match(await enter(app, 'hello'), { statusCode: 400, body: /A code has eight letters/ })
  t.match(await enter(app, '', {}, { user_code: undefined }), { statusCode: 400, body: /A code has eight letters/ })
})

t.test('a person who guesses has to wait, also for the right code (RFC 8628 §5.1)', async (t) => {
  const { app, events, clock, clientId } = await deviceApp(t)
  for (let guess = 0; guess < 10; guess += 1) await enter(app, 'BBBB-BBBB')
  const { userCode } = await opened(app, clientId)

  t.match(await enter(app, userCode), { statusCode: 429, headers: { 'retry-after': '600' }, body: /Too many codes/ })
  t.match(events.at(-1), { type: 'authorization.refused', reason: 'too many user codes', subject: 'alice' })
  t.equal((await enter(app, userCode, { 'x-user': 'bob' })).statusCode, 200)
  clock.advance(600)
  t.equal((await enter(app, (await opened(app, clientId)).userCode)).statusCode, 200)
})

t.test('of two people with one code the first decides', async (t) => {
  const { app, clientId } = await deviceApp(t)
  const { deviceCode, userCode } = await opened(app, clientId)
  const [mine, hers] = [await enter(app, userCode), await enter(app, userCode, { 'x-user': 'mallory' })]

  t.match(await decide(app, [...ticked(mine), ['decision', 'allow']]), { statusCode: 200, body: /connected/ })
  t.match(await decide(app, [...ticked(mine), ['decision', 'allow']]), { statusCode: 200, body: /connected/ }, 'sent again')
  for (const decision of ['allow', 'deny']) {
    t.equal((await decide(app, [...ticked(hers), ['decision', decision]], { 'x-user': 'mallory' })).statusCode, 400)
  }
  t.match(await enter(app, userCode), { statusCode: 400, body: /No device is waiting/ })
  t.equal((await poll(app, deviceCode, clientId)).statusCode, 200)
})

t.test('a page that is answered after the code has ended approves nothing', async (t) => {
  const { app, clock, clientId } = await deviceApp(t)
  const { deviceCode, userCode } = await opened(app, clientId)
  clock.advance(300)
  const page = await enter(app, userCode)
  clock.advance(300)

  t.equal((await decide(app, [...ticked(page), ['decision', 'allow']])).statusCode, 400)
  t.match(await poll(app, deviceCode, clientId), { statusCode: 400, body: /expired_token/ })
})

t.test('where the device asked from is shown, and whether that is here', async (t) => {
  const { app, clientId, clock } = await deviceApp(t)
  const { userCode } = await opened(app, clientId)
  clock.advance(120)

  t.match(await enter(app, userCode), { body: /<bdi>127\.0\.0\.1<\/bdi> <small>the network of this browser, 2 minutes ago/ })
})

const refused: Record<string, [Fields, number, string]> = {
  'no client': [{}, 401, 'invalid_client'],
  'an unknown client': [{ client_id: 'nobody' }, 401, 'invalid_client'],
  'a client that did not register the grant': [{ client_id: 'house' }, 400, 'unauthorized_client'],
  'a confidential client without its secret': [{ client_id: 'vault' }, 401, 'invalid_client'],
  'another resource': [{ resource: 'https://evil.example/' }, 400, 'invalid_target'],
  'a malformed scope': [{ scope: 'a"b' }, 400, 'invalid_scope']
}

for (const [what, [fields, status, error]] of Object.entries(refused)) {
  t.test(`${what} gets no codes`, async (t) => {
    const { app, events, clientId } = await deviceApp(t)
    const answer = await ask(app, { ...(status === 400 ? { client_id: clientId } : {}), ...fields })

    t.match(answer, { statusCode: status, headers: { 'content-type': /^application\/json/, 'cache-control': 'no-store' } })
    t.equal(answer.json().error, error)
    t.match(events.at(-1), { type: 'authorization.refused', outcome: 'denied' })
  })
}

t.test('a repeated parameter is refused', async (t) => {
  const { app, clientId } = await deviceApp(t)
  const payload = `client_id=${clientId}&scope=notes:read&scope=notes:read`

  t.match(await app.inject({
    method: 'POST', url: '/device_authorization', payload, headers: { 'content-type': 'application/x-www-form-urlencoded' }
  }), { statusCode: 400, body: /invalid_request/ })
})

t.test('a request without resource needs the leniency, and the audit hears of it', async (t) => {
  const { app, events, clientId } = await deviceApp(t)
  t.equal((await ask(app, { client_id: clientId, resource: undefined })).statusCode, 200)
  t.match(events.at(-2), { type: 'leniency.used', operation: 'missingResource', clientId })

  const { app: strict, clientId: other } = await deviceApp(t, { routes: { strict: true } })
  t.match(await ask(strict, { client_id: other, resource: undefined }), { statusCode: 400, body: /invalid_target/ })
})

t.test('a client that is gone when its code is typed is like none', async (t) => {
  const { app, records, clientId } = await deviceApp(t)
  const { userCode } = await opened(app, clientId)
  await records.removeWhere({ tenant: 'default', kind: 'client' }, 0)

  t.match(await enter(app, userCode), { statusCode: 400, body: /No device is waiting/ })
})

t.test('it is off unless the operator wants it: not there, not advertised, not to be registered', async (t) => {
  const { app } = await oauthApp(t)

  t.equal((await ask(app, { client_id: 'house' })).statusCode, 404)
  t.equal((await visit(app)).statusCode, 404)
  const metadata = (await app.inject('/.well-known/oauth-authorization-server')).json()
  t.notHas(metadata, 'device_authorization_endpoint')
  t.notOk(metadata.grant_types_supported.includes(DEVICE_GRANT))
  t.match(await app.inject({ method: 'POST', url: '/register', payload: { ...DEVICE } }), { statusCode: 400 })
  t.match(await poll(app, 'x', 'house'), { statusCode: 400, body: /unsupported_grant_type/ })
})

t.test('it is advertised where it is on', async (t) => {
  const { app } = await deviceApp(t)
  const metadata = (await app.inject('/.well-known/oauth-authorization-server')).json()

  t.equal(metadata.device_authorization_endpoint, 'https://as.example/device_authorization')
  t.ok(metadata.grant_types_supported.includes(DEVICE_GRANT))
})

t.test('other methods are refused', async (t) => {
  const { app } = await deviceApp(t)

  t.match(await app.inject({ method: 'PUT', url: '/device' }), { statusCode: 405, headers: { allow: 'GET, POST' } })
  t.match(await app.inject({ method: 'GET', url: '/device_authorization' }), { statusCode: 405 })
})
