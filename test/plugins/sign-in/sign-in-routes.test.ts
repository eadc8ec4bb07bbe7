import fc from 'fast-check'
import t from 'tap'
import { StoreUnavailableError } from '../../../lib/stores/errors.js'
import { watchedStore } from '../../helpers/oauth-app.js'
import { fieldsOf } from '../../helpers/markup.js'
import { ISSUER, NAME, PASSWORD, signInApp, visitor } from '../../helpers/sign-in-app.js'

const SESSION = '__Host-mcp-session'
const REQUEST = '/authorize?client_id=c&scope=a+b%20c&state=%2F%2Fevil.example%3D&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb'
const WRONG = 'The name or the password is not right.'

const pathTo = (target: string): string => `/sign-in?return_to=${encodeURIComponent(target)}`

t.test('the page asks for name and password and carries where the browser came from', async (t) => {
  const { app } = await signInApp(t)

  const page = await visitor(app).open(pathTo(REQUEST))

  t.equal(page.statusCode, 200)
  t.match(page.headers, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'x-frame-options': 'DENY',
    'content-security-policy': /default-src 'none'/
  })
  t.match(Object.fromEntries(fieldsOf(page.body)), { name: '', password: '', csrf: /^[\w-]{43}$/, return_to: REQUEST })
  t.match(page.body, 'action="/sign-in"')
})

t.test('the right password leads to where the browser came from, of which nothing is lost', async (t) => {
  const { app, addAccount, events } = await signInApp(t)
  const { subject } = await addAccount()
  const browser = visitor(app)

  const answer = await browser.submit(await browser.open(pathTo(REQUEST)), '/sign-in', { name: ' ADA ', password: PASSWORD })

  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, REQUEST)
  t.match(answer.cookies, [{ name: SESSION, value: /^[\w-]{43}$/, secure: true, httpOnly: true, sameSite: 'Lax', path: '/' }])
  t.match(events, [{ type: 'sign-in.succeeded', outcome: 'allowed', subject }])
  t.match((await browser.open('/authorize')).json(), { subject, name: NAME, amr: ['pwd'] })
})

t.test('who came from nowhere is told that it worked and can sign out', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)

  const answer = await browser.signIn()
  const page = await browser.open(String(answer.headers.location))

  t.equal(answer.headers.location, '/sign-in')
  t.equal(page.statusCode, 200)
  t.match(page.body, /You are signed in/)
  t.match(page.body, 'action="/sign-out"')
})

t.test('who is signed in and has to show it again is asked, under the name that is signed in', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  await browser.signIn()

  const page = await browser.open(`${pathTo(REQUEST)}&again=1`)

  t.equal(page.statusCode, 200)
  t.equal(new Map(fieldsOf(page.body)).get('return_to'), REQUEST)
  t.equal(new Map(fieldsOf(page.body)).get('name'), NAME)
})

t.test('the page carries the name that the client hinted at, signed in or not', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)

  t.equal(new Map(fieldsOf((await browser.open(`${pathTo(REQUEST)}&name=grace`)).body)).get('name'), 'grace')
  await browser.signIn()
  t.equal(new Map(fieldsOf((await browser.open(`${pathTo(REQUEST)}&again=1&name=grace`)).body)).get('name'), 'grace')
})

t.test('who is signed in already is sent on without a page', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  await browser.signIn()

  const answer = await browser.open(pathTo(REQUEST))

  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, REQUEST)
})

const WRONG_CREDENTIALS = {
  'a wrong password': { name: NAME, password: 'some other words entirely' },
  'a name that does not exist': { name: 'bob', password: PASSWORD },
  'a name that cannot exist': { name: '<script>alert(1)</script>', password: PASSWORD },
  'no password': { name: NAME, password: '' },
  'no name': { name: '', password: PASSWORD },
  'a password in capitals': { name: NAME, password: PASSWORD.toUpperCase() },
  'a password with something more': { name: NAME, password: `${PASSWORD} ` },
  'a password of fifty kilobytes': { name: NAME, password: PASSWORD.padEnd(50_000, 'x') }
}

