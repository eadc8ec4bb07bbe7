import t from 'tap'
import { signInApp, visitor } from '../../helpers/sign-in-app.js'

const SESSION = '__Host-mcp-session'
const REQUEST = '/authorize?client_id=c&state=s'

t.test('signing out ends the session, in the browser and everywhere', async (t) => {
  const { app, addAccount, events } = await signInApp(t)
  const { subject } = await addAccount()
  const browser = visitor(app)
  await browser.signIn()
  const copy = visitor(app)
  copy.cookies.set(SESSION, browser.cookies.get(SESSION) ?? '')

  const answer = await browser.post('/sign-out', {})

  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, '/sign-in')
  t.equal(browser.cookies.has(SESSION), false)
  t.equal((await copy.open('/authorize')).statusCode, 303)
  t.match(events.filter(({ type }) => type === 'sign-out'), [{ outcome: 'allowed', subject }])
})

t.test('signing out from a consent page leads back to it, for somebody else', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  await browser.signIn()

  const answer = await browser.post(`/sign-out?return_to=${encodeURIComponent(REQUEST)}`, { csrf: 'x', transaction: 'y' })

  t.equal(answer.headers.location, `/sign-in?return_to=${encodeURIComponent(REQUEST)}`)
})

for (const target of ['https://evil.example/authorize', '//evil.example/authorize', '/elsewhere']) {
  t.test(`signing out leads nobody to ${target}`, async (t) => {
    const { app } = await signInApp(t)

    const answer = await visitor(app).post(`/sign-out?return_to=${encodeURIComponent(target)}`, {})

    t.equal(answer.headers.location, '/sign-in')
  })
}

t.test('another session of the same user goes on', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const [phone, laptop] = [visitor(app), visitor(app)]
  await phone.signIn()
  await laptop.signIn()

  await phone.post('/sign-out', {})

  t.equal((await laptop.open('/authorize')).statusCode, 200)
})

t.test('who is not signed in may sign out, and nothing is reported', async (t) => {
  const { app, events } = await signInApp(t)

  t.equal((await visitor(app).post('/sign-out', {})).statusCode, 303)
  t.same(events.filter(({ type }) => type === 'sign-out'), [])
})

t.test('a cookie of a session that is long gone is no obstacle to signing in and out', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  browser.cookies.set(SESSION, 'a'.repeat(43))

  t.equal((await browser.signIn()).statusCode, 303)
  await browser.post('/sign-out', {})

  t.equal(browser.cookies.has(SESSION), false)
  t.equal((await browser.open('/authorize')).statusCode, 303)
})

t.test('a page of another site signs nobody out', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  await browser.signIn()

  const answer = await browser.post('/sign-out', {}, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })

  t.equal(answer.statusCode, 403)
  t.match(answer.headers['content-type'], 'text/html')
  t.equal((await browser.open('/authorize')).statusCode, 200)
})

t.test('an address bar signs nobody out', async (t) => {
  const { app, addAccount } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  await browser.signIn()

  const answer = await browser.open('/sign-out')

  t.equal(answer.statusCode, 405)
  t.equal(answer.headers.allow, 'POST')
  t.equal((await browser.open('/authorize')).statusCode, 200)
})
