import * as oauth from 'oauth4webapi'
import t from 'tap'
import { signInAndConsent } from '../../examples/support/form-browser.js'
import { user } from '../helpers/reference-server.js'
import { allowDevice, CALLBACK, SECRET, startCertificateServer, startStrictServer } from '../helpers/strict-clients.js'

const server = await startStrictServer(t)
// Somebody who signs in once.
const browser = server.browser()
// What a client that is strict about everything else needs to speak to a server on this machine.
const insecure = { [oauth.allowInsecureRequests]: true }
const by = (dpop?: oauth.DPoPHandle) => ({ ...insecure, ...(dpop === undefined ? {} : { DPoP: dpop }) })
const issuer = new URL(server.origin)

async function discover (): Promise<oauth.AuthorizationServer> {
  const found = await oauth.resourceDiscoveryRequest(server.url, insecure)
  const { authorization_servers: [named = ''] = [] } = await oauth.processResourceDiscoveryResponse(server.url, found)
  const response = await oauth.discoveryRequest(new URL(named), { algorithm: 'oauth2', ...insecure })
  return await oauth.processDiscoveryResponse(issuer, response)
}
const as = await discover()

/** Comes again with the nonce that the first answer brought, as RFC 9449 §8 says. */
async function withNonce<T> (send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return await send()
  }
}

async function newDpop (client: oauth.Client): Promise<oauth.DPoPHandle> {
  return oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
}

const call = async (token: string, dpop?: oauth.DPoPHandle) => await withNonce(async () =>
  await oauth.protectedResourceRequest(token, 'POST', server.url, new Headers({
    'content-type': 'application/json', accept: 'application/json, text/event-stream'
  }), JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } }),
  by(dpop)))

/** Pushes a request and signs in. Answers what the browser brings back, and what the client kept. */
async function authorize (client: oauth.Client, authentication: oauth.ClientAuth, dpop?: oauth.DPoPHandle) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const parameters = new URLSearchParams({
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'notes:read',
    resource: server.url.href,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state
  })
  const { request_uri: requestUri } = await withNonce(async () => await oauth.processPushedAuthorizationResponse(
    as, client, await oauth.pushedAuthorizationRequest(as, client, authentication, parameters, by(dpop))))
  const url = new URL(String(as.authorization_endpoint))
  url.search = new URLSearchParams({ client_id: client.client_id, request_uri: requestUri }).toString()
  return { callback: await signInAndConsent(browser, url, user), state, verifier }
}

/** Does that, and exchanges the code. RFC 9207 is checked by the client. */
async function signIn (client: oauth.Client, authentication: oauth.ClientAuth, dpop?: oauth.DPoPHandle) {
  const { callback, state, verifier } = await authorize(client, authentication, dpop)
  const answer = oauth.validateAuthResponse(as, client, callback, state)
  return await withNonce(async () => await oauth.processAuthorizationCodeResponse(as, client,
    await oauth.authorizationCodeGrantRequest(as, client, authentication, answer, CALLBACK, verifier, by(dpop))))
}

const refresh = async (client: oauth.Client, authentication: oauth.ClientAuth, token = '', dpop?: oauth.DPoPHandle) =>
  await withNonce(async () => await oauth.processRefreshTokenResponse(as, client,
    await oauth.refreshTokenGrantRequest(as, client, authentication, token, by(dpop))))

t.test('oauth4webapi: a pushed request, PKCE and DPoP with nonces, a call, a refresh and a revocation', async (t) => {
  const client: oauth.Client = { client_id: 'public' }
  const authentication = oauth.None()
  const dpop = await newDpop(client)
  const tokens = await signIn(client, authentication, dpop)
  t.equal(tokens.token_type, 'dpop')
  t.match(await (await call(tokens.access_token, dpop)).text(), /notes:read/)

  const next = await refresh(client, authentication, tokens.refresh_token, dpop)
  t.match(await (await call(next.access_token, dpop)).text(), /notes:read/)
  await t.rejects(refresh(client, authentication, next.refresh_token), oauth.ResponseBodyError)
  await t.rejects(refresh(client, authentication, next.refresh_token, await newDpop(client)), oauth.ResponseBodyError)

  await oauth.processRevocationResponse(
    await oauth.revocationRequest(as, client, authentication, String(next.refresh_token), insecure))
  await t.rejects(call(next.access_token, dpop), { name: 'WWWAuthenticateChallengeError', status: 401 })
})

