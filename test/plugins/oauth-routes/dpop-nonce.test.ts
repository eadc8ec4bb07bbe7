import { decodeJwt } from 'jose'
import t from 'tap'
import type { DpopOptions } from '../../../types/sender-constraint.js'
import { dpopClient, type DpopClient } from '../../helpers/dpop.js'
import {
  authorizationUrl, codeFor, COOKIE, decide, ISSUER, oauthApp, post, redirected, register, RESOURCE, ticked, VERIFIER,
  type Fields
} from '../../helpers/oauth-app.js'

const NONCE = /^[0-9a-z]+\.[\w-]{43}$/
const REDIRECT = 'https://house.example/cb?from=as'

/** An app, and a client with a key whose proofs hold the nonce that is good now, unless something else is said. */
async function start (t: Parameters<typeof oauthApp>[0], dpop: DpopOptions = { nonce: true }) {
  const { app, clock, events } = await oauthApp(t, { routes: { dpop } })
  const keyFor = async (path: string) => await dpopClient({ htu: ISSUER + path, now: clock })
  const [key, other] = [await keyFor('/token'), await keyFor('/token')]
  const nonce = async (): Promise<string> => String((await post(app, '/token', {})).headers['dpop-nonce'])
  const proven = async ({ proof }: DpopClient = key) => ({ dpop: proof(null, { claims: { nonce: await nonce() } }) })
  const exchange = async (code: string, headers: Readonly<Record<string, string>>) => await post(
    app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER }, headers)
  return { app, clock, events, key, other, keyFor, nonce, proven, exchange }
}

t.test('the metadata names the algorithms of proofs, and only where DPoP is on (AS-M5)', async (t) => {
  const read = async (routes: { readonly dpop?: DpopOptions }) =>
    (await (await oauthApp(t, { routes })).app.inject('/.well-known/oauth-authorization-server')).json()

  t.strictSame((await read({ dpop: {} })).dpop_signing_alg_values_supported, ['ES256', 'RS256', 'PS256', 'EdDSA'])
  t.strictSame((await read({ dpop: { algorithms: ['ES256'] } })).dpop_signing_alg_values_supported, ['ES256'])
  t.notOk(Object.hasOwn(await read({}), 'dpop_signing_alg_values_supported'))
})

t.test('every answer of the endpoints for clients brings a nonce that scripts can read (EX-23)', async (t) => {
  const { app } = await start(t)

  for (const url of ['/token', '/revoke', '/par']) {
    const { headers } = await post(app, url, {})
    t.match(headers['dpop-nonce'], NONCE)
    t.match(headers['access-control-expose-headers'], 'dpop-nonce')
  }
})

t.test('without nonces there is no such header', async (t) => {
  const { app } = await start(t, {})

  t.notOk('dpop-nonce' in (await post(app, '/token', {})).headers)
})

t.test('a client that has no nonce is told to come again with the one of the answer (RFC 9449 §8)', async (t) => {
  const { app, events, key, exchange } = await start(t)
  const code = await codeFor(app)
  const first = await exchange(code, { dpop: key.proof(null) })
  t.match(first, { statusCode: 400, headers: { 'cache-control': 'no-store', 'dpop-nonce': NONCE } })
  t.equal(first.json().error, 'use_dpop_nonce')
  t.match(events.at(-1), { type: 'token.refused', reason: 'no nonce', clientId: 'house' })

  const second = await exchange(code, { dpop: key.proof(null, { claims: { nonce: first.headers['dpop-nonce'] } }) })

  t.match(second, { statusCode: 200, headers: { 'dpop-nonce': NONCE } })
  t.equal(second.json().token_type, 'DPoP')
  t.match(decodeJwt(second.json().access_token), { aud: RESOURCE, cnf: { jkt: key.thumbprint } })
})

t.test('two DPoP headers are refused, also when Node has joined them', async (t) => {
  const { app, key, exchange } = await start(t, {})
  const answer = await exchange(await codeFor(app), { dpop: `${key.proof(null)}, ${key.proof(null)}` })

  t.match(answer, { statusCode: 400 })
  t.equal(answer.json().error, 'invalid_dpop_proof')
})

t.test('dpop_jkt binds the code to a key (RFC 9449 §10)', async (t) => {
  const { app, key, other, proven, exchange } = await start(t)
  const code = await codeFor(app, { dpop_jkt: key.thumbprint })

  t.equal((await exchange(code, {})).json().error, 'invalid_grant')
  t.equal((await exchange(code, await proven(other))).json().error, 'invalid_grant')
  t.equal((await exchange(code, await proven())).json().token_type, 'DPoP')
})

t.test('a dpop_jkt that is no thumbprint is refused before the user is asked', async (t) => {
  const { app } = await start(t)
  const url = authorizationUrl({ dpop_jkt: 'x', redirect_uri: REDIRECT })

  t.match(redirected(await app.inject({ url, headers: { cookie: COOKIE } })), { error: 'invalid_request' })
})

t.test('where DPoP is off dpop_jkt means nothing', async (t) => {
  const { app } = await oauthApp(t)
  const code = await codeFor(app, { dpop_jkt: 'k'.repeat(43) })
  const answer = await post(
    app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER })

  t.equal(answer.json().token_type, 'Bearer')
})

t.test('a proof with a pushed request binds the code to its key, and is good once (RFC 9449 §10.1)', async (t) => {
  const { app, clock, keyFor, nonce, proven, exchange } = await start(t)
  const pushing = await keyFor('/par')
  const query = new URL(authorizationUrl({ redirect_uri: REDIRECT }), ISSUER).searchParams
  const fields: Fields = Object.fromEntries(query)
  const headers = { dpop: pushing.proof(null, { claims: { nonce: await nonce() } }) }

  t.equal((await post(app, '/par', { ...fields, dpop_jkt: 'k'.repeat(43) }, headers)).json().error, 'invalid_dpop_proof')
  const { request_uri: requestUri } = (await post(app, '/par', fields, headers)).json()
  t.equal((await post(app, '/par', fields, headers)).json().error, 'invalid_dpop_proof')

  const page = await app.inject({
    url: `/authorize?client_id=house&request_uri=${encodeURIComponent(requestUri)}`, headers: { cookie: COOKIE, 'x-user': 'alice' }
  })
  const { code = '' } = redirected(await decide(app, [...ticked(page), ['decision', 'allow']]))
  t.equal((await exchange(code, await proven())).json().error, 'invalid_grant')
  const sameKey = await dpopClient({ htu: `${ISSUER}/token`, now: clock, key: pushing.key })
  t.equal((await exchange(code, await proven(sameKey))).json().token_type, 'DPoP')
})

t.test('a client that registers dpop_bound_access_tokens is held to it (EX-21)', async (t) => {
  const { app, proven } = await start(t)
  const clientId = await register(app, { dpop_bound_access_tokens: true })
  const code = await codeFor(app, { client_id: clientId })
  const fields = { grant_type: 'authorization_code', client_id: clientId, code, code_verifier: VERIFIER }

  t.equal((await post(app, '/token', fields)).json().error, 'invalid_dpop_proof')
  t.equal((await post(app, '/token', fields, await proven())).json().token_type, 'DPoP')
})
