// What other libraries make of the same work. Records stand in Maps, tokens are JWTs signed with ES256.
import { randomBytes, randomUUID, sign } from 'node:crypto'
import { SignJWT } from 'jose'
import { freePort } from './apps.js'
import { CHALLENGE, CLIENT, HOUR, issuerOf, now, privateKey, REDIRECT, SCOPE, SUBJECT, writeExchanges } from './common.js'

const CLIENT_METADATA = {
  client_id: CLIENT,
  redirect_uris: [REDIRECT],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code']
}
const randomText = () => randomBytes(32).toString('base64url')
const listen = (app, port) => new Promise((resolve) => { app.listen(port, '127.0.0.1', resolve) })
const codesOf = (codes) => [...codes.keys()]

function sdkProvider ({ issuer, codes, refreshTokens }) {
  const clients = new Map([[CLIENT, CLIENT_METADATA]])
  const issue = async (grant) => {
    const refresh = randomText()
    refreshTokens.set(refresh, grant)
    const token = await new SignJWT({ client_id: CLIENT, scope: SCOPE }).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .setIssuer(issuer).setAudience(`${issuer}/mcp`).setSubject(SUBJECT).setIssuedAt().setExpirationTime('1h')
      .setJti(randomUUID()).sign(privateKey)
    return { access_token: token, token_type: 'Bearer', expires_in: HOUR, scope: SCOPE, refresh_token: refresh }
  }
  const take = async (records, key) => {
    const grant = records.get(key)
    if (grant === undefined) throw new Error('not found')
    records.delete(key)
    return await issue(grant)
  }
  return {
    clientsStore: {
      getClient: (clientId) => clients.get(clientId),
      registerClient (client) {
        clients.set(client.client_id, client)
        return client
      }
    },
    authorize () { throw new Error('nobody asks') },
    challengeForAuthorizationCode: async (_client, code) => codes.get(code).challenge,
    exchangeAuthorizationCode: async (_client, code) => await take(codes, code),
    exchangeRefreshToken: async (_client, token) => await take(refreshTokens, token)
  }
}

export async function sdk ({ count, folder }) {
  const { default: createApp } = await import('express')
  const { mcpAuthRouter } = await import('@modelcontextprotocol/sdk/server/auth/router.js')
  const port = await freePort()
  const issuer = issuerOf(port)
  const codes = new Map(Array.from({ length: count }, () => [randomText(), { challenge: CHALLENGE }]))
  writeExchanges(folder, codesOf(codes), `${issuer}/mcp`)
  const app = createApp()
  app.use(mcpAuthRouter({
    provider: sdkProvider({ issuer, codes, refreshTokens: new Map() }),
    issuerUrl: new URL(issuer),
    tokenOptions: { rateLimit: false },
    clientRegistrationOptions: { rateLimit: false }
  }))
  await listen(app, port)
  return { port, token: '/token', register: '/register' }
}

/** Its own memory adapter keeps 1000 records; this one keeps all, in the same way. */
function mapAdapter () {
  const records = new Map()
  return class {
    constructor (name) { this.name = name }
    key (id) { return `${this.name}:${id}` }
    async upsert (id, payload) { records.set(this.key(id), payload) }
    async find (id) { return records.get(this.key(id)) }
    async consume (id) { records.get(this.key(id)).consumed = now() }
    async destroy (id) { records.delete(this.key(id)) }
    async revokeByGrantId () {}
    async findByUid () {}
    async findByUserCode () {}
  }
}

export async function oidcProvider ({ count, folder }) {
  const { default: Provider } = await import('oidc-provider')
  const port = await freePort()
  const issuer = issuerOf(port)
  const resource = `${issuer}/mcp`
  const provider = new Provider(issuer, {
    adapter: mapAdapter(),
    clients: [{ ...CLIENT_METADATA, application_type: 'native' }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    ttl: { AccessToken: HOUR, AuthorizationCode: 600, RefreshToken: 24 * HOUR, Grant: 24 * HOUR },
    scopes: [SCOPE],
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: SCOPE, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } })
      }
    }
  })
  await listen(provider, port)
  const client = await provider.Client.find(CLIENT)
  const codes = []
  for (let made = 0; made < count; made += 1) {
    const grant = new provider.Grant({ accountId: SUBJECT, clientId: CLIENT })
    grant.addResourceScope(resource, SCOPE)
    const grantId = await grant.save()
    const code = new provider.AuthorizationCode({
      accountId: SUBJECT, client, grantId, redirectUri: REDIRECT, resource, scope: SCOPE, codeChallenge: CHALLENGE, codeChallengeMethod: 'S256'
    })
    codes.push(await code.save())
  }
  writeExchanges(folder, codes, resource)
  return { port, token: '/token' }
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

function signToken (issuer) {
  const claims = { iss: issuer, sub: SUBJECT, aud: `${issuer}/mcp`, client_id: CLIENT, scope: SCOPE, iat: now(), exp: now() + HOUR, jti: randomUUID() }
  const text = `${part({ alg: 'ES256', typ: 'at+jwt' })}.${part(claims)}`
  return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function oauth2Model (issuer, codes) {
  const refreshTokens = new Map()
  const client = { id: CLIENT, redirectUris: [REDIRECT], grants: ['authorization_code', 'refresh_token'] }
  const user = { id: SUBJECT }
  return {
    getClient: async (clientId) => clientId === CLIENT ? client : null,
    generateAccessToken: async () => signToken(issuer),
    getAuthorizationCode: async (code) => codes.get(code),
    revokeAuthorizationCode: async ({ authorizationCode }) => codes.delete(authorizationCode),
    getRefreshToken: async (token) => refreshTokens.get(token),
    revokeToken: async ({ refreshToken }) => refreshTokens.delete(refreshToken),
    validateScope: async (_user, _client, scope) => scope,
    saveToken: async (token) => {
      const saved = { ...token, client, user }
      refreshTokens.set(token.refreshToken, saved)
      return saved
    }
  }
}

export async function oauth2Server ({ count, folder }) {
  const { default: OAuth2Server } = await import('@node-oauth/oauth2-server')
  const { default: createApp } = await import('express')
  const port = await freePort()
  const issuer = issuerOf(port)
  const client = { id: CLIENT, redirectUris: [REDIRECT], grants: ['authorization_code', 'refresh_token'] }
  const codes = new Map(Array.from({ length: count }, () => {
    const authorizationCode = randomText()
    return [authorizationCode, {
      authorizationCode,
      expiresAt: new Date(Date.now() + 600_000),
      redirectUri: REDIRECT,
      scope: [SCOPE],
      client,
      user: { id: SUBJECT },
      codeChallenge: CHALLENGE,
      codeChallengeMethod: 'S256'
    }]
  }))
  writeExchanges(folder, codesOf(codes), `${issuer}/mcp`)
  const server = new OAuth2Server({
    model: oauth2Model(issuer, codes),
    accessTokenLifetime: HOUR,
    requireClientAuthentication: { authorization_code: false, refresh_token: false }
  })
  const app = createApp()
  app.post('/token', createApp.urlencoded({ extended: false }), async (request, response) => {
    const answer = new OAuth2Server.Response(response)
    try {
      await server.token(new OAuth2Server.Request(request), answer)
      response.set(answer.headers).json(answer.body)
    } catch (error) {
      response.status(error.code ?? 500).json({ error: error.name })
    }
  })
  await listen(app, port)
  return { port, token: '/token' }
}