for (const [what, credentials] of Object.entries(WRONG_CREDENTIALS)) {
  t.test(`${what} is answered 401 with the same page and the same words`, async (t) => {
    const { app, addAccount, events } = await signInApp(t)
    await addAccount()
    const browser = visitor(app)

    const answer = await browser.signIn({ ...credentials, return_to: REQUEST })

    t.equal(answer.statusCode, 401)
    t.match(answer.body, WRONG)
    t.equal(browser.cookies.has(SESSION), false)
    const fields = Object.fromEntries(fieldsOf(answer.body))
    t.match(fields, { name: credentials.name, password: '', return_to: REQUEST })
    t.match(events, [{ type: 'sign-in.failed', outcome: 'denied' }])
    t.notMatch(JSON.stringify(events), credentials.name === NAME ? PASSWORD : credentials.name || PASSWORD)
  })
}

t.test('the answer to an unknown name differs from that to a wrong password in nothing but the name', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const known = await visitor(app).signIn({ password: 'some other words entirely' })
  const unknown = await visitor(app).signIn({ name: 'bob', password: 'some other words entirely' })
  const blank = (body: string) => body.replace(/value="(ada|bob|[\w-]{43})"/g, '')

  t.equal(unknown.statusCode, known.statusCode)
  t.equal(blank(unknown.body), blank(known.body))
  t.same(Object.keys(unknown.headers), Object.keys(known.headers))
})

t.test('the audit, and nobody else, hears why a sign-in failed and whose account was tried', async (t) => {
  const { app, addAccount, events } = await signInApp(t)
  const { subject } = await addAccount()
  const browser = visitor(app)

  await browser.signIn({ password: 'some other words entirely' })
  await browser.signIn({ name: 'bob' })

  t.match(events, [{ reason: 'wrong password', subject }, { reason: 'unknown account', subject: null }])
})

t.test('a page that was shown again after a mistake works', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)

  const again = await browser.submit(await browser.open(pathTo(REQUEST)), '/sign-in', { name: NAME, password: 'wrong' })
  const answer = await browser.submit(again, '/sign-in', { password: PASSWORD })

  t.equal(answer.headers.location, REQUEST)
})

t.test('signing in gives a new session id and ends the one that was there before', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  await browser.signIn()
  const before = browser.cookies.get(SESSION) ?? ''
  const page = await visitor(app).open('/sign-in')
  for (const { name, value } of page.cookies) browser.cookies.set(name, value)

  await browser.submit(page, '/sign-in', { name: NAME, password: PASSWORD })

  t.not(browser.cookies.get(SESSION), before)
  const thief = visitor(app)
  thief.cookies.set(SESSION, before)
  t.equal((await thief.open('/authorize')).statusCode, 303)
})

t.test('a session id that an attacker planted is worth nothing after the victim signed in', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const planted = 'a'.repeat(43)
  const victim = visitor(app)
  victim.cookies.set(SESSION, planted)

  await victim.signIn()

  t.not(victim.cookies.get(SESSION), planted)
  const attacker = visitor(app)
  attacker.cookies.set(SESSION, planted)
  t.equal((await attacker.open('/authorize')).statusCode, 303)
})

