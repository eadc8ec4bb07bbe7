import t, { type Test } from 'tap'
import { StoreUnavailableError } from '../../../lib/stores/errors.js'
import {
  authorize, decide, ISSUER, LOOPBACK, oauthApp, post, redirected, register, ticked, VERIFIER, watchedStore,
  type Answer, type OAuthApp
} from '../../helpers/oauth-app.js'

const ALLOW: [string, string] = ['decision', 'allow']
const DENY: [string, string] = ['decision', 'deny']

function assertRefused (t: Test, answer: Answer, status: number): void {
  t.equal(answer.statusCode, status)
  t.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
  t.equal(answer.headers['cache-control'], 'no-store')
  t.match(answer.headers['content-security-policy'], /frame-ancestors 'none'/)
  t.notOk('location' in answer.headers)
  t.notOk('access-control-allow-origin' in answer.headers)
}

/** Whether the authorization of a page is still waiting for the user. */
async function isUndecided ({ app }: OAuthApp, page: Answer): Promise<boolean> {
  const answer = await decide(app, [...ticked(page), ALLOW])
  return answer.statusCode === 303 && 'code' in redirected(answer)
}

const without = (page: Answer, name: string): Array<[string, string]> => ticked(page).filter(([key]) => key !== name)
const withOther = (page: Answer, name: string, value: string): Array<[string, string]> =>
  [...without(page, name), [name, value], ALLOW]

t.test('allowing sends the browser to the client with a code, its state and the issuer, by 303', async (t) => {
  const { app, events } = await oauthApp(t)
  const answer = await decide(app, [...ticked(await authorize(app)), ALLOW])
  t.equal(answer.statusCode, 303)
  t.match(answer.headers, { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
  t.match(answer.headers.location, /^https:\/\/house\.example\/cb\?from=as&code=[^&]+&state=a%20state&iss=https%3A%2F%2Fas\.example$/)
  t.match(events.at(-1), {
    type: 'consent.granted', subject: 'alice', clientId: 'house', scopesAsked: ['notes:read'], scopesGranted: ['notes:read']
  })
})

t.test('a client that sent no state gets none', async (t) => {
  const { app } = await oauthApp(t)
  const answer = await decide(app, [...ticked(await authorize(app, { state: undefined })), ALLOW])
  t.same(Object.keys(redirected(answer)).sort(), ['code', 'from', 'iss'])
})

t.test('the page of the largest catalogue can be answered', async (t) => {
  const names = Array.from({ length: 100 }, (_, index) => `scope:${index}`)
  const { app } = await oauthApp(t, {
    routes: { scopes: Object.fromEntries(names.map((name) => [name, 'A scope'])), components: [] }
  })
  const page = await authorize(app, { scope: names.join(' ') })

  t.ok(redirected(await decide(app, [...ticked(page), ['decision', 'allow']])).code)
})

t.test('what the user unticks is not granted', async (t) => {
  const { app } = await oauthApp(t)
  const page = await authorize(app, { scope: 'notes:read notes:write' })
  const answer = await decide(app, [...without(page, 'scope'), ['scope', 'notes:read'], ALLOW])
  const { code } = redirected(answer)
  const tokens = await post(app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER })
  t.equal(tokens.json().scope, 'notes:read')
})

t.test('a scope that was not asked for can not be ticked into the form', async (t) => {
  const { app } = await oauthApp(t)
  const page = await authorize(app, { scope: 'notes:read' })
  const { code } = redirected(await decide(app, [...ticked(page), ['scope', 'notes:write'], ALLOW]))
  const tokens = await post(app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER })
  t.equal(tokens.json().scope, 'notes:read')
})

const denials: Array<[string, (page: Answer) => Array<[string, string]>, string]> = [
  ['denying', (page: Answer) => [...ticked(page), DENY], 'denied by the user'],
  ['allowing with nothing ticked', (page: Answer) => [...without(page, 'scope'), ALLOW], 'nothing ticked'],
  ['allowing with only a foreign scope ticked', (page: Answer) => [...without(page, 'scope'), ['scope', 'notes:write'], ALLOW], 'nothing ticked']
]

for (const [what, fieldsOf, reason] of denials) {
  t.test(`${what} is access_denied, with state and iss, and ends the authorization`, async (t) => {
    const house = await oauthApp(t)
    const page = await authorize(house.app)
    const answer = await decide(house.app, fieldsOf(page))
    t.same(redirected(answer), { from: 'as', error: 'access_denied', state: 'a state', iss: ISSUER })
    t.match(house.events.at(-1), { type: 'consent.denied', outcome: 'denied', reason, scopesAsked: ['notes:read'] })
    t.notOk(await isUndecided(house, page))
  })
}

