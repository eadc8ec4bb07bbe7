import Fastify from 'fastify'
import * as oauth from 'oauth4webapi'
import t from 'tap'
import { signInAndConsent } from '../../examples/support/form-browser.js'
import { oauthRoutes } from '../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../lib/plugins/pkce-store.js'
import { DEVICE_GRANT } from '../../lib/protocol/grant-types.js'
import { makeCertificate, tlsFetch } from '../helpers/certificates.js'
import { OPTIONS } from '../helpers/oauth-app.js'
import { startReferenceServer, user } from '../helpers/reference-server.js'

const SECRET = 'a-secret-of-thirty-two-characters-or-more'
const CALLBACK = 'http://127.0.0.1/callback'

const ALGORITHMS = ['ES256', 'RS256', 'PS256'] as const
const keys = await Promise.all(ALGORITHMS.map(async (algorithm) => {
  const { publicKey, privateKey } = await oauth.generateKeyPair(algorithm)
  return { algorithm, privateKey, jwks: { keys: [{ ...await crypto.subtle.exportKey('jwk', publicKey) }] } }
}))
const JOB = { grantTypes: ['client_credentials'], scope: 'notes:read' }

const server = await startReferenceServer(t, {
  configuration: {
    dpop: { nonce: true },
    deviceAuthorization: true,
    clients: [
      { clientId: 'public', redirectUris: [CALLBACK], dpopBoundAccessTokens: true },
      { clientId: 'tv', grantTypes: [DEVICE_GRANT, 'refresh_token'] },
      { clientId: 'vault', redirectUris: [CALLBACK], secret: SECRET },
      { clientId: 'poster', redirectUris: [CALLBACK], secret: SECRET, tokenEndpointAuthMethod: 'client_secret_post' },
      { clientId: 'job', secret: SECRET, ...JOB },
      { clientId: 'job.post', secret: SECRET, tokenEndpointAuthMethod: 'client_secret_post', ...JOB },
      ...keys.flatMap(({ algorithm, jwks }) => [
        { clientId: algorithm, redirectUris: [CALLBACK], jwks }, { clientId: `job.${algorithm}`, jwks, ...JOB }
      ])
    ]
  }
})
// What a client that is strict about everything else needs to speak to a server on this machine.
const insecure = { [oauth.allowInsecureRequests]: true }
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
  { ...insecure, ...(dpop === undefined ? {} : { DPoP: dpop }) }))

/** Pushes a request, signs in, and exchanges the code. RFC 9207 is checked by the client. */
async function signIn (client: oauth.Client, authentication: oauth.ClientAuth, dpop?: oauth.DPoPHandle) {
  const options = { ...insecure, ...(dpop === undefined ? {} : { DPoP: dpop }) }
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
    as, client, await oauth.pushedAuthorizationRequest(as, client, authentication, parameters, options)))
  const url = new URL(String(as.authorization_endpoint))
  url.search = new URLSearchParams({ client_id: client.client_id, request_uri: requestUri }).toString()
  const callback = oauth.validateAuthResponse(
    as, client, await signInAndConsent(server.browser(), url, user), state)
  return await withNonce(async () => await oauth.processAuthorizationCodeResponse(as, client,
    await oauth.authorizationCodeGrantRequest(as, client, authentication, callback, CALLBACK, verifier, options)))
}

const refresh = async (client: oauth.Client, authentication: oauth.ClientAuth, token = '', dpop?: oauth.DPoPHandle) =>
  await withNonce(async () => await oauth.processRefreshTokenResponse(as, client,
    await oauth.refreshTokenGrantRequest(as, client, authentication, token, {
      ...insecure, ...(dpop === undefined ? {} : { DPoP: dpop })
    })))

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
  ...Object.fromEntries(keys.map(({ algorithm, privateKey }) =>
    [`private_key_jwt by ${algorithm}`, [algorithm, oauth.PrivateKeyJwt(privateKey)]]))
}
for (const [method, [clientId, authentication]] of Object.entries(methods)) {
  t.test(`oauth4webapi: ${method}, bearer tokens, introspection plain and signed`, async (t) => {
    const client: oauth.Client = { client_id: clientId }
    const tokens = await signIn(client, authentication)
    t.equal(tokens.token_type, 'bearer')
    const { access_token: token } = await refresh(client, authentication, tokens.refresh_token)
    t.match(await (await call(token)).text(), /notes:read/)
    const ask = async (requestJwtResponse: boolean) => await oauth.processIntrospectionResponse(as, client,
      await oauth.introspectionRequest(as, client, authentication, token, { ...insecure, requestJwtResponse }))

    const plain = await ask(false)
    t.match(plain, { active: true, client_id: clientId, aud: server.url.href, token_type: 'Bearer' })
    t.strictSame(await ask(true), plain)
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, authentication, token, insecure))
    t.strictSame(await ask(true), { active: false })
  })
}

