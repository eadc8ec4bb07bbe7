import { constants, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSigningKey, type SigningKey } from '../../lib/crypto/signing-key.js'
import type { SigningAlgorithm } from '../../types/crypto.js'
import type { Teardown } from './build-app.js'

export type Members = Readonly<Record<string, unknown>>

/** How one kind of server names things. `ORIGIN` in texts stands for where it listens. */
export interface Shape {
  readonly algorithm: SigningAlgorithm
  readonly issuer: string
  readonly keysPath: string
  readonly header: Members
  /** Of an access token for `RESOURCE`. */
  readonly claims: Members
  readonly jwkMembers: (key: SigningKey) => Members
  /** Keys that are published beside those for signatures. */
  readonly otherKeys: readonly Members[]
}

export const RESOURCE = 'https://mcp.example.com/mcp'
export const START = 1_700_000_000
export const AUDIENCE = '6e74172b-be56-4843-9ff4-e66a39bb12e3'

const TIMES = { iat: START - 10, exp: START + 900 }
const encryptionKey = {
  kty: 'RSA', use: 'enc', alg: 'RSA-OAEP', kid: 'for encryption', e: 'AQAB', n: 'x'.repeat(342)
}

/** A server that follows RFC 9068. */
export const standard: Shape = {
  algorithm: 'ES256',
  issuer: 'ORIGIN',
  keysPath: '/jwks',
  header: { typ: 'at+jwt' },
  claims: {
    iss: 'ORIGIN', aud: RESOURCE, sub: 'alice', client_id: 'client-1', scope: 'notes:read', jti: 'id-1', ...TIMES
  },
  jwkMembers: ({ kid, algorithm }) => ({ kid, alg: algorithm, use: 'sig' }),
  otherKeys: []
}

export const keycloak: Shape = {
  algorithm: 'RS256',
  issuer: 'ORIGIN/realms/staff',
  keysPath: '/realms/staff/protocol/openid-connect/certs',
  header: { typ: 'JWT' },
  claims: {
    iss: 'ORIGIN/realms/staff',
    aud: [RESOURCE, 'account'],
    sub: 'f:6a2e:alice',
    typ: 'Bearer',
    azp: 'client-1',
    sid: 'a session',
    acr: '1',
    'allowed-origins': ['http://localhost'],
    realm_access: { roles: ['editor', 'offline_access'] },
    resource_access: { account: { roles: ['manage-account'] } },
    scope: 'profile notes:read',
    preferred_username: 'alice',
    jti: 'onrtac:1',
    ...TIMES
  },
  jwkMembers: ({ kid, algorithm }) => ({ kid, alg: algorithm, use: 'sig', x5c: ['MIIC'], x5t: 'x', 'x5t#S256': 'y' }),
  otherKeys: [encryptionKey]
}

export const entra: Shape = {
  algorithm: 'RS256',
  issuer: 'ORIGIN/72f988bf/v2.0',
  keysPath: '/72f988bf/discovery/v2.0/keys',
  header: { typ: 'JWT' },
  claims: {
    iss: 'ORIGIN/72f988bf/v2.0',
    aud: AUDIENCE,
    sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
    azp: 'client-1',
    azpacr: '0',
    oid: '00000000-0000-0000-66f3-3332eca7ea81',
    tid: '72f988bf',
    scp: 'notes:read notes:write',
    roles: ['Notes.Admin'],
    uti: 'fqiBqXLPj0eQa82S-IYFAA',
    ver: '2.0',
    nbf: START - 10,
    ...TIMES
  },
  // Without alg, as Entra does: the same key could be meant for RS512.
  jwkMembers: ({ kid }) => ({ kid, x5t: kid, use: 'sig', x5c: ['MIIC'], issuer: 'https://login.example/v2.0' }),
  otherKeys: []
}

/** Tokens name no type, and the audience since resources can be bound to them. */
export const cognito: Shape = {
  algorithm: 'RS256',
  issuer: 'ORIGIN/eu-central-1_Abc',
  keysPath: '/eu-central-1_Abc/.well-known/jwks.json',
  header: {},
  claims: {
    iss: 'ORIGIN/eu-central-1_Abc',
    aud: RESOURCE,
    sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    client_id: 'client-1',
    'cognito:groups': ['editors'],
    token_use: 'access',
    scope: 'openid notes/notes:read',
    auth_time: START - 20,
    origin_jti: 'id-0',
    jti: 'id-1',
    version: 2,
    username: 'alice',
    ...TIMES
  },
  jwkMembers: ({ kid, algorithm }) => ({ kid, alg: algorithm, use: 'sig' }),
  otherKeys: []
}

