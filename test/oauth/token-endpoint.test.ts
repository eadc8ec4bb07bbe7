import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { answerTokenRequest } from '../../lib/oauth/token-endpoint.js'
import { TokenRefusal } from '../../lib/oauth/token-refusal.js'
import { readForm } from '../../lib/protocol/form.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import {
  addClient, authorize, buildContext, formOf, ISSUER, openFamily, RESOURCE, START, VERIFIER
} from '../helpers/token-context.js'

const context = buildContext()
const { client } = await addClient(context)
const { client: codeOnly } = await addClient(context, { grant_types: ['authorization_code'] })
const post = (text: string, authorization?: string) =>
  answerTokenRequest({ form: readForm(text), authorization, proofs: [], certificate: null }, context, START)

const known = `client_id=${client.clientId}`
const refusals: Readonly<Record<string, readonly [string, string]>> = {
  'an empty request': ['', 'invalid_client'],
  'an unknown client': ['client_id=nobody&grant_type=refresh_token&refresh_token=x', 'invalid_client'],
  'no grant type': [known, 'invalid_request'],
  'a grant type that there is not': [`${known}&grant_type=password&username=a&password=b`, 'unsupported_grant_type'],
  'a grant type of clients that the operator set up': [`${known}&grant_type=client_credentials`, 'unauthorized_client'],
  'a grant type that is a member of every object': [`${known}&grant_type=constructor`, 'unsupported_grant_type'],
  'a grant type that the client did not register':
    [`client_id=${codeOnly.clientId}&grant_type=refresh_token&refresh_token=x`, 'unauthorized_client'],
  'no code': [`${known}&grant_type=authorization_code&code_verifier=${VERIFIER}`, 'invalid_request'],
  'no verifier': [`${known}&grant_type=authorization_code&code=x`, 'invalid_request'],
  'an unknown code': [`${known}&grant_type=authorization_code&code=x&code_verifier=${VERIFIER}`, 'invalid_grant'],
  'no refresh token': [`${known}&grant_type=refresh_token`, 'invalid_request'],
  'an unknown refresh token': [`${known}&grant_type=refresh_token&refresh_token=x`, 'invalid_grant'],
  'a malformed scope': [`${known}&grant_type=refresh_token&refresh_token=x&scope=%22`, 'invalid_scope'],
  'a repeated code': [`${known}&grant_type=authorization_code&code=x&code=y&code_verifier=${VERIFIER}`, 'invalid_request'],
  'a repeated client': [`${known}&${known}&grant_type=refresh_token&refresh_token=x`, 'invalid_request'],
  'a repeated parameter that we do not know': [`${known}&a=1&a=2&grant_type=refresh_token&refresh_token=x`, 'invalid_request']
}

for (const [name, [text, code]] of Object.entries(refusals)) {
  t.test(`${name} is refused as ${code}`, async (t) => {
    await t.rejects(post(text), { name: 'OAuthError', code })
  })
}

t.test('once the client is known a refusal tells the audit which one it was', async (t) => {
  const error: unknown = await post(`${known}&grant_type=password`).catch((error: unknown) => error)

  t.type(error, TokenRefusal)
  t.match(error, { events: [{ type: 'token.refused', clientId: client.clientId }] })
})

t.test('no answer to a bad request holds what was sent', async (t) => {
  const sentinel = 'sentinel'.repeat(8)
  const texts = [
    `${known}&grant_type=${sentinel}`,
    `${known}&grant_type=refresh_token&refresh_token=${sentinel}`,
    `${known}&grant_type=authorization_code&code=${sentinel}&code_verifier=${sentinel}`,
    `client_id=${sentinel}&client_secret=${sentinel}&grant_type=refresh_token&refresh_token=x`
  ]

  for (const text of texts) {
    const error: unknown = await post(text).catch((error: unknown) => error)
    t.notOk(`${String(error)}${JSON.stringify(error)}${JSON.stringify({ ...Object(error) })}`.includes(sentinel))
  }
})

t.test('a code and then its refresh token give access tokens that jose verifies', async (t) => {
  const { code } = await authorize(context, client.clientId)
  const keys = createLocalJWKSet(JSON.parse(context.keyring.jwks))
  const verify = (token: string) => jwtVerify(token, keys, {
    typ: 'at+jwt', issuer: ISSUER, audience: RESOURCE, currentDate: new Date(START * 1000)
  })

  const first = await post(`${known}&grant_type=authorization_code&code=${code}&code_verifier=${VERIFIER}`)
  const tokens = JSON.parse(first.body)
  const second = await post(`${known}&grant_type=refresh_token&refresh_token=${tokens.refresh_token}`)

  t.equal(first.status, 200)
  t.equal((await verify(tokens.access_token)).payload.client_id, client.clientId)
  t.equal((await verify(JSON.parse(second.body).access_token)).payload.sub, 'alice')
})

t.test('a store that cannot be reached is passed on', async (t) => {
  const { clientId, refreshToken } = await openFamily(context)
  const down = buildContext({ records: { ...memoryStore(), get: async () => { throw new StoreUnavailableError('down') } } })
  const form = formOf({ client_id: clientId, grant_type: 'refresh_token', refresh_token: refreshToken })

  const request = { form, authorization: undefined, proofs: [], certificate: null }
  await t.rejects(answerTokenRequest(request, down, START), StoreUnavailableError)
})
