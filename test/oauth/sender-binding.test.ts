import { X509Certificate } from 'node:crypto'
import { decodeJwt } from 'jose'
import t from 'tap'
import { createDpopNonces } from '../../lib/crypto/dpop-nonce.js'
import { createPushReader, createSenderReader } from '../../lib/oauth/sender-binding.js'
import { OAuthError } from '../../lib/protocol/oauth-error.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { PROOF_ALGORITHMS } from '../../lib/tokens/dpop-proof.js'
import { rememberedProofs } from '../../lib/tokens/dpop-replay.js'
import type { DpopSettings } from '../../lib/tokens/dpop-settings.js'
import { findOwnToken } from '../../lib/tokens/own-token.js'
import type { AccessTokenFormat, ClientMetadata } from '../../types/oauth.js'
import { makeCertificate } from '../helpers/certificates.js'
import { dpopClient } from '../helpers/dpop.js'
import {
  addClient, authorize, buildContext, exchange, postToken, refresh, requestOf, SECRETS, START, TOKEN_URL, type Sent
} from '../helpers/token-context.js'

const dpop = (overrides: Partial<DpopSettings> = {}): DpopSettings => ({
  rules: { algorithms: PROOF_ALGORITHMS, isGoodNonce: null },
  nonces: null,
  isFirstUse: rememberedProofs(100),
  ...overrides
})
const own = await dpopClient({ htu: TOKEN_URL, now: () => START })
const other = await dpopClient({ htu: TOKEN_URL, now: () => START })
const { der, thumbprint } = makeCertificate('a client')
const certificate = { x509: new X509Certificate(der), thumbprint, isTrusted: false }
const proven = ({ proof } = own): Sent => ({ proofs: [proof(null)] })

/** A client with a code, and a way to use that. */
async function scene (input: {
  readonly metadata?: Partial<ClientMetadata>
  readonly codeKey?: string
  readonly settings?: DpopSettings
  readonly accessTokenFormat?: AccessTokenFormat
} = {}) {
  const context = buildContext({
    dpop: input.settings ?? dpop(), accessTokenFormat: input.accessTokenFormat ?? 'jwt'
  })
  const { client, secret } = await addClient(context, input.metadata)
  const { code, grantId } =
    await authorize(context, client.clientId, input.codeKey === undefined ? {} : { codeKey: input.codeKey })
  const credentials = { client_id: client.clientId, ...(secret === null ? {} : { client_secret: secret }) }
  return {
    context,
    grantId,
    exchange: (sent: Sent = {}, now = START) => exchange(context, { ...credentials, code }, now, sent),
    refresh: (token = '', sent: Sent = {}, now = START) =>
      refresh(context, { ...credentials, refresh_token: token }, now, sent)
  }
}

const CONFIDENTIAL = { token_endpoint_auth_method: 'client_secret_post' } as const
const BOUND = { dpop_bound_access_tokens: true } as const
const refused = (code: string, reason: string) => ({ name: 'OAuthError', code, reason })

t.test('a proof at the token endpoint binds the access token to its key (EX-21)', async (t) => {
  const { tokens } = await (await scene()).exchange(proven())

  t.equal(tokens.token_type, 'DPoP')
  t.strictSame(decodeJwt(tokens.access_token).cnf, { jkt: own.thumbprint })
})

t.test('an opaque token is bound as well, and its record says to what', async (t) => {
  const { context, exchange } = await scene({ accessTokenFormat: 'opaque' })
  const { tokens } = await exchange(proven())

  t.equal(tokens.token_type, 'DPoP')
  t.match(await findOwnToken(tokens.access_token, context, START), { confirmation: { jkt: own.thumbprint } })
})

t.test('without a proof the token is a bearer token, and says of no key', async (t) => {
  const { tokens } = await (await scene()).exchange()

  t.equal(tokens.token_type, 'Bearer')
  t.notOk(Object.hasOwn(decodeJwt(tokens.access_token), 'cnf'))
})

t.test('where DPoP is off a proof means nothing, however wrong it is', async (t) => {
  const context = buildContext()
  const { client } = await addClient(context, BOUND)
  const { code } = await authorize(context, client.clientId)
  const { tokens } = await exchange(context, { client_id: client.clientId, code }, START, { proofs: ['a', 'b'] })

  t.equal(tokens.token_type, 'Bearer')
})

