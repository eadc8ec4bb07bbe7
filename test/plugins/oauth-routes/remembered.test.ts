import t from 'tap'
import { memoryStore } from '../../../lib/stores/memory.js'
import {
  authorize, codeFor, decide, ISSUER, oauthApp, post, redirected, register, ticked, VERIFIER, type OAuthApp
} from '../../helpers/oauth-app.js'

const WEB = 'https://web.example/cb'
const DAY = 86_400

const isPage = async ({ app }: OAuthApp, parameters = {}, user?: string): Promise<boolean> => {
  const answer = await authorize(app, parameters, user)
  return answer.statusCode === 200 && ticked(answer).some(([name]) => name === 'transaction')
}

t.test('who has said yes is not asked the same again: the client gets a code of its own', async (t) => {
  const house = await oauthApp(t)
  const first = await codeFor(house.app)

  const answer = await authorize(house.app, { state: 'another state' })

  t.equal(answer.statusCode, 303)
  t.match(answer.headers, { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
  const { code = '', ...rest } = redirected(answer)
  t.same(rest, { from: 'as', state: 'another state', iss: ISSUER })
  t.not(code, first)
  t.match(house.events.slice(-2), [
    { type: 'authorization.requested', subject: 'alice', clientId: 'house' },
    { type: 'consent.remembered', outcome: 'allowed', subject: 'alice', clientId: 'house', scopesGranted: ['notes:read'] }
  ])
  const tokens = await post(house.app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER })
  t.equal(tokens.json().scope, 'notes:read')
})

t.test('a client that sent no state gets none with its code', async (t) => {
  const { app } = await oauthApp(t)
  await codeFor(app)

  t.same(Object.keys(redirected(await authorize(app, { state: undefined }))).sort(), ['code', 'from', 'iss'])
})

t.test('prompt=none gets a code when the user has said yes, and else consent_required', async (t) => {
  const { app } = await oauthApp(t)
  t.match(redirected(await authorize(app, { prompt: 'none' })), { error: 'consent_required', state: 'a state', iss: ISSUER })
  await codeFor(app)

  t.ok(redirected(await authorize(app, { prompt: 'none' })).code)
  t.match(redirected(await authorize(app, { prompt: 'none', scope: 'notes:write' })), { error: 'consent_required' })
})

for (const prompt of ['consent', 'select_account', 'select_account consent']) {
  t.test(`prompt=${prompt} shows the page to who has said yes`, async (t) => {
    const house = await oauthApp(t)
    await codeFor(house.app)

    t.equal(await isPage(house, { prompt }), true)
    t.equal(await isPage(house), false)
  })
}

t.test('who asks for more, elsewhere, or is somebody else, is asked', async (t) => {
  const house = await oauthApp(t)
  await codeFor(house.app)

  t.equal(await isPage(house, { scope: 'notes:read notes:write' }), true)
  t.equal(await isPage(house, { client_id: 'reader' }), true)
  t.equal(await isPage(house, {}, 'bob'), true)
})

t.test('the answer is good for its time, and a code that needed no page does not make it longer', async (t) => {
  const house = await oauthApp(t, { lifetimes: { consent: 10 * DAY } })
  await codeFor(house.app)
  house.clock.advance(9 * DAY)
  t.equal(await isPage(house), false)

  house.clock.advance(DAY)
  t.equal(await isPage(house), true)
})

t.test('the page says that a yes is remembered, where it is', async (t) => {
  const { app } = await oauthApp(t)

  t.match((await authorize(app)).body, 'not asked the same again for 30 days')
  t.notMatch((await authorize(app, { client_id: await register(app) })).body, 'asked the same again')
})

t.test('with lifetimes.consent 0 everybody is asked each time', async (t) => {
  const house = await oauthApp(t, { lifetimes: { consent: 0 } })
  await codeFor(house.app)

  t.equal(await isPage(house), true)
})

t.test('a no takes back an earlier yes', async (t) => {
  const house = await oauthApp(t)
  await codeFor(house.app)
  await decide(house.app, [...ticked(await authorize(house.app, { prompt: 'consent' })), ['decision', 'deny']])

  t.equal(await isPage(house), true)
})

t.test('what the user unticked is asked for again', async (t) => {
  const house = await oauthApp(t)
  const parameters = { scope: 'notes:read notes:write' }
  const fields = ticked(await authorize(house.app, parameters)).filter(([, value]) => value !== 'notes:write')
  await decide(house.app, [...fields, ['decision', 'allow']])

  t.equal(await isPage(house, parameters), true)
  t.equal(await isPage(house), false)
})

t.test('a self-registered client of the web is remembered and kept, one on loopback is asked about each time', async (t) => {
  const house = await oauthApp(t)
  const web = await register(house.app, { redirect_uris: [WEB] })
  const native = await register(house.app)
  for (const clientId of [web, native]) await codeFor(house.app, { client_id: clientId })

  t.equal(await isPage(house, { client_id: web }), false)
  t.equal(await isPage(house, { client_id: native }), true)
})

t.test('a consent that is taken back while the client comes leads to the page, or to consent_required', async (t) => {
  const records = memoryStore()
  let taken = false
  const house = await oauthApp(t, {
    store: {
      ...records,
      async add (record, now) {
        const added = await records.add(record, now)
        if (taken && record.kind === 'grant') await records.removeWhere({ tenant: 'default', kind: 'consent' }, now)
        return added
      }
    }
  })
  await codeFor(house.app)
  taken = true
  t.equal(await isPage(house), true)

  taken = false
  await codeFor(house.app)
  taken = true
  t.match(redirected(await authorize(house.app, { prompt: 'none' })), { error: 'consent_required' })
})

t.test('a grant that ends while the client comes leads to the page', async (t) => {
  const records = memoryStore()
  let ends = false
  const house = await oauthApp(t, {
    store: { ...records, replace: async (record, now) => ends && record.kind === 'grant' ? false : await records.replace(record, now) }
  })
  await codeFor(house.app)
  ends = true

  t.equal(await isPage(house), true)
})
