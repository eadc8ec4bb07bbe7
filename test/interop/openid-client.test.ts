import * as openid from 'openid-client'
import t from 'tap'
import { signInAndConsent } from '../../examples/support/form-browser.js'
import { DEVICE_GRANT } from '../../lib/protocol/grant-types.js'
import { user } from '../helpers/reference-server.js'
import { allowDevice, CALLBACK, SECRET, startCertificateServer, startStrictServer } from '../helpers/strict-clients.js'

const server = await startStrictServer(t)
// Somebody who signs in once.
const browser = server.browser()
const resource = server.url.href

/** Signed answers are asked for by what the client says about itself, and then verified. */
const SIGNED = { introspection_signed_response_alg: 'ES256' }

async function discover (
  clientId: string, authentication: openid.ClientAuth, metadata: Partial<openid.ClientMetadata> = {}
): Promise<openid.Configuration> {
  return await openid.discovery(new URL(server.origin), clientId, metadata, authentication, {
    algorithm: 'oauth2', execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks]
  })
}

const newDpop = async (config: openid.Configuration, algorithm = 'ES256'): Promise<openid.DPoPHandle> =>
  openid.getDPoPHandle(config, await openid.randomDPoPKeyPair(algorithm))
const by = (dpop?: openid.DPoPHandle) => dpop === undefined ? {} : { DPoP: dpop }

const call = async (config: openid.Configuration, token: string, dpop?: openid.DPoPHandle) =>
  await openid.fetchProtectedResource(config, token, server.url, 'POST',
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } }),
    new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' }), by(dpop))

/** Pushes a request and signs in. Answers what the browser brings back, and what the client kept. */
async function authorize (config: openid.Configuration, dpop?: openid.DPoPHandle) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState()
  const url = await openid.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: CALLBACK,
    scope: 'notes:read',
    resource,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState
  }, by(dpop))
  return {
    callback: await signInAndConsent(browser, url, user), checks: { pkceCodeVerifier, expectedState }
  }
}

t.test('openid-client: a pushed request, PKCE and DPoP with nonces, a call, a refresh and a revocation', async (t) => {
  const config = await discover('public', openid.None())
  const dpop = await newDpop(config)
  const { callback, checks } = await authorize(config, dpop)
  const tokens = await openid.authorizationCodeGrant(config, callback, checks, {}, by(dpop))
  t.equal(tokens.token_type, 'dpop')
  t.match(await (await call(config, tokens.access_token, dpop)).text(), /notes:read/)

  const next = await openid.refreshTokenGrant(config, String(tokens.refresh_token), {}, by(dpop))
  t.match(await (await call(config, next.access_token, dpop)).text(), /notes:read/)
  const stolen = async (thief: openid.DPoPHandle) =>
    await openid.refreshTokenGrant(config, String(next.refresh_token), {}, by(thief))
  await t.rejects(stolen(await newDpop(config)), { name: 'ResponseBodyError' })

  await openid.tokenRevocation(config, String(next.refresh_token))
  await t.rejects(call(config, next.access_token, dpop), { name: 'WWWAuthenticateChallengeError', status: 401 })
})

t.test('openid-client: a code is sent on only when the right server names itself beside it (RFC 9207)', async (t) => {
  const config = await discover('vault', openid.ClientSecretBasic(SECRET))
  const { callback, checks } = await authorize(config)
  const exchange = async (iss: string | null) => {
    const url = new URL(callback)
    url.searchParams.delete('iss')
    if (iss !== null) url.searchParams.set('iss', iss)
    return await openid.authorizationCodeGrant(config, url, checks)
  }

  t.equal(callback.searchParams.get('iss'), server.origin)
  for (const iss of ['https://attacker.example', `${server.origin}/`, null]) {
    await t.rejects(exchange(iss), { code: 'OAUTH_INVALID_RESPONSE' })
  }
  // Had one of those reached the server, the code would be spent.
  t.equal((await exchange(server.origin)).token_type, 'bearer')
})