t.test('a self-registered client is sent its answer once the user has decided', async (t) => {
  const { app } = await oauthApp(t)
  const page = await authorize(app, { client_id: await register(app) })
  t.match(redirected(await decide(app, [...ticked(page), DENY])), { error: 'access_denied', iss: ISSUER })
})

t.test('a self-registered client that a user allowed is kept', async (t) => {
  const { app, clock } = await oauthApp(t)
  const clientId = await register(app)
  await decide(app, [...ticked(await authorize(app, { client_id: clientId })), ALLOW])
  clock.advance(100 * 86_400)
  t.equal((await authorize(app, { client_id: clientId })).statusCode, 200)
})

t.test('the same decision again gets the same answer, another one gets none', async (t) => {
  const { app } = await oauthApp(t)
  const page = await authorize(app)
  const first = await decide(app, [...ticked(page), ALLOW])
  const again = await decide(app, [...ticked(page), ALLOW])
  t.equal(again.headers.location, first.headers.location)
  assertRefused(t, await decide(app, [...ticked(page), DENY]), 400)
  assertRefused(t, await decide(app, [...ticked(page), ['scope', 'x'], ALLOW]), 400)
})

t.test('of yes and no at once one counts, for every answer', async (t) => {
  const { app } = await oauthApp(t)
  for (let round = 0; round < 5; round += 1) {
    const page = await authorize(app, { prompt: 'consent' })
    const decisions = [ALLOW, DENY, ALLOW, DENY, ALLOW]
    const answers = await Promise.all(decisions.map(async (decision) => await decide(app, [...ticked(page), decision])))
    const told = new Set(answers.map(({ headers }) => headers.location).filter((location) => location !== undefined))
    t.equal(told.size, 1)
  }
})

const forged: Record<string, [(page: Answer) => Array<[string, string]>, Record<string, string>, number, string]> = {
  'from another origin': [(page) => [...ticked(page), ALLOW], { origin: 'https://evil.example' }, 403, 'foreign origin'],
  'from a sandboxed page': [(page) => [...ticked(page), ALLOW], { origin: 'null' }, 403, 'foreign origin'],
  'from an origin that looks like ours': [(page) => [...ticked(page), ALLOW], { origin: `${ISSUER}.evil.example` }, 403, 'foreign origin'],
  'from another site, as the browser says': [(page) => [...ticked(page), ALLOW], { 'sec-fetch-site': 'cross-site' }, 403, 'foreign origin'],
  'from another host of the site': [(page) => [...ticked(page), ALLOW], { 'sec-fetch-site': 'same-site' }, 403, 'foreign origin'],
  'from another browser': [(page) => [...ticked(page), ALLOW], { cookie: '__Host-mcp-browser=lkjihgfedcba9876543210' }, 403, 'wrong csrf token'],
  'without the cookie': [(page) => [...ticked(page), ALLOW], { cookie: '' }, 403, 'wrong csrf token'],
  'without a token': [(page) => [...without(page, 'csrf'), ALLOW], {}, 403, 'wrong csrf token'],
  'with a made-up token': [(page) => withOther(page, 'csrf', 'x'.repeat(43)), {}, 403, 'wrong csrf token'],
  'with a token that is no text of ours': [(page) => withOther(page, 'csrf', 'ä'), {}, 403, 'wrong csrf token'],
  'by another user': [(page) => [...ticked(page), ALLOW], { 'x-user': 'mallory' }, 403, 'another user is signed in'],
  'by nobody': [(page) => [...ticked(page), ALLOW], { 'x-user': '' }, 401, 'nobody is signed in'],
  'without a transaction': [(page) => [...without(page, 'transaction'), ALLOW], {}, 400, 'unknown transaction'],
  'for an unknown transaction': [(page) => withOther(page, 'transaction', `${'a'.repeat(22)}.${'b'.repeat(43)}`), {}, 400, 'unknown transaction'],
  'for a transaction of another shape': [(page) => withOther(page, 'transaction', '__proto__'), {}, 400, 'unknown transaction'],
  'without a decision': [(page) => ticked(page), {}, 400, 'the form holds no decision'],
  'with another decision': [(page) => [...ticked(page), ['decision', 'ALLOW']], {}, 400, 'the form holds no decision'],
  'with two decisions': [(page) => [...ticked(page), DENY, ALLOW], {}, 400, 'a parameter is repeated'],
  'with two transactions': [(page) => [...ticked(page), ['transaction', 'x'], ALLOW], {}, 400, 'a parameter is repeated'],
  'with ten thousand scopes': [(page) => [...ticked(page), ...Array.from({ length: 10_000 }, (): [string, string] => ['scope', 'a']), ALLOW], {}, 413, 'the body is too large'],
  'with more scopes than fit': [(page) => [...ticked(page), ...Array.from({ length: 128 }, (): [string, string] => ['scope', 'a']), ALLOW], {}, 400, 'the request has too many parameters'],
  'as JSON': [(page) => [...ticked(page), ALLOW], { 'content-type': 'application/json' }, 415, 'the content type is not possible here'],
  'with 2 MB': [(page) => [...ticked(page), ['x', 'y'.repeat(2_000_000)], ALLOW], {}, 413, 'the body is too large']
}

