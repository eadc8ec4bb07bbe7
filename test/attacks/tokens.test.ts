import { createHmac, sign, type KeyObject } from 'node:crypto'
import { extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js'
import t from 'tap'
import { openData, openSecret } from '../../examples/reference-server/data.js'
import { systemClock } from '../../lib/clock.js'
import { openKeySet } from '../../lib/crypto/key-set.js'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { PlainClient } from '../helpers/oauth-client.js'
import { rawExchange, type RawAnswer } from '../helpers/raw-exchange.js'
import { startReferenceServer } from '../helpers/reference-server.js'

const server = await startReferenceServer(t)
const client = new PlainClient(server.origin)
const token = (await client.signIn({ scope: 'notes:read' })).access_token
const [header = '', payload = '', signature = ''] = token.split('.')
const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
const { host } = new URL(server.origin)
const METADATA = `${server.origin}/.well-known/oauth-protected-resource/mcp`

/** The very key that the server signs with, as whoever stole the data directory would have it. */
async function stolenKey () {
  const data = await openData(server.dataDirectory)
  const { secret } = openSecret(server.dataDirectory)
  const record = await data.store.get({ tenant: 'default', kind: 'signing-keys', id: 'all' }, systemClock())
  await data.close()
  const [key] = openKeySet(record?.body ?? '', { tenant: 'default', secrets: deriveSecrets([secret]) }).keys
  if (key === undefined || !('privateKey' in key)) throw new Error('there is no key to steal')
  return key
}

const key = await stolenKey()
const stranger = await createSigningKey('ES256')
const rsa = await createSigningKey('RS256')
const now = systemClock()
const encode = (text: string) => Buffer.from(text).toString('base64url')
const es256 = (text: string, privateKey: KeyObject, dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363') =>
  `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding }).toString('base64url')}`

/** Signed by the real key, under another header. */
const under = (members: object) =>
  es256(`${encode(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...members }))}.${payload}`, key.privateKey)
/** Signed by the real key under the real header, with another payload. */
const saying = (text: string) => es256(`${header}.${encode(text)}`, key.privateKey)
const claiming = (members: object) => saying(JSON.stringify({ ...claims, ...members }))
const json = JSON.stringify(claims)
const exp = (value: string) => saying(json.replace(/"exp":\d+/, `"exp":${value}`))
const hs256 = `${encode(JSON.stringify({ alg: 'HS256', typ: 'at+jwt', kid: key.kid }))}.${payload}`
const pem = key.publicKey.export({ format: 'pem', type: 'spki' })

const forged: Record<string, string> = {
  'alg none': `${encode('{"alg":"none","typ":"at+jwt"}')}.${payload}.`,
  'alg none with a signature': `${encode('{"alg":"none","typ":"at+jwt"}')}.${payload}.${signature}`,
  'HS256 with the public key as its secret': `${hs256}.${createHmac('sha256', pem).update(hs256).digest('base64url')}`,
  'an ID token': under({ typ: 'JWT' }),
  'a token of no type': under({ typ: undefined }),
  'a DPoP proof': under({ typ: 'dpop+jwt', jwk: stranger.publicKey.export({ format: 'jwk' }) }),
  'a client assertion': under({ typ: 'client-authentication+jwt' }),
  'an identity assertion': under({ typ: 'oauth-id-jag+jwt' }),
  'application/at+jwt, which we never write': under({ typ: 'application/at+jwt' }),
  'a kid that walks the file system': under({ kid: '../../../dev/null' }),
  'no kid': under({ kid: undefined }),
  'a jku': under({ jku: 'https://evil.example/jwks.json' }),
  'an x5u': under({ x5u: 'https://evil.example/cert.pem' }),
  'a jwk of its own': es256(`${encode(JSON.stringify({
    alg: 'ES256', typ: 'at+jwt', jwk: stranger.publicKey.export({ format: 'jwk' })
  }))}.${payload}`, stranger.privateKey),
  'an unknown crit': under({ crit: ['exp'] }),
  'b64 false': under({ crit: ['b64'], b64: false }),
  'the right header in another order': es256(`${encode(JSON.stringify({ typ: 'at+jwt', alg: 'ES256', kid: key.kid }))}.${payload}`, key.privateKey),
  'the key of a stranger': es256(`${header}.${payload}`, stranger.privateKey),
  'RS256 by the key of a stranger': `${header}.${payload}.${sign('sha256', Buffer.from(`${header}.${payload}`), rsa.privateKey).toString('base64url')}`,
  'a signature in DER': es256(`${header}.${payload}`, key.privateKey, 'der'),
  'a signature of nothing but zeros': `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
  'an empty signature': `${header}.${payload}.`,
  'another payload': `${header}.${encode(JSON.stringify({ ...claims, sub: 'mallory' }))}.${signature}`,
  'padding at the end': `${token}==`,
  'five parts': `${token}..`,
  'a dot before it': `.${token}`,
  'its last character only in another spelling': token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1),
  'another issuer': claiming({ iss: 'https://evil.example' }),
  'the issuer with a slash': claiming({ iss: `${server.origin}/` }),
  'the issuer in a list': claiming({ iss: [server.origin] }),
  'no issuer': claiming({ iss: undefined }),
  'another audience (mistake 1)': claiming({ aud: 'https://other.example/mcp' }),
  'no audience (mistake 1)': claiming({ aud: undefined }),
  'an audience of null': claiming({ aud: null }),
  'a list without our audience': claiming({ aud: ['https://other.example/mcp', server.origin] }),
  'an audience that begins like ours': claiming({ aud: `${server.url.href}/` }),
  'an audience in a list in a list': claiming({ aud: [[server.url.href]] }),
  'an audience that is an object': claiming({ aud: { 0: server.url.href, length: 1 } }),
  'an end that has passed': exp(String(now - 1)),
  'an end this second': exp(String(now)),
  'no end': claiming({ exp: undefined }),
  'an end as text': exp(`"${now + 900}"`),
  'an end that never comes': exp('1e999'),
  'an end of null': exp('null'),
  'an end in a list': exp(`[${now + 900}]`),
  'two ends, the last one passed': saying(json.replace(/}$/, ',"exp":1}')),
  'a time of issue in the future': claiming({ iat: now + 3600 }),
  'a beginning in the future': claiming({ nbf: now + 3600 }),
  'a confirmation key': claiming({ cnf: { jkt: 'x'.repeat(43) } }),
  'no subject': claiming({ sub: undefined }),
  'a subject of null': claiming({ sub: null }),
  'no client': claiming({ client_id: undefined }),
  'no id': claiming({ jti: undefined }),
  'no scope': claiming({ scope: undefined }),
  'a list of scopes': claiming({ scope: ['notes:write'] }),
  'a grant that does not exist': claiming({ grant_id: 'nobody-has-this' }),
  'a grant of a name that cannot be': claiming({ grant_id: 'a\0b' }),
  'a grant of a name without end': claiming({ grant_id: 'x'.repeat(3000) }),
  'claims under __proto__': saying(`{"__proto__":${json}}`),
  'no claims': saying('{}'),
  'a list of claims': saying('[]')
}

const POST = ['POST /mcp HTTP/1.1', `Host: ${host}`, 'Content-Type: application/json', 'Accept: application/json, text/event-stream']
const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'list_notes', arguments: {} } })
const send = async (...authorization: string[]) => await rawExchange(server.origin, [...POST, ...authorization], LIST)

/** Reads the challenge as a client does. */
const challengeOf = ({ status, headers }: RawAnswer) => {
  const [value = '', ...more] = headers.get('www-authenticate') ?? []
  return { ...extractWWWAuthenticateParams(new Response(null, { status, headers: { 'www-authenticate': value } })), more }
}

t.test('the token that all the others are made of is good', async (t) => {
  t.equal((await send(`Authorization: Bearer ${token}`)).status, 200)
  t.equal((await send(`aUTHORIZATION:bEARER   ${token}`)).status, 200)
  t.equal((await send(`Authorization: Bearer ${claiming({ jti: 'x' })}`)).status, 200, 'and so is what the key signs')
})

t.test('no forged token is good, and none can be told from another one (RS-14 to RS-19, RS-29, mistakes 1, 8, 22)', async (t) => {
  const { body: usual } = await send('Authorization: Bearer x')
  for (const [what, value] of Object.entries(forged)) {
    const answer = await send(`Authorization: Bearer ${value}`)

    t.equal(answer.status, 401, what)
    t.equal(answer.body, usual, `${what}: the body`)
    t.match(challengeOf(answer), { resourceMetadataUrl: new URL(METADATA), scope: 'notes:read', error: 'invalid_token', more: [] })
    t.strictSame(answer.headers.get('cache-control'), ['no-store'])
  }
})

t.test('what our key never signs, since it holds no claims, is not let in either', async (t) => {
  for (const text of ['null', '{"iss"']) t.equal((await send(`Authorization: Bearer ${saying(text)}`)).status, 503, text)
})

const withoutCredentials: Record<string, string[]> = {
  nothing: [],
  'another scheme': ['Authorization: Basic YTpi'],
  'the scheme of DPoP': [`Authorization: DPoP ${token}`],
  'a tab for a blank': [`Authorization: Bearer\t${token}`],
  'the token alone': [`Authorization: ${token}`],
  'another header': [`X-Authorization: Bearer ${token}`, `Proxy-Authorization: Bearer ${token}`, `Cookie: access_token=${token}`],
  'a session (RS-10, mistake 24)': ['Mcp-Session-Id: 1', 'Last-Event-ID: 1', 'MCP-Protocol-Version: 2025-06-18']
}

t.test('what is no bearer token is none: a challenge without error (RS-11, RS-21)', async (t) => {
  for (const [what, lines] of Object.entries(withoutCredentials)) {
    const answer = await send(...lines)

    t.equal(answer.status, 401, what)
    t.match(challengeOf(answer), { resourceMetadataUrl: new URL(METADATA), scope: 'notes:read', error: undefined }, what)
  }
  const query = await rawExchange(server.origin, [`POST /mcp?access_token=${token} HTTP/1.1`, ...POST.slice(1)], LIST)
  t.equal(query.status, 401, 'in the query')
  const form = await rawExchange(server.origin, [...POST.slice(0, 2), 'Content-Type: application/x-www-form-urlencoded'], `access_token=${token}`)
  t.equal(form.status, 401, 'in a form')
})

const malformed: Record<string, [string[], number[]]> = {
  'no token after the scheme': [['Authorization: Bearer'], [401]],
  'two tokens': [[`Authorization: Bearer ${token} ${token}`], [401]],
  'two tokens with a comma': [[`Authorization: Bearer ${token}, Bearer ${token}`], [401]],
  quotes: [[`Authorization: Bearer "${token}"`], [401]],
  'a parameter': [[`Authorization: Bearer token=${token}`], [401]],
  'bytes outside of ASCII': [[`Authorization: Bearer ${token}\u00e9`], [401]],
  '8193 characters': [[`Authorization: Bearer ${'x'.repeat(8193)}`], [401]],
  // Node's limit is 16 kB. Far more would not be read, and the connection reset before the answer arrives.
  '20 kB': [[`Authorization: Bearer ${'x'.repeat(20_000)}`], [431]],
  'a NUL': [[`Authorization: Bearer ${token}\0`], [400]],
  'a folded line': [['Authorization: Bearer', ` ${token}`], [400]],
  'a blank before the colon': [[`Authorization : Bearer ${token}`], [400]],
  'two headers (RS-12)': [[`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`], [400]],
  'two headers of different case': [[`authorization: Bearer ${token}`, 'AUTHORIZATION: Bearer x'], [400]],
  'two headers, one of another scheme': [['Authorization: Basic YTpi', `Authorization: Bearer ${token}`], [400]],
  'two headers, one empty': [['Authorization:', `Authorization: Bearer ${token}`], [400]]
}

t.test('a malformed header is no way in (RS-12, RS-13, RS-27)', async (t) => {
  for (const [what, [lines, statuses]] of Object.entries(malformed)) {
    t.ok(statuses.includes((await send(...lines)).status), what)
  }
})

const strange: Record<string, [string[], string]> = {
  'an event stream': [['GET /mcp HTTP/1.1', 'Accept: text/event-stream'], ''],
  'the head of one': [['HEAD /mcp HTTP/1.1'], ''],
  'the end of a session': [['DELETE /mcp HTTP/1.1', 'Mcp-Session-Id: 1'], ''],
  'OPTIONS that are no preflight': [['OPTIONS /mcp HTTP/1.1'], ''],
  PUT: [['PUT /mcp HTTP/1.1', 'Content-Type: application/json'], '{}'],
  'a wrong content type': [['POST /mcp HTTP/1.1', 'Content-Type: application/xml'], '<a/>'],
  'no content type': [['POST /mcp HTTP/1.1'], 'x'],
  'no JSON': [['POST /mcp HTTP/1.1', 'Content-Type: application/json'], '{"a":'],
  'an unknown method': [['POST /mcp HTTP/1.1', 'Content-Type: application/json'], '{"jsonrpc":"2.0","id":1,"method":"x"}'],
  'a wrong Accept': [['POST /mcp HTTP/1.1', 'Accept: text/html', 'Content-Type: application/json'], LIST],
  'a wrong version': [['POST /mcp HTTP/1.1', 'MCP-Protocol-Version: 1', 'Content-Type: application/json'], LIST],
  'a message that never ends': [['POST /mcp HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 100'], '{'],
  'a path in percent signs': [['POST /%6d%63%70 HTTP/1.1', 'Content-Type: application/json'], LIST],
  'an absolute target': [[`POST ${server.origin}/mcp HTTP/1.1`, 'Content-Type: application/json'], LIST],
  'another method in a header': [['POST /mcp HTTP/1.1', 'X-HTTP-Method-Override: OPTIONS', 'Content-Type: application/json'], LIST]
}

t.test('the token comes first, whatever else is wrong (RS-10, mistake 7)', async (t) => {
  for (const [what, [[first = '', ...lines], body]] of Object.entries(strange)) {
    for (const authorization of [[], ['Authorization: Bearer bad']]) {
      const answer = await rawExchange(server.origin, [first, `Host: ${host}`, ...lines, ...authorization], body)

      t.equal(answer.status, 401, what)
      t.match(challengeOf(answer), { resourceMetadataUrl: new URL(METADATA), scope: 'notes:read' }, what)
    }
  }
  const large = await fetch(server.url, { method: 'POST', body: 'x'.repeat(2_000_000) })
  t.equal(large.status, 401, 'two megabytes')
})

t.test('each refusal is reported once, and nothing of a token is', async (t) => {
  const events = server.output().split('\n').filter((line) => line.includes('"mcpAudit"'))
    .map((line) => (JSON.parse(line) as { mcpAudit: { requestId: string, type: string, route: string } }).mcpAudit)
    .filter(({ route }) => route === '/mcp')
  const ids = events.map(({ requestId }) => requestId)
  const count = Object.keys(forged).length + 2 * Object.keys(strange).length

  t.ok(ids.length > count)
  t.equal(new Set(ids).size, ids.length)
  t.notOk(server.output().includes(token))
  for (const value of Object.values(forged)) t.notOk(server.output().includes(value.slice(-40)))
})
