import t, { type Test } from 'tap'
import { StoreUnavailableError } from '../../../lib/stores/errors.js'
import { versions } from '../../helpers/fastify-versions.js'
import { elementsOf, fieldsOf } from '../../helpers/markup.js'
import {
  authorizationUrl, authorize, ISSUER, LOOPBACK, oauthApp, redirected, ticked, register, RESOURCE, SECRET, STATICS,
  watchedStore, type Answer, type Fields
} from '../../helpers/oauth-app.js'

/** A page, and nothing that sends the browser anywhere. */
function assertPage (t: Test, answer: Answer, status: number): void {
  const { headers } = answer
  t.equal(answer.statusCode, status)
  t.equal(headers['content-type'], 'text/html; charset=utf-8')
  t.equal(headers['cache-control'], 'no-store')
  t.equal(headers['x-frame-options'], 'DENY')
  t.match(headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'/)
  t.notOk('location' in headers || 'refresh' in headers)
  t.notOk('access-control-allow-origin' in headers)
  t.notMatch(answer.body, /<script|http-equiv/i)
}

const linksOf = (answer: Answer): string[] => elementsOf(answer.body)
  .flatMap(({ name, attributes }) => name === 'a' ? [attributes.get('href') ?? ''] : [])

const REGISTERED = ['http://127.0.0.1/cb', 'https://c.example/cb']

for (const requested of [
  'http://127.0.0.1:1/cb/../x', 'http://127.0.0.1.evil/cb', 'http://localhost:1/cb', 'https://c.example:444/cb',
  'https://c.example/cb?x', 'https://c.example/cb/', 'https://c.example@evil/cb', 'https://C.example/cb',
  'https://c.example/cb#', 'https://c.example/cb%2f', 'http://c.example/cb', 'https://127.0.0.1/cb', '//evil.example',
  'javascript:alert(1)', 'data:text/html,x', 'http://127.0.0.1:99999/cb', 'http://[::1]:1/cb', '\r\nlocation: https://evil'
]) {
  t.test(`the redirect URI ${JSON.stringify(requested)} is not followed`, async (t) => {
    const { app } = await oauthApp(t)
    const clientId = await register(app, { redirect_uris: REGISTERED })
    const answer = await authorize(app, { client_id: clientId, redirect_uri: requested })
    assertPage(t, answer, 400)
    t.same(linksOf(answer), [])
  })
}

t.test('a loopback redirect URI may have any port', async (t) => {
  const { app } = await oauthApp(t)
  const clientId = await register(app, { redirect_uris: REGISTERED })
  assertPage(t, await authorize(app, { client_id: clientId, redirect_uri: 'http://127.0.0.1:54321/cb' }), 200)
})

const untargeted: Record<string, string> = {
  'nothing at all': '/authorize',
  'no client': '/authorize?response_type=code',
  'an unknown client': authorizationUrl({ client_id: 'nobody' }),
  'an unknown client that looks registered': authorizationUrl({ client_id: 'a'.repeat(22) }),
  'a client that is a URL': authorizationUrl({ client_id: 'https://client.example/meta.json' }),
  'a repeated client': `${authorizationUrl({})}&client_id=house`,
  'a repeated redirect URI': `${authorizationUrl({ redirect_uri: 'https://house.example/cb?from=as' })}&redirect_uri=x`,
  '__proto__ as client': authorizationUrl({ client_id: '__proto__' }),
  'a NUL': `${authorizationUrl({})}&x=%00`,
  'a lone surrogate': `${authorizationUrl({})}&state=%ED%A0%80`,
  'broken encoding': `${authorizationUrl({})}&x=%zz`,
  'a hundred and twenty-nine parameters': `${authorizationUrl({})}${'&a=1'.repeat(129)}`
}

for (const [what, url] of Object.entries(untargeted)) {
  t.test(`${what} is a page without a way out, also when signed in`, async (t) => {
    const { store, added } = watchedStore()
    const { app, events } = await oauthApp(t, { store })
    const answer = await app.inject({ url, headers: { 'x-user': 'alice' } })
    assertPage(t, answer, 400)
    t.same(linksOf(answer), [])
    t.notOk(added.includes('grant'))
    t.match(events.at(-1), { type: 'authorization.refused', outcome: 'denied', reason: String })
  })
}

const wrong: Record<string, [Fields, string]> = {
  'no response type': [{ response_type: undefined }, 'invalid_request'],
  'the implicit grant': [{ response_type: 'token' }, 'unsupported_response_type'],
  'the answer in a fragment': [{ response_mode: 'fragment' }, 'invalid_request'],
  'no challenge': [{ code_challenge: undefined }, 'invalid_request'],
  'a plain challenge': [{ code_challenge_method: 'plain' }, 'invalid_request'],
  'no challenge method': [{ code_challenge_method: undefined }, 'invalid_request'],
  'a short challenge': [{ code_challenge: 'abc' }, 'invalid_request'],
  'another resource': [{ resource: 'https://evil.example/' }, 'invalid_target'],
  'a request object': [{ request: 'e30.e30.' }, 'request_not_supported'],
  'a request object to be fetched': [{ request_uri: 'https://evil.example/' }, 'request_uri_not_supported'],
  'ten thousand scopes': [{ scope: 'a '.repeat(10_000) }, 'invalid_scope'],
  'a scope that is none': [{ scope: 'notes"read' }, 'invalid_scope']
}

for (const [what, [parameters, error]] of Object.entries(wrong)) {
  t.test(`${what}: a configured client is told ${error} by redirect, with state and iss`, async (t) => {
    const { store, added } = watchedStore()
    const { app, events } = await oauthApp(t, { store })
    const answer = await app.inject(authorizationUrl(parameters))
    t.equal(answer.statusCode, 303)
    t.match(answer.headers.location, /^https:\/\/house\.example\/cb\?from=as&/)
    t.match(redirected(answer), { error, error_description: String, state: 'a state', iss: ISSUER, from: 'as' })
    t.equal(String(answer.headers.location).match(/[?&]iss=/g)?.length, 1)
    t.notOk(added.includes('grant'))
    t.match(events.at(-1), { type: 'authorization.refused', clientId: 'house' })
  })

  t.test(`${what}: a self-registered client is told ${error} only through a link that the user follows`, async (t) => {
    const { store, added } = watchedStore()
    const { app } = await oauthApp(t, { store })
    const clientId = await register(app)
    const answer = await authorize(app, { ...parameters, client_id: clientId })
    assertPage(t, answer, 400)
    const [link, ...others] = linksOf(answer).map((href) => new URL(href))
    t.same(others, [])
    t.equal(link?.href.split('?')[0], LOOPBACK)
    t.match(Object.fromEntries(link?.searchParams ?? []), { error, state: 'a state', iss: ISSUER })
    t.match(answer.body, /Return to 127\.0\.0\.1:4711/)
    t.notOk(added.includes('grant'))
  })

  t.test(`${what}: nobody who is not signed in learns where a self-registered client lives`, async (t) => {
    const { app } = await oauthApp(t)
    const clientId = await register(app)
    const answer = await app.inject(authorizationUrl({ ...parameters, client_id: clientId }))
    assertPage(t, answer, 401)
    t.notMatch(answer.body, /127\.0\.0\.1/)
  })
}

t.test('a repeated state is not sent back', async (t) => {
  const { app } = await oauthApp(t)
  const answer = await app.inject(`${authorizationUrl({})}&state=other`)
  t.match(redirected(answer), { error: 'invalid_request' })
  t.notOk('state' in redirected(answer))
})

t.test('a state of any characters comes back as it was', async (t) => {
  const { app } = await oauthApp(t)
  const state = 'ä&=+% #?/"\'<>\u2028'
  t.equal(redirected(await app.inject(authorizationUrl({ state, response_type: 'token' }))).state, state)
})

for (const [user, error] of [['', 'login_required'], ['alice', 'consent_required']] as const) {
  const headers = user === '' ? {} : { 'x-user': user }

  t.test(`prompt=none is ${error} for a configured client ${user === '' ? 'without a' : 'with a'} user`, async (t) => {
    const { app } = await oauthApp(t)
    const answer = await app.inject({ url: authorizationUrl({ prompt: 'none' }), headers })
    t.match(redirected(answer), { error, state: 'a state', iss: ISSUER })
  })

  t.test(`prompt=none is ${error} behind a link for a self-registered client ${user === '' ? 'without a' : 'with a'} user`, async (t) => {
    const { app } = await oauthApp(t)
    const answer = await app.inject({ url: authorizationUrl({ client_id: await register(app), prompt: 'none' }), headers })
    assertPage(t, answer, 400)
    t.equal(new URL(linksOf(answer)[0] ?? '').searchParams.get('error'), error)
  })
}

t.test('prompt=none does not hide what else is wrong, whether somebody is signed in or not', async (t) => {
  const { app } = await oauthApp(t)
  const url = authorizationUrl({ client_id: await register(app), prompt: 'none', response_type: 'token' })
  for (const headers of [{ 'x-user': 'alice' }, {}]) {
    const answer = await app.inject({ url, headers })
    t.equal(new URL(linksOf(answer)[0] ?? '').searchParams.get('error'), 'unsupported_response_type')
  }
})

t.test('the sign-in hook is told whether a page may come in between', async (t) => {
  const asked: boolean[] = []
  const { app } = await oauthApp(t, {
    routes: { signIn: (_request, _reply, { interactive }) => { asked.push(interactive); return null } }
  })
  await app.inject(authorizationUrl({}))
  await app.inject(authorizationUrl({ prompt: 'none' }))
  t.same(asked, [true, false])
})

for (const version of Object.keys(versions)) {
  t.test(`Fastify ${version}: a sign-in hook that answers is left alone, also while the host's onSend takes its time`, async (t) => {
    const { app } = await oauthApp(t, {
      version,
      prepare: (app) => {
        app.addHook('onSend', async () => { await new Promise((resolve) => { setImmediate(resolve) }) })
      },
      routes: {
        signIn: async (request, reply) => {
          reply.redirect(`/login?back=${encodeURIComponent(request.url)}`, 303)
          return null
        }
      }
    })
    const answer = await app.inject(authorizationUrl({}))
    t.match(answer, { statusCode: 303, headers: { location: /^\/login\?back=%2Fauthorize/ } })
  })
}

t.test('a sign-in hook that hijacks the reply is left alone', async (t) => {
  const { app } = await oauthApp(t, {
    routes: {
      signIn: async (_request, reply) => {
        reply.hijack()
        reply.raw.end('own page')
        return null
      }
    }
  })
  t.equal((await app.inject(authorizationUrl({}))).body, 'own page')
})

for (const [what, signIn] of Object.entries({
  throws: () => { throw new Error('ldap://secret.internal') },
  'answers an empty subject': () => ({ subject: '' }),
  'answers a subject that is too long': () => ({ subject: 'a'.repeat(256) }),
  'answers a subject with control characters': () => ({ subject: 'a\u0000' }),
  'answers a subject with a lone surrogate': () => ({ subject: 'a\ud800' }),
  'answers a sign-in in milliseconds': () => ({ subject: 'alice', authenticatedAt: 1_600_000_000_000 }),
  'answers a sign-in at no time': () => ({ subject: 'alice', authenticatedAt: NaN })
})) {
  t.test(`a sign-in hook that ${what} is our mistake and opens nothing`, async (t) => {
    const { store, added } = watchedStore()
    const { app } = await oauthApp(t, { store, routes: { signIn } })
    const answer = await app.inject(authorizationUrl({}))
    assertPage(t, answer, 500)
    t.notMatch(answer.body, /secret|subject/)
    t.notOk(added.includes('grant'))
  })
}

t.test('nothing is stored before the user is signed in', async (t) => {
  const { store, added } = watchedStore()
  const { app, events } = await oauthApp(t, { store })
  const answer = await app.inject(authorizationUrl({}))
  assertPage(t, answer, 401)
  t.match(answer.body, /Sign in first/)
  t.notOk(added.includes('grant'))
  t.match(events.at(-1), { type: 'authorization.refused', reason: 'nobody is signed in' })
})

t.test('the consent page names application, destination, resource and scopes, and asks anew every time', async (t) => {
  const { app, events } = await oauthApp(t)
  for (const scope of ['notes:read notes:write', 'notes:read notes:write']) {
    const answer = await authorize(app, { scope, state: undefined })
    assertPage(t, answer, 200)
    t.match(answer.body, /House client[\s\S]*house\.example[\s\S]*https:\/\/as\.example\/mcp/)
    t.match(answer.body, /Read your notes[\s\S]*List notes[\s\S]*Change your notes[\s\S]*delete_note/)
    t.match(events.at(-1), {
      type: 'authorization.requested',
      subject: 'alice',
      clientId: 'house',
      grantId: /^[\w-]{22}$/,
      resource: RESOURCE,
      scopesAsked: ['notes:read', 'notes:write']
    })
  }
})

t.test('the form of the consent page may be answered with a redirect to the client, which may go on by https, and to nowhere else', async (t) => {
  const { app } = await oauthApp(t, { routes: { redirectSchemes: ['cursor'] } })
  const of = async (uri: string): Promise<unknown> => {
    const answer = await authorize(app, { client_id: await register(app, { redirect_uris: [uri] }) })
    return /form-action ([^;]+)/.exec(String(answer.headers['content-security-policy']))?.[1]
  }
  t.equal(await of('https://c.example:8443/cb?x=1'), "'self' https://c.example:8443 https:")
  t.equal(await of(LOOPBACK), "'self' http://127.0.0.1:4711 https:")
  t.equal(await of('cursor://anysphere/cb'), "'self' cursor: https:")
})

t.test('a browser gets one name for good, in a cookie that only this origin can set', async (t) => {
  const { app } = await oauthApp(t)
  const first = await app.inject({ url: authorizationUrl({}), headers: { 'x-user': 'alice' } })
  const cookie = String(first.headers['set-cookie'])
  t.match(cookie, /^__Host-mcp-browser=[\w-]{22}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  const second = await app.inject({ url: authorizationUrl({}), headers: { 'x-user': 'alice', cookie } })
  t.notOk('set-cookie' in second.headers)
})

t.test('what a client says of itself is harmless on the page', async (t) => {
  const { app } = await oauthApp(t)
  const name = `<img src=x onerror=alert(1)>\u202E${'x'.repeat(180)}`
  const answer = await authorize(app, { client_id: await register(app, { client_name: name, logo_uri: 'https://evil.example/x.png' }) })
  assertPage(t, answer, 200)
  t.notMatch(answer.body, /<img|\u202E|evil\.example/)
  t.match(answer.body, /registered itself less than a minute ago/)
})

t.test('a deviation for an old client is reported and counted by name, also where nobody listens', async (t) => {
  const { app, events } = await oauthApp(t)
  const clientId = await register(app, { redirect_uris: ['http://localhost/cb'] })
  await authorize(app, { client_id: clientId, redirect_uri: 'http://localhost:5000/cb', resource: undefined })
  const used = events.filter(({ type }) => type === 'leniency.used').map(({ operation }) => operation)
  t.same(used, ['loopbackWebClient', 'localhostAnyPort', 'missingResource'])
  t.match(app.pkceStore.leniencyUses.counts(), {
    loopbackWebClient: 1, localhostAnyPort: 1, missingResource: 1, codeRepeat: 0
  })
})

t.test('strict allows no deviation', async (t) => {
  const { app } = await oauthApp(t, { routes: { strict: true, leniencies: { missingResource: true } } })
  t.equal(redirected(await authorize(app, { resource: undefined })).error, 'invalid_target')
})

t.test('what the host says of the user goes into the grant and onto the page', async (t) => {
  const { app, events, records, clock } = await oauthApp(t, {
    routes: {
      signIn: () => ({
        subject: 'u-1', name: 'Alice A.', authenticatedAt: 1_600_000_000, acr: 'gold', amr: ['pwd', 'otp'], signOutAction: '/bye?a=b'
      })
    }
  })
  const answer = await authorize(app)
  t.match(answer.body, /Alice A\./)
  t.match(answer.body, /action="\/bye\?a=b"/)
  const grant = await records.get({ tenant: 'default', kind: 'grant', id: events.at(-1)?.grantId ?? '' }, clock())
  t.match(JSON.parse(grant?.body ?? ''), { subject: 'u-1', authenticatedAt: 1_600_000_000, acr: 'gold', amr: ['pwd', 'otp'] })
})

t.test('neither Host nor forwarding headers leave a trace', async (t) => {
  const { app } = await oauthApp(t)
  const clientId = await register(app)
  const headers = {
    host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher', forwarded: 'host=evil.example', 'x-user': 'alice'
  }
  for (const parameters of [{}, { response_type: 'token' }, { client_id: clientId }, { client_id: clientId, response_type: 'token' }]) {
    const answer = await app.inject({ url: authorizationUrl(parameters), headers })
    t.notMatch(JSON.stringify([answer.headers, answer.body]), /evil|gopher/)
  }
})

t.test('a store that cannot be reached is a page with Retry-After', async (t) => {
  const { store, fail } = watchedStore()
  const { app } = await oauthApp(t, { store })
  fail(new StoreUnavailableError('down'))
  const answer = await authorize(app)
  assertPage(t, answer, 503)
  t.equal(answer.headers['retry-after'], '5')
})

t.test('form fields of the page hold no secret but the handle and its token', async (t) => {
  const { app } = await oauthApp(t)
  const fields = fieldsOf((await authorize(app)).body)
  t.same(fields.map(([name]) => name), ['transaction', 'csrf', 'scope'])
})

t.test('a client that the operator limits is asked for nothing beyond its limit', async (t) => {
  const { app } = await oauthApp(t)

  const page = await authorize(app, { client_id: 'reader', scope: 'notes:write notes:read' })
  const refused = await authorize(app, { client_id: 'reader', scope: 'notes:write' })

  t.strictSame(ticked(page).filter(([name]) => name === 'scope'), [['scope', 'notes:read']])
  t.match(redirected(refused), { error: 'invalid_scope', iss: ISSUER })
})

t.test('a user whose tokens could be taken for those of a client can allow it nothing (RFC 9068 §5)', async (t) => {
  const job = { clientId: 'job', secret: SECRET, grantTypes: ['client_credentials'], scope: 'notes:read' }
  const { app, events } = await oauthApp(t, { clients: [...STATICS, job] })

  t.match(redirected(await authorize(app, {}, 'job')), { error: 'access_denied', iss: ISSUER, state: 'a state' })
  t.match(events.at(-1), { type: 'authorization.refused', reason: 'user named like a client' })
  assertPage(t, await authorize(app, {}, 'jobs'), 200)
})