t.test('oauth4webapi: client credentials, bound to a key', async (t) => {
  const client: oauth.Client = { client_id: 'job' }
  const dpop = await newDpop(client)
  const tokens = await withNonce(async () => await oauth.processClientCredentialsResponse(as, client,
    await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic(SECRET),
      new URLSearchParams({ resource: server.url.href }), { ...insecure, DPoP: dpop })))

  t.equal(tokens.token_type, 'dpop')
  t.equal((await call(tokens.access_token, dpop)).status, 200)
})

const jobs: Readonly<Record<string, readonly [string, oauth.ClientAuth]>> = {
  client_secret_basic: ['job', oauth.ClientSecretBasic(SECRET)],
  client_secret_post: ['job.post', oauth.ClientSecretPost(SECRET)],
  ...Object.fromEntries(keys.map(({ algorithm, privateKey }) =>
    [`private_key_jwt by ${algorithm}`, [`job.${algorithm}`, oauth.PrivateKeyJwt(privateKey)]]))
}
for (const [method, [clientId, authentication]] of Object.entries(jobs)) {
  t.test(`oauth4webapi: client credentials with ${method} (EX-1 to EX-3)`, async (t) => {
    const client: oauth.Client = { client_id: clientId }
    const tokens = await oauth.processClientCredentialsResponse(as, client, await oauth.clientCredentialsGrantRequest(
      as, client, authentication, new URLSearchParams({ resource: server.url.href }), insecure))

    t.equal((await call(tokens.access_token)).status, 200)
  })
}

const [tls, own] = [makeCertificate('127.0.0.1'), makeCertificate('own')]
const named = makeCertificate('named', ['DNS:client.example'])

t.test('oauth4webapi: client credentials with tls_client_auth and self_signed_tls_client_auth', async (t) => {
  const [key = {}] = keys[0]?.jwks.keys ?? []
  const https = { key: tls.key, cert: tls.cert, requestCert: true, rejectUnauthorized: false, ca: named.cert }
  const app = Fastify({ forceCloseConnections: true, https })
  t.teardown(async () => { await app.close() })
  await app.register(pkceStore, {
    clients: [
      { clientId: 'named', tlsClientAuth: { sanDns: 'client.example' }, ...JOB },
      {
        clientId: 'own',
        tokenEndpointAuthMethod: 'self_signed_tls_client_auth',
        jwks: { keys: [{ ...key, x5c: [own.der.toString('base64')] }] },
        ...JOB
      }
    ]
  })
  await app.register(oauthRoutes, { ...OPTIONS, clientCertificate: {} })
  const secure = { issuer: OPTIONS.issuer, token_endpoint: `${await app.listen({ port: 0, host: '127.0.0.1' })}/token` }

  for (const [clientId, certificate] of Object.entries({ named, own })) {
    const client: oauth.Client = { client_id: clientId }
    const response = await oauth.clientCredentialsGrantRequest(
      secure, client, oauth.TlsClientAuth(), {}, { [oauth.customFetch]: tlsFetch(tls.cert, certificate) })
    const tokens = await oauth.processClientCredentialsResponse(secure, client, response)
    t.equal(tokens.scope, 'notes:read')
  }
})

/** Signs in where the link of a device leads, takes its code and allows everything. */
async function allowDevice (link: string): Promise<void> {
  const browser = server.browser()
  const signIn = await browser.open(link)
  if (signIn instanceof URL) throw new Error('the link left the server')
  const entry = await browser.submit(signIn, 'password', user)
  if (entry instanceof URL) throw new Error('the sign-in left the server')
  const consent = await browser.submit(entry, 'user_code', {})
  if (consent instanceof URL) throw new Error('the code left the server')
  await browser.submit(consent, 'transaction', { decision: 'allow' })
}

t.test('oauth4webapi: a device that waits for a person, its tokens bound to a key, a refresh', async (t) => {
  const client: oauth.Client = { client_id: 'tv' }
  const authentication = oauth.None()
  const dpop = await newDpop(client)
  const opened = await oauth.processDeviceAuthorizationResponse(as, client, await oauth.deviceAuthorizationRequest(
    as, client, authentication, { scope: 'notes:read', resource: server.url.href }, insecure))
  const poll = async () => await withNonce(async () => await oauth.processDeviceCodeResponse(as, client,
    await oauth.deviceCodeGrantRequest(as, client, authentication, opened.device_code, { ...insecure, DPoP: dpop })))

  await t.rejects(poll(), { name: 'ResponseBodyError', error: 'authorization_pending' })
  await allowDevice(String(opened.verification_uri_complete))
  const tokens = await poll()

  t.equal(tokens.token_type, 'dpop')
  const next = await refresh(client, authentication, tokens.refresh_token, dpop)
  t.match(await (await call(next.access_token, dpop)).text(), /notes:read/)
  await t.rejects(poll(), { name: 'ResponseBodyError', error: 'invalid_grant' })
})
