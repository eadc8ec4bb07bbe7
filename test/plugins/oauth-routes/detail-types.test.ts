import { Type } from '@sinclair/typebox'
import { decodeJwt } from 'jose'
import t from 'tap'
import { buildContext } from '../../../lib/plugins/oauth-routes/context.js'
import { buildDetailTypes } from '../../../lib/plugins/oauth-routes/detail-types.js'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import type { OAuthRoutesOptions } from '../../../types/options.js'
import { buildApp } from '../../helpers/build-app.js'
import { authorize, codeFor, oauthApp, OPTIONS, post, redirected, register, VERIFIER } from '../../helpers/oauth-app.js'

const closed = { additionalProperties: false }
const routes: Partial<OAuthRoutesOptions> = {
  authorizationDetails: {
    payment: {
      schema: Type.Object({ amount: Type.String({ maxLength: 10 }), to: Type.Optional(Type.String()) }, closed),
      describe: ({ amount }) => `Pay <b>${String(amount)}</b> once`
    },
    export: { schema: Type.Object({}, closed), describe: () => 'Export everything' }
  }
}
const payment = { type: 'payment', amount: '10.00' }
const both = [payment, { type: 'export' }]
const asked = { authorization_details: JSON.stringify(both) }

t.test('what was granted is on the consent page, in the answer and in the token, and a refresh may take less', async (t) => {
  const { app } = await oauthApp(t, { routes })
  const client = await register(app, { grant_types: ['authorization_code', 'refresh_token'], redirect_uris: ['https://c.example/cb'] })
  const page = await authorize(app, { client_id: client, ...asked })
  t.match(page.body, /<li><bdi>Pay &lt;b&gt;10\.00&lt;\/b&gt; once<\/bdi><\/li><li><bdi>Export everything<\/bdi><\/li>/)
  const code = await codeFor(app, { client_id: client, ...asked })
  const exchange = { grant_type: 'authorization_code', client_id: client, code, code_verifier: VERIFIER }
  const beyond = { ...exchange, authorization_details: JSON.stringify([{ ...payment, amount: '99.00' }]) }

  t.match((await post(app, '/token', beyond)).json(), { error: 'invalid_authorization_details' })
  const first = (await post(app, '/token', exchange)).json()
  t.strictSame(first.authorization_details, both)
  t.strictSame(decodeJwt(first.access_token).authorization_details, both)
  const less = (await post(app, '/token', {
    grant_type: 'refresh_token', client_id: client, refresh_token: first.refresh_token, authorization_details: JSON.stringify([payment])
  })).json()
  t.strictSame(decodeJwt(less.access_token).authorization_details, [payment])
  const again = (await post(app, '/token', {
    grant_type: 'refresh_token', client_id: client, refresh_token: less.refresh_token
  })).json()
  t.strictSame(again.authorization_details, both)
})

t.test('who agreed to some details is asked each time, for the same and for others', async (t) => {
  const { app } = await oauthApp(t, { routes })
  await codeFor(app, asked)

  t.equal((await authorize(app, asked)).statusCode, 200)
  t.equal((await authorize(app, { authorization_details: JSON.stringify([payment]) })).statusCode, 200)
  t.equal((await authorize(app)).statusCode, 200)
})

t.test('a detail whose line the page would have to cut is refused', async (t) => {
  const describe = ({ to }: Readonly<Record<string, unknown>>): string => String(to)
  const to = { schema: Type.Object({ to: Type.String() }, closed), describe }
  const { isKnown } = buildDetailTypes({ ...OPTIONS, authorizationDetails: { to } })

  t.ok(isKnown({ type: 'to', to: '\u{1f600}'.repeat(300) }))
  t.notOk(isKnown({ type: 'to', to: 'x'.repeat(301) }))
})

t.test('an unknown type, member or shape is refused, also when it is pushed', async (t) => {
  const { app } = await oauthApp(t, { routes })
  for (const detail of [{ type: 'other' }, { ...payment, more: 1 }, { type: 'payment' }, { ...payment, amount: 10 }, { type: 'toString' }]) {
    const parameters = { authorization_details: JSON.stringify([detail]) }
    t.match(redirected(await authorize(app, parameters)), { error: 'invalid_authorization_details' })
    t.match((await post(app, '/par', {
      client_id: 'house', response_type: 'code', code_challenge: VERIFIER.slice(0, 43), code_challenge_method: 'S256', ...parameters
    })).json(), { error: 'invalid_authorization_details' })
  }
})

t.test('the metadata names the types, and without any the parameter means nothing', async (t) => {
  const metadata = '/.well-known/oauth-authorization-server'
  const { app } = await oauthApp(t, { routes })
  t.strictSame((await app.inject(metadata)).json().authorization_details_types_supported, ['payment', 'export'])
  const { app: plain } = await oauthApp(t)
  t.notOk(Object.hasOwn((await plain.inject(metadata)).json(), 'authorization_details_types_supported'))

  const code = await codeFor(plain, asked)
  const answer = await post(plain, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER })
  t.notOk(Object.hasOwn(answer.json(), 'authorization_details'))
})

t.test('a type that is gone since is named on the page by itself', async (t) => {
  t.equal(buildDetailTypes(OPTIONS).describe(payment), 'payment')
})

t.test('a schema that would let unread members through stops the boot', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore)
  const open = [
    Type.Object({}), Type.String(), Type.Object({ to: Type.Array(Type.Optional(Type.Object({}))) }, closed),
    Type.Object({ to: Type.Union([Type.String(), Type.Object({})]) }, closed)
  ]
  for (const schema of open) {
    const options = { ...OPTIONS, authorizationDetails: { payment: { schema, describe: () => '' } } }
    t.throws(() => buildContext(app, options),
      { code: 'MCPS_ERR_INVALID_OPTION', message: /^authorizationDetails\.payment\.schema must / })
  }
})