for (const [what, [fieldsOf, headers, status, reason]] of Object.entries(forged)) {
  t.test(`a form ${what} is refused with ${status} and decides nothing`, async (t) => {
    const house = await oauthApp(t, {
      routes: { signIn: ({ headers: { 'x-user': user } }) => typeof user === 'string' && user !== '' ? { subject: user } : null }
    })
    const page = await authorize(house.app)
    assertRefused(t, await decide(house.app, fieldsOf(page), headers), status)
    t.match(house.events.at(-1), { type: 'consent.refused', outcome: 'denied', reason })
    t.ok(await isUndecided(house, page))
  })
}

t.test('the token of one page does not fit another page of the same browser', async (t) => {
  const house = await oauthApp(t)
  const [mine, other] = [await authorize(house.app), await authorize(house.app)]
  const csrf = ticked(other).find(([name]) => name === 'csrf')?.[1] ?? ''
  assertRefused(t, await decide(house.app, withOther(mine, 'csrf', csrf)), 403)
  t.ok(await isUndecided(house, mine))
})

t.test('a form of our own origin passes', async (t) => {
  const { app } = await oauthApp(t)
  const headers = { origin: ISSUER, 'sec-fetch-site': 'same-origin' }
  t.equal((await decide(app, [...ticked(await authorize(app)), ALLOW], headers)).statusCode, 303)
})

t.test('a page that was open for too long decides nothing', async (t) => {
  const { app, clock } = await oauthApp(t)
  const page = await authorize(app)
  clock.advance(600)
  assertRefused(t, await decide(app, [...ticked(page), ALLOW]), 400)
})

t.test('after the exchange the page is worth nothing', async (t) => {
  const { app } = await oauthApp(t)
  const page = await authorize(app)
  const { code } = redirected(await decide(app, [...ticked(page), ALLOW]))
  await post(app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER })
  assertRefused(t, await decide(app, [...ticked(page), ALLOW]), 400)
})

t.test('a client that is gone meanwhile gets nothing', async (t) => {
  const { app, records, clock, events } = await oauthApp(t)
  const clientId = await register(app)
  const page = await authorize(app, { client_id: clientId })
  await records.remove({ tenant: 'default', kind: 'client', id: clientId }, clock())
  assertRefused(t, await decide(app, [...ticked(page), ALLOW]), 400)
  t.equal(events.at(-1)?.reason, 'client is gone')
})

t.test('a host that answers the form itself is left alone', async (t) => {
  const { app } = await oauthApp(t, {
    routes: {
      signIn: async (request, reply) => {
        if (request.method === 'GET') return { subject: 'alice' }
        reply.redirect('/login', 303)
        return null
      }
    }
  })
  t.equal((await decide(app, [...ticked(await authorize(app)), ALLOW])).headers.location, '/login')
})

t.test('no form but this one reaches the redirect URI: other methods are a page', async (t) => {
  const { app } = await oauthApp(t)
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const answer = await app.inject({ method, url: '/authorize/consent' })
    assertRefused(t, answer, 405)
    t.equal(answer.headers.allow, 'POST')
  }
})

t.test('a store that cannot be reached decides nothing', async (t) => {
  const { store, fail } = watchedStore()
  const house = await oauthApp(t, { store })
  const page = await authorize(house.app)
  fail(new StoreUnavailableError('down'))
  assertRefused(t, await decide(house.app, [...ticked(page), ALLOW]), 503)
  fail(null)
  t.ok(await isUndecided(house, page))
})

t.test('neither code nor handle nor token is told to the audit', async (t) => {
  const { app, events } = await oauthApp(t)
  const page = await authorize(app)
  const answer = await decide(app, [...ticked(page), ALLOW])
  const secrets = [redirected(answer).code ?? '', ...without(page, 'scope').map(([, value]) => value)]
  const told = JSON.stringify(events)
  for (const secret of secrets) t.notOk(told.includes(secret))
  t.equal(secrets.length, 3)
})

t.test('another user\'s consent is asked for again', async (t) => {
  const { app } = await oauthApp(t)
  await decide(app, [...ticked(await authorize(app)), ALLOW])
  t.equal((await authorize(app, { redirect_uri: undefined }, 'bob')).statusCode, 200)
  t.equal((await authorize(app, { client_id: await register(app), redirect_uri: LOOPBACK })).statusCode, 200)
})