t.test('where DPoP is off, a client of which the operator says that it needs it gets no bearer token instead', async (t) => {
  const secret = 'a-secret-of-thirty-two-characters-or-more'
  const job = { clientId: 'job', secret, tokenEndpointAuthMethod: 'client_secret_post', scope: 'notes:read' } as const
  const bound = { ...job, grantTypes: ['client_credentials'], dpopBoundAccessTokens: true }
  const fields = { grant_type: 'client_credentials', client_id: 'job', client_secret: secret }
  const ask = (settings: { dpop?: DpopSettings }, sent: Sent = {}) =>
    postToken(buildContext({ statics: [bound], ...settings }), fields, START, sent)

  for (const sent of [{}, proven()]) await t.rejects(ask({}, sent), refused('unauthorized_client', 'DPoP is off'))
  t.equal((await ask({ dpop: dpop() }, proven())).tokens.token_type, 'DPoP')
})

const badProofs: Readonly<Record<string, readonly [Sent, string]>> = {
  'two proofs': [{ proofs: [own.proof(null), own.proof(null)] }, 'more than one DPoP header'],
  'text that is no proof': [{ proofs: ['x'] }, 'proof: not a JWT'],
  'a proof for another address': [{ proofs: [own.proof(null, { claims: { htu: `${TOKEN_URL}/` } })] }, 'htu is not the address'],
  'a proof for another method': [{ proofs: [own.proof(null, { claims: { htm: 'GET' } })] }, 'htm is not the method'],
  'a proof that is 301 seconds old': [{ proofs: [own.proof(null, { claims: { iat: START - 301 } })] }, 'iat is too old'],
  'a proof with alg none': [{ proofs: [own.proof(null, { header: { alg: 'none' } })] }, 'proof: wrong algorithm'],
  'a proof that names the key of somebody else':
    [{ proofs: [own.proof(null, { header: { jwk: other.jwk } })] }, 'proof: bad signature']
}
for (const [what, [sent, reason]] of Object.entries(badProofs)) {
  t.test(`${what} is refused as invalid_dpop_proof, and the code stays good`, async (t) => {
    const { exchange } = await scene()

    await t.rejects(exchange(sent), { name: 'OAuthError', code: 'invalid_dpop_proof', reason })
    t.equal((await exchange(proven())).tokens.token_type, 'DPoP')
  })
}

t.test('a client that registered dpop_bound_access_tokens gets nothing without a proof', async (t) => {
  const { exchange } = await scene({ metadata: BOUND })

  await t.rejects(exchange(), refused('invalid_dpop_proof', 'no DPoP header'))
  t.equal((await exchange(proven())).tokens.token_type, 'DPoP')
})

t.test('a proof is good once, and one that came with a wrong code is not used up', async (t) => {
  const { exchange, refresh } = await scene()
  const sent = proven()

  await t.rejects(refresh('not a token', sent), { code: 'invalid_grant' })
  const { tokens } = await exchange(sent)
  await t.rejects(refresh(tokens.refresh_token, sent), {
    code: 'invalid_dpop_proof', events: [{ type: 'token.refused', reason: 'proof used before' }]
  })
  await t.resolves(refresh(tokens.refresh_token, proven()))
})

t.test('when it cannot be known whether a proof was used before, nothing is decided', async (t) => {
  const { exchange } = await scene({
    settings: dpop({ isFirstUse () { throw new StoreUnavailableError('the store is gone') } })
  })

  await t.rejects(exchange(proven()), StoreUnavailableError)
})

t.test('where a nonce is asked for, a proof without one learns so', async (t) => {
  const nonces = createDpopNonces(SECRETS)
  const { exchange } = await scene({
    settings: dpop({ nonces, rules: { algorithms: PROOF_ALGORITHMS, isGoodNonce: nonces.isGood } })
  })

  await t.rejects(exchange(proven()), refused('use_dpop_nonce', 'no nonce'))
  const proof = own.proof(null, { claims: { nonce: nonces.current(START) } })
  t.equal((await exchange({ proofs: [proof] })).tokens.token_type, 'DPoP')
})

t.test('a code that is bound by dpop_jkt is nobody else\'s, and a thief does not spoil it (AS-A15)', async (t) => {
  const { exchange } = await scene({ codeKey: own.thumbprint })

  await t.rejects(exchange(), refused('invalid_grant', 'bound to another key or certificate'))
  await t.rejects(exchange(proven(other)), refused('invalid_grant', 'bound to another key or certificate'))
  t.equal((await exchange(proven())).tokens.token_type, 'DPoP')
})

