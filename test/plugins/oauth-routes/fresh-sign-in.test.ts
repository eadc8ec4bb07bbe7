import { decodeJwt } from 'jose'
import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { signInSince, situationOf, whyUnmet } from '../../../lib/plugins/oauth-routes/fresh-sign-in.js'
import type { SignInWish } from '../../../lib/protocol/sign-in-wish.js'
import type { SignIn, SignInSituation } from '../../../types/sign-in.js'
import { authorizationUrl, COOKIE, decide, oauthApp, post, redirected, ticked, VERIFIER } from '../../helpers/oauth-app.js'
import { SECRETS, START } from '../../helpers/token-context.js'

const WISH: SignInWish = { silent: false, again: false, maxAge: undefined, acrValues: [], loginHint: undefined }
const URL = '/authorize?client_id=house&state=a%20b'
const since = (wish: Partial<SignInWish>, url = URL, now = START) =>
  signInSince({ ...WISH, ...wish }, { path: '/authorize', url, secrets: SECRETS, now })

/** Where a first request is sent. */
function begun (wish: Partial<SignInWish>, url = URL, now = START): string {
  const result = since(wish, url, now)
  if ('since' in result) throw new Error('the request was not sent back')
  return result.begin
}

t.test('without a wish it does not matter when the user signed in', async (t) => {
  t.strictSame(since({}), { since: undefined })
})

t.test('a first request is sent back to itself with the time, to which it is held afterwards', async (t) => {
  const url = begun({ again: true })

  t.ok(url.startsWith(`${URL}&mcp_began=${START}.`))
  t.strictSame(since({ again: true }, url, START + 500), { since: START })
  t.strictSame(since({ maxAge: 300 }, url, START + 500), { since: START - 300 })
  t.strictSame(since({ again: true, maxAge: 300 }, url, START + 500), { since: START })
})

t.test('where no page can come up the time is that of the request', async (t) => {
  t.strictSame(since({ silent: true, maxAge: 300 }), { since: START - 300 })
})

t.test('a time that we did not write, that is of another request or too old begins again', async (t) => {
  const url = begun({ again: true })
  const tag = url.slice(url.indexOf('&mcp_began='))
  const wrong = [
    url.replace(String(START), String(START - 1)), `${URL}&scope=x${tag}`, `${url}x`, `${URL}&mcp_began=`,
    `${URL}&mcp_began=x.y`, `${URL}${tag}&prompt=login`
  ]

  for (const one of wrong) t.match(since({ again: true }, one, START + 5), { begin: new RegExp(`&mcp_began=${START + 5}\\.`) })
  t.match(since({ again: true }, url, START + 3601), { begin: new RegExp(`^[^ ]*&mcp_began=${START + 3601}\\.[^&]*$`) })
})

t.test('a user has signed in as wished, or is refused', async (t) => {
  const user = { subject: 'alice', authenticatedAt: START, acr: 'urn:mfa' }
  const { authenticatedAt: _, ...timeless } = user
  const unmet = { code: 'unmet_authentication_requirements' }

  t.equal(whyUnmet(user, { ...WISH, acrValues: ['urn:x', 'urn:mfa'] }, START), null)
  t.equal(whyUnmet(timeless, WISH, undefined), null)
  t.match(whyUnmet(user, WISH, START + 1), { ...unmet, reason: 'sign-in is not recent enough' })
  t.match(whyUnmet(timeless, WISH, START), unmet)
  t.match(whyUnmet(user, { ...WISH, acrValues: ['urn:x'] }, START), { ...unmet, reason: 'sign-in of another acr' })
  t.match(whyUnmet(user, { ...WISH, silent: true }, START + 1), { code: 'login_required' })
})

t.test('what is not wished is not there', async (t) => {
  t.strictSame(situationOf(WISH, undefined), { interactive: true })
  t.strictSame(situationOf({ ...WISH, silent: true }, START), { interactive: false, since: START })
})

/** A host whose user signed in when the header says so. */
const situations: SignInSituation[] = []
const signIn: SignIn = (request, _reply, situation) => {
  situations.push(situation)
  const { 'x-at': at, 'x-acr': acr } = request.headers
  return {
    subject: 'alice',
    ...(typeof at === 'string' ? { authenticatedAt: Number(at) } : {}),
    ...(typeof acr === 'string' ? { acr } : {})
  }
}

const visit = async (app: FastifyInstance, url: string, headers: Record<string, string> = {}) =>
  await app.inject({ url, headers: { cookie: COOKIE, 'x-user': 'alice', ...headers } })

t.test('prompt=login leads to a token of a sign-in after the request came, and of no earlier one', async (t) => {
  const { app, clock } = await oauthApp(t, { routes: { signIn } })
  const before = clock()
  const sent = await visit(app, authorizationUrl({ prompt: 'login' }))
  t.equal(sent.statusCode, 303)
  const url = String(sent.headers.location)
  clock.advance(20)

  t.match(redirected(await visit(app, url, { 'x-at': String(before - 1) })), { error: 'unmet_authentication_requirements' })
  t.match(redirected(await visit(app, url)), { error: 'unmet_authentication_requirements' })
  t.match(situations.at(-1), { interactive: true, since: before })
  const page = await visit(app, url, { 'x-at': String(before + 10) })
  t.equal(page.statusCode, 200)
  const { code } = redirected(await decide(app, [...ticked(page), ['decision', 'allow']], { 'x-at': String(before + 10) }))
  const answer = await post(app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER })
  t.equal(decodeJwt(answer.json().access_token).auth_time, before + 10)
})

t.test('acr_values and login_hint reach the host, and another acr is refused', async (t) => {
  const { app } = await oauthApp(t, { routes: { signIn } })
  const url = authorizationUrl({ acr_values: 'urn:mfa urn:key', login_hint: 'alice@example.com' })

  t.equal((await visit(app, url, { 'x-acr': 'urn:key' })).statusCode, 200)
  t.match(situations.at(-1), { acrValues: ['urn:mfa', 'urn:key'], loginHint: 'alice@example.com' })
  t.match(redirected(await visit(app, url, { 'x-acr': 'urn:pwd' })), { error: 'unmet_authentication_requirements' })
})

t.test('prompt=none with a max_age that is not met is login_required', async (t) => {
  const { app, clock } = await oauthApp(t, { routes: { signIn } })
  const answer = await visit(app, authorizationUrl({ prompt: 'none', max_age: '60' }), { 'x-at': String(clock() - 61) })

  t.match(redirected(answer), { error: 'login_required' })
})

t.test('a host that does not say when its users signed in gets tokens without auth_time', async (t) => {
  const { app } = await oauthApp(t)
  const page = await visit(app, authorizationUrl({}))
  const { code } = redirected(await decide(app, [...ticked(page), ['decision', 'allow']]))
  const answer = await post(app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER })

  t.notOk(Object.hasOwn(decodeJwt(answer.json().access_token), 'auth_time'))
})
