import { X509Certificate } from 'node:crypto'
import Fastify from 'fastify'
import { generateKeyPair, type CryptoKey } from 'oauth4webapi'
import { pkceStore } from '../../lib/plugins/pkce-store.js'
import { oauthRoutes } from '../../lib/plugins/oauth-routes/index.js'
import { DEVICE_GRANT } from '../../lib/protocol/grant-types.js'
import type { StaticClient, PublicKeySet } from '../../types/oauth.js'
import { makeCertificate, tlsFetch, type MadeCertificate } from './certificates.js'
import { freePort } from './free-port.js'
import { OPTIONS } from './oauth-app.js'
import { startReferenceServer, user, type ReferenceServer } from './reference-server.js'

interface Teardown {
  teardown (close: () => unknown): void
}

export const SECRET = 'a-secret-of-thirty-two-characters-or-more'
export const CALLBACK = 'http://127.0.0.1/callback'
const JOB = { grantTypes: ['client_credentials'], scope: 'notes:read' }

/** A key of a client that shows by it who it is. */
export interface AssertionKey {
  readonly algorithm: string
  readonly privateKey: CryptoKey
  readonly jwks: PublicKeySet
}

const assertionKeys = async (): Promise<AssertionKey[]> => await Promise.all(
  ['ES256', 'RS256', 'PS256', 'Ed25519'].map(async (algorithm) => {
    const { publicKey, privateKey } = await generateKeyPair(algorithm)
    const jwks = { keys: [{ ...await crypto.subtle.exportKey('jwk', publicKey) }] }
    return { algorithm, privateKey, jwks }
  }))

/**
 * The reference server, by default with nonces for DPoP, and a client for each method that needs no certificate: each
 * for people under its name, and one without people under `job.NAME`.
 */
export async function startStrictServer (t: Teardown): Promise<ReferenceServer & { keys: readonly AssertionKey[] }> {
  const keys = await assertionKeys()
  const methods: Record<string, Partial<StaticClient>> = {
    vault: { secret: SECRET },
    poster: { secret: SECRET, tokenEndpointAuthMethod: 'client_secret_post' },
    ...Object.fromEntries(keys.map(({ algorithm, jwks }) => [algorithm, { jwks }]))
  }
  const server = await startReferenceServer(t, {
    configuration: {
      dpop: { nonce: true },
      deviceAuthorization: true,
      clients: [
        { clientId: 'public', redirectUris: [CALLBACK], dpopBoundAccessTokens: true },
        { clientId: 'tv', grantTypes: [DEVICE_GRANT, 'refresh_token'] },
        ...Object.entries(methods).flatMap(([clientId, method]) => [
          { clientId, redirectUris: [CALLBACK], ...method }, { clientId: `job.${clientId}`, ...method, ...JOB }
        ])
      ]
    }
  })
  return { ...server, keys }
}

/** Signs in where the link of a device leads, takes its code and allows everything. */
export async function allowDevice (server: ReferenceServer, link: string): Promise<void> {
  const browser = server.browser()
  const signIn = await browser.open(link)
  if (signIn instanceof URL) throw new Error('the link left the server')
  const entry = await browser.submit(signIn, 'password', user)
  if (entry instanceof URL) throw new Error('the sign-in left the server')
  const consent = await browser.submit(entry, 'user_code', {})
  if (consent instanceof URL) throw new Error('the code left the server')
  await browser.submit(consent, 'transaction', { decision: 'allow' })
}

export interface CertificateServer {
  readonly issuer: string
  /** Where the endpoints for clients with certificates are: another name of the same server. */
  readonly certificateOrigin: string
  /** Of the clients, by id: `named` for `tls_client_auth`, `own` for `self_signed_tls_client_auth`. */
  readonly certificates: Readonly<Record<'named' | 'own', MadeCertificate>>
  /** A `fetch` of the client with this certificate; `asked` is told each URL. */
  fetchOf (certificate: MadeCertificate, asked?: string[]): ReturnType<typeof tlsFetch>
}

/** An authorization server behind TLS that asks for certificates, its tokens bound to them. */
export async function startCertificateServer (t: Teardown): Promise<CertificateServer> {
  const tls = makeCertificate('localhost', ['DNS:localhost', 'IP:127.0.0.1'])
  const [named, own] = [makeCertificate('named', ['DNS:client.example']), makeCertificate('own')]
  const port = await freePort()
  const [issuer, certificateOrigin] = [`https://127.0.0.1:${port}`, `https://localhost:${port}`]
  const https = { key: tls.key, cert: tls.cert, requestCert: true, rejectUnauthorized: false, ca: named.cert }
  const app = Fastify({ forceCloseConnections: true, https })
  t.teardown(async () => { await app.close() })
  const client = { ...JOB, certificateBoundAccessTokens: true }
  await app.register(pkceStore, {
    clients: [
      { clientId: 'named', tlsClientAuth: { sanDns: 'client.example' }, ...client },
      {
        clientId: 'own',
        tokenEndpointAuthMethod: 'self_signed_tls_client_auth',
        jwks: { keys: [{ ...new X509Certificate(own.cert).publicKey.export({ format: 'jwk' }), x5c: [own.der.toString('base64')] }] },
        ...client
      }
    ]
  })
  await app.register(oauthRoutes, {
    ...OPTIONS, issuer, resource: `${issuer}/mcp`, clientCertificate: {}, certificateOrigin
  })
  await app.listen({ port, host: '127.0.0.1' })
  return {
    issuer,
    certificateOrigin,
    certificates: { named, own },
    fetchOf: (certificate, asked = []) => async (url, init) => {
      asked.push(url)
      return await tlsFetch(tls.cert, certificate)(url, init)
    }
  }
}