export interface ForeignServer {
  readonly origin: string
  readonly issuer: string
  readonly jwksUri: string
  readonly introspectionEndpoint: string
  readonly key: () => SigningKey
  /** Bodies of the requests so far, in order; empty for GET. */
  readonly requests: readonly { readonly path: string, readonly headers: IncomingMessage['headers'], readonly body: string }[]
  /** Publishes the key that it signs with after the next rotation. */
  announce (): Promise<void>
  /** Signs with a new key from now on. `keep`: the old one stays published. */
  rotate (keep?: boolean): Promise<void>
  /** Answers everything like this, until called with `null`. */
  answerWith (answer: ((request: IncomingMessage, response: ServerResponse) => void) | null): void
  /** What introspection answers about a token: JSON, or text of this type. */
  introspect (answer: (token: string) => unknown, type?: string): void
  /** A token of this server with other claims; `undefined` leaves one out. */
  token (claims?: Members, header?: Members, key?: SigningKey): string
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs whatever it is told to, as no library does. */
export function signAnything (header: Members, claims: unknown, key: Pick<SigningKey, 'algorithm' | 'privateKey'>): string {
  const text = `${encode(header)}.${typeof claims === 'string' ? claims : encode(claims)}`
  const digest = key.algorithm === 'EdDSA' ? null : 'sha256'
  const how = key.algorithm === 'ES256' ? { dsaEncoding: 'ieee-p1363' as const } : {}
  const padding = header.alg === 'PS256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}
  return `${text}.${sign(digest, Buffer.from(text), { key: key.privateKey, ...how, ...padding }).toString('base64url')}`
}

async function bodyOf (request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

function sendJson (response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

/** Somebody else's authorization server, over HTTP on loopback: its keys, its tokens, its introspection endpoint. */
export async function foreignServer (t: Teardown, shape: Shape = standard): Promise<ForeignServer> {
  let keys: readonly [SigningKey, ...SigningKey[]] = [await createSigningKey(shape.algorithm)]
  let announced: SigningKey | null = null
  let answer: ((request: IncomingMessage, response: ServerResponse) => void) | null = null
  let introspected: (token: string) => unknown = () => ({ active: false })
  let introspectedAs: string | null = null
  const requests: { path: string, headers: IncomingMessage['headers'], body: string }[] = []

  const keySet = () => ({
    keys: [...shape.otherKeys, ...[...keys, ...(announced === null ? [] : [announced])].map((key) => ({ ...key.publicKey.export({ format: 'jwk' }), ...shape.jwkMembers(key) }))]
  })
  const sendIntrospected = (response: ServerResponse, token: string): void => {
    const said = introspected(token)
    if (introspectedAs === null) sendJson(response, said)
    else response.writeHead(200, { 'content-type': introspectedAs }).end(said)
  }
  const server = createServer(async (request, response) => {
    const path = request.url ?? ''
    const body = await bodyOf(request)
    requests.push({ path, headers: request.headers, body })
    if (answer !== null) answer(request, response)
    else if (path === shape.keysPath) sendJson(response, keySet())
    else if (path === '/introspect') sendIntrospected(response, new URLSearchParams(body).get('token') ?? '')
    else response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  const fill = (value: unknown): unknown => typeof value === 'string' ? value.replace('ORIGIN', origin) : value
  const filled = (members: Members): Members => Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined).map(([name, value]) => [name, fill(value)]))

  return {
    origin,
    issuer: String(fill(shape.issuer)),
    jwksUri: origin + shape.keysPath,
    introspectionEndpoint: `${origin}/introspect`,
    key: () => keys[0],
    requests,
    async announce () { announced = await createSigningKey(shape.algorithm) },
    async rotate (keep = true) {
      const next = announced ?? await createSigningKey(shape.algorithm)
      announced = null
      keys = [next, ...(keep ? keys : [])]
    },
    answerWith (next) { answer = next },
    introspect (next, type) {
      introspected = next
      introspectedAs = type ?? null
    },
    token (claims = {}, header = {}, key = keys[0]) {
      const { kid, algorithm } = key
      return signAnything(
        filled({ alg: algorithm, kid, ...shape.header, ...header }), filled({ ...shape.claims, ...claims }), key)
    }
  }
}