const methods: Readonly<Record<string, readonly [string, oauth.ClientAuth]>> = {
  client_secret_basic: ['vault', oauth.ClientSecretBasic(SECRET)],
  client_secret_post: ['poster', oauth.ClientSecretPost(SECRET)],
  ...Object.fromEntries(server.keys.map(({ algorithm, privateKey }) =>
    [`private_key_jwt by ${algorithm}`, [algorithm, oauth.PrivateKeyJwt(privateKey)]]))
}
for (const [method, [clientId, authentication]] of Object.entries(methods)) {
  t.test(`oauth4webapi: ${method}, bearer tokens, introspection plain and signed`, async (t) => {
    const client: oauth.Client = { client_id: clientId }
    const tokens = await signIn(client, authentication)
    t.equal(tokens.token_type, 'bearer')
    const { access_token: token } = await refresh(client, authentication, tokens.refresh_token)
    t.match(await (await call(token)).text(), /notes:read/)
    const ask = async (requestJwtResponse: boolean) => {
      const response = await oauth.introspectionRequest(
        as, client, authentication, token, { ...insecure, requestJwtResponse })
      const told = await oauth.processIntrospectionResponse(as, client, response)
      if (requestJwtResponse) await oauth.validateApplicationLevelSignature(as, response, insecure)
      return told
    }

    const plain = await ask(false)
    t.match(plain, { active: true, client_id: clientId, aud: server.url.href, token_type: 'Bearer' })
    t.strictSame(await ask(true), plain)
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, authentication, token, insecure))
    t.strictSame(await ask(true), { active: false })
  })

  t.test(`oauth4webapi: client credentials with ${method} (EX-1 to EX-3)`, async (t) => {
    const client: oauth.Client = { client_id: `job.${clientId}` }
    const tokens = await oauth.processClientCredentialsResponse(as, client, await oauth.clientCredentialsGrantRequest(
      as, client, authentication, new URLSearchParams({ resource: server.url.href }), insecure))

    t.equal((await call(tokens.access_token)).status, 200)
  })
}

t.test('oauth4webapi: a signed answer about a token that somebody changed on the way is refused', async (t) => {
  const client: oauth.Client = { client_id: 'vault' }
  const response = await oauth.introspectionRequest(
    as, client, oauth.ClientSecretBasic(SECRET), 'no token', { ...insecure, requestJwtResponse: true })
  const [head, , signature] = (await response.text()).split('.')
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: as.issuer, aud: 'vault', iat: now, token_introspection: { active: true } }
  const changed = new Response([head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.'), {
    headers: { 'content-type': 'application/token-introspection+jwt' }
  })

  t.strictSame(await oauth.processIntrospectionResponse(as, client, changed), { active: true })
  await t.rejects(oauth.validateApplicationLevelSignature(as, changed, insecure), /signature verification failed/)
})

t.test('oauth4webapi: client credentials, bound to a key', async (t) => {
  const client: oauth.Client = { client_id: 'job.vault' }
  const dpop = await newDpop(client)
  const tokens = await withNonce(async () => await oauth.processClientCredentialsResponse(as, client,
    await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic(SECRET),
      new URLSearchParams({ resource: server.url.href }), by(dpop))))

  t.equal(tokens.token_type, 'dpop')
  t.equal((await call(tokens.access_token, dpop)).status, 200)
})

