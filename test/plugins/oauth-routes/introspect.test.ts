import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { InvalidTokenError } from '../../../lib/tokens/errors.js'
import { introspectionVerifier } from '../../../lib/tokens/introspection-verifier.js'
import { codeFor, ISSUER, oauthApp, post, RESOURCE, SECRET, VERIFIER, type Fields } from '../../helpers/oauth-app.js'

const basic = (id: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${SECRET}`).toString('base64')}` })

/** Reaches the app as another machine would. */
const fetchFrom = (app: FastifyInstance): typeof fetch => async (input, init = {}) => {
  const { statusCode, headers, body } = await app.inject({
    method: init.method === 'POST' ? 'POST' : 'GET',
    url: new URL(String(input)).pathname,
    headers: Object.fromEntries(new Headers(init.headers)),
    payload: typeof init.body === 'string' ? init.body : ''
  })
  return new Response(body, { status: statusCode, headers: { 'content-type': String(headers['content-type']) } })
}

/** An access token of alice's, and a way to ask about it. */
async function start (t: Parameters<typeof oauthApp>[0]) {
  const made = await oauthApp(t)
  const { app } = made
  const exchange = { grant_type: 'authorization_code', client_id: 'house', code: await codeFor(app), code_verifier: VERIFIER }
  const { access_token: token } = (await post(app, '/token', exchange)).json<{ access_token: string }>()
  const ask = async (id: string, headers = {}, fields: Fields = { token }) =>
    await post(app, '/introspect', fields, { ...basic(id), ...headers })
  return { ...made, token, ask }
}

t.test('a resource server is told about a token for it, others that it is not active (AS-I2, mistake 13)', async (t) => {
  const { ask, events } = await start(t)
  const told = await ask('server')
  t.match(told, {
    statusCode: 200, headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }
  })
  t.match(told.json(), { active: true, sub: 'alice', aud: RESOURCE, iss: ISSUER, token_type: 'Bearer' })
  t.match(events.at(-1), { type: 'introspection.answered', outcome: 'allowed', clientId: 'server', resource: RESOURCE })

  const other = await ask('elsewhere')
  t.equal(other.body, '{"active":false}')
  t.match(events.at(-1), { type: 'introspection.refused', outcome: 'denied', reason: 'token for another resource' })
  t.equal((await ask('server', {}, { token: 'x' })).body, other.body)
})

t.test('nobody is told anything without authentication', async (t) => {
  const { app, token } = await start(t)
  const answers = await Promise.all([
    post(app, '/introspect', { token }),
    post(app, '/introspect', { token, client_id: 'house' }),
    post(app, '/introspect', { token }, basic('nobody'))
  ])

  for (const answer of answers) {
    t.equal(answer.statusCode, 401)
    t.equal(answer.json().error, 'invalid_client')
  }
})

t.test('the metadata names the endpoint, how to authenticate there, and how answers are signed', async (t) => {
  const { app } = await oauthApp(t)
  const metadata = (await app.inject('/.well-known/oauth-authorization-server')).json()

  t.equal(metadata.introspection_endpoint, `${ISSUER}/introspect`)
  t.notOk(metadata.introspection_endpoint_auth_methods_supported.includes('none'))
  t.strictSame(metadata.introspection_signing_alg_values_supported, ['ES256'])
})

t.test('our own introspection verifier takes the answers, signed and not', async (t) => {
  const { app, token, clock } = await start(t)
  const options = {
    issuer: ISSUER,
    introspectionEndpoint: `${ISSUER}/introspect`,
    resource: RESOURCE,
    clientId: 'server',
    clientSecret: SECRET,
    fetch: fetchFrom(app)
  }
  const signedAnswers = { jwksUri: `${ISSUER}/.well-known/jwks.json` }
  for (const verifier of [introspectionVerifier(options), introspectionVerifier({ ...options, signedAnswers })]) {
    t.match(await verifier.verify(token, clock()), { subject: 'alice', clientId: 'house', scopes: ['notes:read'] })
    await t.rejects(verifier.verify('x', clock()), InvalidTokenError)
  }
})