const FOREIGN_HEADERS = {
  'another site': { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  'a sister domain': { origin: 'https://evil.as.example', 'sec-fetch-site': 'same-site' },
  'a sandboxed frame': { origin: 'null' }
}

for (const [what, headers] of Object.entries(FOREIGN_HEADERS)) {
  t.test(`a form that ${what} sent signs nobody in, even with everything right`, async (t) => {
    const { app, addAccount, events } = await signInApp(t)
    await addAccount()
    const browser = visitor(app)
    const page = await browser.open('/sign-in')

    const answer = await browser.submit(page, '/sign-in', { name: NAME, password: PASSWORD }, headers)

    t.equal(answer.statusCode, 403)
    t.equal(browser.cookies.has(SESSION), false)
    t.match(events, [{ type: 'sign-in.failed', reason: 'not from our page' }])
  })
}

t.test('a form without the token of this browser signs nobody in', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const others = Object.fromEntries(fieldsOf((await visitor(app).open('/sign-in')).body))
  for (const csrf of ['', 'a'.repeat(43), others.csrf ?? '', '__proto__']) {
    const browser = visitor(app)

    const answer = await browser.signIn({ csrf })

    t.equal(answer.statusCode, 403)
    t.equal(browser.cookies.has(SESSION), false)
  }
})

t.test('a browser that keeps no cookies is told so, and one that lost them can go on from there', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  const page = await browser.open(pathTo(REQUEST))
  browser.cookies.clear()

  const refused = await browser.submit(page, '/sign-in', { name: NAME, password: PASSWORD })
  const answer = await browser.submit(refused, '/sign-in', { password: PASSWORD })

  t.equal(refused.statusCode, 403)
  t.match(refused.body, /cookies/)
  t.equal(answer.headers.location, REQUEST)
})

const ELSEWHERE = [
  'https://evil.example/authorize', '//evil.example/authorize', '/\\evil.example/authorize', '/authorize/../evil',
  'javascript:alert(1)', '/authorized', '/authorize#x', '/authorize\r\nx: y', 'authorize', ''
]

for (const target of ELSEWHERE) {
  t.test(`nobody is sent on to ${JSON.stringify(target)}, whether by the page, the form or an old session`, async (t) => {
    const { app, addAccount } = await signInApp(t)
    await addAccount()
    const browser = visitor(app)

    const page = await browser.open(pathTo(target))
    const answer = await browser.submit(page, '/sign-in', { name: NAME, password: PASSWORD, return_to: target })
    const later = await browser.open(pathTo(target))

    t.match(Object.fromEntries(fieldsOf(page.body)), { return_to: '' })
    t.equal(answer.headers.location, '/sign-in')
    t.equal(later.statusCode, 200)
  })
}

t.test('no return_to whatsoever makes a page fail or lead away', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  await browser.signIn()
  const target = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.webUrl(), fc.constantFrom(...ELSEWHERE))

  await fc.assert(fc.asyncProperty(target, async (text) => {
    const { statusCode, headers } = await browser.open(`/sign-in?return_to=${encodeURIComponent(text)}`)
    if (statusCode !== 303) return statusCode === 200 || statusCode === 400
    const url = new URL(String(headers.location), ISSUER)
    return url.origin === ISSUER && url.pathname === '/authorize'
  }), { numRuns: 200 })
})

t.test('who fails too often has to wait, is told for how long, and is let in afterwards', async (t) => {
  const { app, addAccount, events, clock } = await signInApp(t, { options: { attempts: { max: 2, window: 600 } } })
  await addAccount()
  const browser = visitor(app)
  await browser.signIn({ password: 'wrong' })
  await browser.signIn({ password: 'wrong' })

  const answer = await browser.signIn()

  t.equal(answer.statusCode, 429)
  t.equal(answer.headers['retry-after'], '600')
  t.match(answer.body, 'Too many attempts. Try again in 10 minutes.')
  t.match(events.at(-1), { type: 'sign-in.throttled', outcome: 'denied' })
  clock.advance(541)
  t.match((await browser.signIn()).body, 'Try again in a minute.')
  clock.advance(59)
  t.equal((await browser.signIn()).statusCode, 303)
})