t.test('oauth4webapi: the server names itself to the client with a code and with an error (RFC 9207)', async (t) => {
  const client: oauth.Client = { client_id: 'vault' }
  const { callback, state } = await authorize(client, oauth.ClientSecretBasic(SECRET))
  const refused = await server.browser().open(`${as.authorization_endpoint}?${new URLSearchParams({
    response_type: 'code', client_id: 'vault', prompt: 'none', state, code_challenge: 'a'.repeat(43), code_challenge_method: 'S256'
  })}`)
  const validate = (url: URL, iss: string | null) => () => {
    const changed = new URL(url)
    changed.searchParams.delete('iss')
    if (iss !== null) changed.searchParams.set('iss', iss)
    return oauth.validateAuthResponse(as, client, changed, state)
  }
  if (!(refused instanceof URL)) throw new Error('the server did not send the browser back')

  for (const url of [callback, refused]) {
    t.equal(url.searchParams.get('iss'), server.origin)
    t.throws(validate(url, 'https://attacker.example'), { message: /unexpected "iss"/ })
    t.throws(validate(url, `${server.origin}/`), { message: /unexpected "iss"/ })
    t.throws(validate(url, null), { message: /"iss" \(issuer\) missing/ })
  }
  t.equal(validate(callback, server.origin)().get('code'), callback.searchParams.get('code'))
  t.throws(validate(refused, server.origin), { name: 'AuthorizationResponseError', error: 'login_required' })
})

t.test('oauth4webapi: tls_client_auth and self_signed_tls_client_auth, tokens bound to the certificate', async (t) => {
  const secure = await startCertificateServer(t)
  for (const [clientId, certificate] of Object.entries(secure.certificates)) {
    const client: oauth.Client = { client_id: clientId, use_mtls_endpoint_aliases: true }
    const asked: string[] = []
    const options = { [oauth.customFetch]: secure.fetchOf(certificate, asked) }
    const issuer = new URL(secure.issuer)
    const as = await oauth.processDiscoveryResponse(
      issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options }))
    const tokens = await oauth.processClientCredentialsResponse(as, client,
      await oauth.clientCredentialsGrantRequest(as, client, oauth.TlsClientAuth(), {}, options))
    const ask = async () => {
      const response = await oauth.introspectionRequest(
        as, client, oauth.TlsClientAuth(), tokens.access_token, { ...options, requestJwtResponse: true })
      const told = await oauth.processIntrospectionResponse(as, client, response)
      await oauth.validateApplicationLevelSignature(as, response, options)
      return told
    }

    t.match(await ask(), { active: true, client_id: clientId, cnf: { 'x5t#S256': certificate.thumbprint } })
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, oauth.TlsClientAuth(), tokens.access_token, options))
    t.strictSame(await ask(), { active: false })
    t.ok(asked.includes(`${secure.certificateOrigin}/token`), 'where TLS asks for certificates (RFC 8705 §5)')
    const [other = certificate] = Object.values(secure.certificates).filter((one) => one !== certificate)
    await t.rejects(oauth.clientCredentialsGrantRequest(
      as, client, oauth.TlsClientAuth(), {}, { [oauth.customFetch]: secure.fetchOf(other) }
    ).then(async (response) => await oauth.processClientCredentialsResponse(as, client, response)), { name: 'ResponseBodyError', status: 401 })
  }
})

t.test('oauth4webapi: a device that waits for a person, its tokens bound to a key, a refresh', async (t) => {
  const client: oauth.Client = { client_id: 'tv' }
  const authentication = oauth.None()
  const dpop = await newDpop(client)
  const opened = await oauth.processDeviceAuthorizationResponse(as, client, await oauth.deviceAuthorizationRequest(
    as, client, authentication, { scope: 'notes:read', resource: server.url.href }, insecure))
  const poll = async () => await withNonce(async () => await oauth.processDeviceCodeResponse(as, client,
    await oauth.deviceCodeGrantRequest(as, client, authentication, opened.device_code, { ...insecure, DPoP: dpop })))

  await t.rejects(poll(), { name: 'ResponseBodyError', error: 'authorization_pending' })
  await allowDevice(server, String(opened.verification_uri_complete))
  const tokens = await poll()

  t.equal(tokens.token_type, 'dpop')
  const next = await refresh(client, authentication, tokens.refresh_token, dpop)
  t.match(await (await call(next.access_token, dpop)).text(), /notes:read/)
  await t.rejects(poll(), { name: 'ResponseBodyError', error: 'invalid_grant' })
})