t.test('the refresh token of a public client is nobody\'s without the key, and that revokes nothing', async (t) => {
  const { exchange, refresh } = await scene()
  const { tokens: first } = await exchange(proven())

  await t.rejects(refresh(first.refresh_token), refused('invalid_grant', 'bound to another key or certificate'))
  await t.rejects(refresh(first.refresh_token, proven(other)), { code: 'invalid_grant' })
  const { tokens: second } = await refresh(first.refresh_token, proven())
  t.strictSame(decodeJwt(second.access_token).cnf, { jkt: own.thumbprint })
  await t.rejects(refresh(first.refresh_token, proven(other), START + 60), { code: 'invalid_grant' })
  await t.resolves(refresh(second.refresh_token, proven()))
})

t.test('a public client that comes with a key later is bound to it from then on', async (t) => {
  const { exchange, refresh } = await scene()
  const { tokens: first } = await exchange()
  const { tokens: second } = await refresh(first.refresh_token, proven())

  await t.rejects(refresh(second.refresh_token), { code: 'invalid_grant' })
  await t.resolves(refresh(second.refresh_token, proven()))
})

t.test('a refresh token from before the binding ends the grant, without the key: the key may be a thief\'s', async (t) => {
  const { exchange, refresh } = await scene()
  const { tokens: first } = await exchange()
  const { tokens: second } = await refresh(first.refresh_token, proven())

  await t.rejects(refresh(first.refresh_token), { code: 'invalid_grant', reason: 'refresh token reused' })
  await t.rejects(refresh(second.refresh_token, proven()), { code: 'invalid_grant', reason: 'the grant has ended' })
})

t.test('a client that authenticates may change its key (RFC 9449 §5)', async (t) => {
  const { exchange, refresh } = await scene({ metadata: CONFIDENTIAL })
  const { tokens: first } = await exchange(proven())
  const { tokens: second } = await refresh(first.refresh_token, proven(other))

  t.strictSame(decodeJwt(second.access_token).cnf, { jkt: other.thumbprint })
})

t.test('a repeat of a refresh gets the same answer only with the key and a new proof', async (t) => {
  const { exchange, refresh } = await scene()
  const { tokens } = await exchange(proven())
  const { body } = await refresh(tokens.refresh_token, proven())

  t.equal((await refresh(tokens.refresh_token, proven(), START + 10)).body, body)
  await t.rejects(refresh(tokens.refresh_token, proven(other), START + 10), { code: 'invalid_grant' })
})

t.test('a client that registered for it gets tokens that are bound to its certificate (RFC 8705 §3)', async (t) => {
  const { exchange, refresh } = await scene({ metadata: { tls_client_certificate_bound_access_tokens: true } })

  await t.rejects(exchange(), refused('invalid_request', 'no client certificate'))
  const { tokens } = await exchange({ certificate })
  t.equal(tokens.token_type, 'Bearer')
  t.strictSame(decodeJwt(tokens.access_token).cnf, { 'x5t#S256': thumbprint })
  await t.rejects(
    refresh(tokens.refresh_token, { certificate: { ...certificate, thumbprint: 'x'.repeat(43) } }), { code: 'invalid_grant' })
  await t.resolves(refresh(tokens.refresh_token, { certificate }))
})

t.test('the certificate of a client that did not register for it binds nothing', async (t) => {
  const { tokens } = await (await scene()).exchange({ certificate })

  t.notOk(Object.hasOwn(decodeJwt(tokens.access_token), 'cnf'))
})

t.test('an address that has no normal form is the address of no proof', async (t) => {
  const read = createSenderReader({ dpop: dpop(), url: 'not an address' })
  const { client } = await addClient(buildContext())

  t.throws(() => read(requestOf({}, proven()), client, START), { code: 'invalid_dpop_proof' })
})

t.test('a pushed request is bound to the key of its proof, or to the one that it names', async (t) => {
  const read = createPushReader({ dpop: dpop(), url: TOKEN_URL })
  const keyOf = (members: Readonly<Record<string, string>>, sent: Sent) =>
    read(requestOf(members, sent), START).form.get('dpop_jkt')

  t.equal(keyOf({}, {}), undefined)
  t.strictSame(keyOf({}, proven()), [own.thumbprint])
  t.strictSame(keyOf({ dpop_jkt: own.thumbprint }, proven()), [own.thumbprint])
  t.throws(() => keyOf({ dpop_jkt: other.thumbprint }, proven()), {
    code: 'invalid_dpop_proof', reason: 'proof of another key than dpop_jkt'
  })
  t.throws(() => keyOf({}, { proofs: [own.proof(null, { claims: { htm: 'GET' } })] }), OAuthError)
})