const methods: Readonly<Record<string, readonly [string, openid.ClientAuth]>> = {
  client_secret_basic: ['vault', openid.ClientSecretBasic(SECRET)],
  client_secret_post: ['poster', openid.ClientSecretPost(SECRET)],
  ...Object.fromEntries(server.keys.map(({ algorithm, privateKey }) =>
    [`private_key_jwt by ${algorithm}`, [algorithm, openid.PrivateKeyJwt(privateKey)]]))
}
for (const [method, [clientId, authentication]] of Object.entries(methods)) {
  t.test(`openid-client: ${method}, bearer tokens of a person, a refresh`, async (t) => {
    const config = await discover(clientId, authentication)
    const { callback, checks } = await authorize(config)
    const tokens = await openid.authorizationCodeGrant(config, callback, checks)
    const next = await openid.refreshTokenGrant(config, String(tokens.refresh_token))

    t.equal(next.token_type, 'bearer')
    t.match(await (await call(config, next.access_token)).text(), /notes:read/)
  })

  t.test(`openid-client: client credentials with ${method}, introspection plain and signed, a revocation`, async (t) => {
    const config = await discover(`job.${clientId}`, authentication)
    const signed = await discover(`job.${clientId}`, authentication, SIGNED)
    const { access_token: token } = await openid.clientCredentialsGrant(config, { resource })
    t.equal((await call(config, token)).status, 200)

    const plain = await openid.tokenIntrospection(config, token)
    t.match(plain, { active: true, client_id: `job.${clientId}`, aud: resource, token_type: 'Bearer' })
    t.strictSame(await openid.tokenIntrospection(signed, token), plain)
    await openid.tokenRevocation(config, token)
    t.strictSame(await openid.tokenIntrospection(signed, token), { active: false })
  })
}

t.test('openid-client: a signed answer of which the client does not have the key is refused', async (t) => {
  const config = await discover('vault', openid.ClientSecretBasic(SECRET), SIGNED)
  config[openid.customFetch] = async (url, options) => url === config.serverMetadata().jwks_uri
    ? Response.json({ keys: [{ ...server.keys[0]?.jwks.keys[0] }] })
    : await fetch(url, options as RequestInit)

  await t.rejects(openid.tokenIntrospection(config, 'no token'), { name: 'ClientError' })
})

for (const algorithm of ['ES256', 'RS256', 'Ed25519']) {
  t.test(`openid-client: client credentials, bound to a key for ${algorithm}`, async (t) => {
    const config = await discover('job.vault', openid.ClientSecretBasic(SECRET))
    const dpop = await newDpop(config, algorithm)
    const tokens = await openid.clientCredentialsGrant(config, { resource }, by(dpop))

    t.equal(tokens.token_type, 'dpop')
    t.equal((await call(config, tokens.access_token, dpop)).status, 200)
  })
}

t.test('openid-client: tls_client_auth and self_signed_tls_client_auth, tokens bound to the certificate', async (t) => {
  const secure = await startCertificateServer(t)
  for (const [clientId, certificate] of Object.entries(secure.certificates)) {
    const asked: string[] = []
    const metadata = { ...SIGNED, use_mtls_endpoint_aliases: true }
    const config = await openid.discovery(new URL(secure.issuer), clientId, metadata,
      openid.TlsClientAuth(), {
        algorithm: 'oauth2',
        execute: [openid.enableNonRepudiationChecks],
        [openid.customFetch]: secure.fetchOf(certificate, asked)
      })
    const { access_token: token } = await openid.clientCredentialsGrant(config)
    const cnf = { 'x5t#S256': certificate.thumbprint }

    t.match(await openid.tokenIntrospection(config, token), { active: true, client_id: clientId, cnf })
    await openid.tokenRevocation(config, token)
    t.strictSame(await openid.tokenIntrospection(config, token), { active: false })
    t.ok(asked.includes(`${secure.certificateOrigin}/token`), 'where TLS asks for certificates (RFC 8705 §5)')
    const [other = certificate] = Object.values(secure.certificates).filter((one) => one !== certificate)
    config[openid.customFetch] = secure.fetchOf(other)
    await t.rejects(openid.clientCredentialsGrant(config), { name: 'ResponseBodyError', status: 401 })
  }
})

t.test('openid-client: a device that waits for a person, its tokens bound to a key, a refresh', async (t) => {
  const config = await discover('tv', openid.None())
  const dpop = await newDpop(config)
  const opened = await openid.initiateDeviceAuthorization(config, { scope: 'notes:read', resource })
  const asked = openid.genericGrantRequest(config, DEVICE_GRANT, { device_code: opened.device_code }, by(dpop))
  await t.rejects(asked, { name: 'ResponseBodyError', error: 'authorization_pending' })
  await allowDevice(server, String(opened.verification_uri_complete))

  // It waits before it asks: the person has answered, so that it need not.
  const tokens = await openid.pollDeviceAuthorizationGrant(config, { ...opened, interval: 0 }, {}, by(dpop))
  t.equal(tokens.token_type, 'dpop')
  const next = await openid.refreshTokenGrant(config, String(tokens.refresh_token), {}, by(dpop))
  t.match(await (await call(config, next.access_token, dpop)).text(), /notes:read/)
})