t.test('a success begins the count again, and failures elsewhere lock nobody out here', async (t) => {
  const { app, addAccount } = await signInApp(t, { options: { attempts: { max: 2, window: 600 } } })
  await addAccount()
  const browser = visitor(app)
  for (let round = 0; round < 2; round++) {
    t.equal((await browser.signIn({ password: 'wrong' })).statusCode, 401)
    t.equal((await browser.signIn()).statusCode, 303)
    browser.cookies.delete(SESSION)
  }
  const page = await browser.open('/sign-in')
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
  for (let index = 0; index < 3; index++) {
    await app.inject({
      method: 'POST',
      url: '/sign-in',
      remoteAddress: '198.51.100.7',
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ ...Object.fromEntries(fieldsOf(page.body)), name: NAME, password: 'wrong' }).toString()
    })
  }

  t.equal((await browser.signIn()).statusCode, 303)
})

const BAD_FORMS = {
  'a repeated field': [`csrf=a&name=${NAME}&name=eve`, 'application/x-www-form-urlencoded', 400],
  'a NUL': ['name=%00', 'application/x-www-form-urlencoded', 400],
  'a lone surrogate': ['name=%ED%A0%80', 'application/x-www-form-urlencoded', 400],
  'bytes that are not UTF-8': ['name=%ff', 'application/x-www-form-urlencoded', 400],
  'ten thousand fields': ['a=b&'.repeat(10_000), 'application/x-www-form-urlencoded', 400],
  'two megabytes': [`name=${'a'.repeat(2_000_000)}`, 'application/x-www-form-urlencoded', 413],
  JSON: ['{"name":"ada"}', 'application/json', 415],
  'a multipart form': ['--x', 'multipart/form-data; boundary=x', 415]
} as const

for (const [what, [payload, type, status]] of Object.entries(BAD_FORMS)) {
  t.test(`${what} is answered ${status} with a page`, async (t) => {
    const { app } = await signInApp(t)

    const answer = await app.inject({ method: 'POST', url: '/sign-in', headers: { 'content-type': type }, payload })

    t.equal(answer.statusCode, status)
    t.match(answer.headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
    t.match(answer.body, '<h1>')
  })
}

t.test('a form without a body is not ours, and harmless', async (t) => {
  const { app } = await signInApp(t)

  t.equal((await app.inject({ method: 'POST', url: '/sign-in' })).statusCode, 403)
})

for (const query of ['?return_to=/authorize&return_to=/authorize', '?return_to=%ff', '?return_to=%00']) {
  t.test(`the query ${query} is answered 400 with a page`, async (t) => {
    const { app } = await signInApp(t)

    const answer = await app.inject(`/sign-in${query}`)

    t.equal(answer.statusCode, 400)
    t.match(answer.headers['content-type'], 'text/html')
  })
}

t.test('a store that cannot be reached is answered 503 with a page that says when to come back', async (t) => {
  const { store, fail } = watchedStore()
  const { app } = await signInApp(t, { store })
  const browser = visitor(app)
  const page = await browser.open('/sign-in')
  fail(new StoreUnavailableError('down'))

  const answer = await browser.submit(page, '/sign-in', { name: NAME, password: PASSWORD })

  t.equal(answer.statusCode, 503)
  t.match(answer.headers['retry-after'], /^\d+$/)
  t.match(answer.body, '<h1>')
  t.notMatch(answer.body, /down/)
})

t.test('more sign-ins than the machine can take are answered 503, and the server goes on', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  const page = await browser.open('/sign-in')
  const wrong = (_: unknown, index: number) => browser.submit(page, '/sign-in', { name: `user${index}`, password: 'wrong' })

  const answers = await Promise.all(Array.from({ length: 40 }, wrong))

  const statuses = new Set(answers.map(({ statusCode }) => statusCode))
  t.same(statuses, new Set([401, 503]))
  const refused = answers.findIndex(({ statusCode }) => statusCode === 503)
  const again = await Promise.all(Array.from({ length: 5 }, () => wrong(null, refused)))
  t.same(again.map(({ statusCode }) => statusCode), [401, 401, 401, 401, 401], 'what was refused for want of a place was not counted')
  t.equal((await browser.signIn()).statusCode, 303)
})
