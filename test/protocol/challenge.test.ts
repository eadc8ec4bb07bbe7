import { extractWWWAuthenticateParams as extractV2 } from '@modelcontextprotocol/client'
import { extractWWWAuthenticateParams as extractV1 } from '@modelcontextprotocol/sdk/client/auth.js'
import fc from 'fast-check'
import t from 'tap'
import { buildChallenge } from '../../lib/protocol/challenge.js'

const resourceMetadata = 'https://h.example/.well-known/oauth-protected-resource/mcp'

const answer = (challenge: string): Response =>
  new Response(null, { status: 401, headers: { 'www-authenticate': challenge } })

interface Read { url: string | undefined, scope: string | undefined, error: string | undefined }

/** What both SDK clients read, which has to be the same. */
function readByClients (challenge: string): Read {
  const v1 = extractV1(answer(challenge))
  const v2 = extractV2(answer(challenge))
  t.strictSame([v1.resourceMetadataUrl?.href, v1.scope, v1.error], [v2.resourceMetadataUrl?.href, v2.scope, v2.error])
  return { url: v2.resourceMetadataUrl?.href, scope: v2.scope, error: v2.error }
}

t.test('a request without credentials is told where to look and what to ask for, without an error', async (t) => {
  const challenge = buildChallenge({ resourceMetadata, scope: ['mcp:read'] })

  t.equal(challenge, `Bearer resource_metadata="${resourceMetadata}", scope="mcp:read"`)
  t.strictSame(readByClients(challenge), { url: resourceMetadata, scope: 'mcp:read', error: undefined })
})

t.test('a bad token is told so, the description last', async (t) => {
  const challenge = buildChallenge({
    resourceMetadata, scope: ['mcp:read'], error: 'invalid_token', description: 'the access token is not valid'
  })

  t.equal(challenge, `Bearer resource_metadata="${resourceMetadata}", scope="mcp:read", error="invalid_token", ` +
    'error_description="the access token is not valid"')
  t.equal(extractV2(answer(challenge)).errorDescription, 'the access token is not valid')
})

t.test('insufficient scope names all scopes at once', async (t) => {
  const challenge = buildChallenge({ resourceMetadata, scope: ['mcp:read', 'mcp:write'], error: 'insufficient_scope' })

  t.strictSame(readByClients(challenge), { url: resourceMetadata, scope: 'mcp:read mcp:write', error: 'insufficient_scope' })
})

t.test('a challenge without scopes has no scope parameter at all', async (t) => {
  for (const scope of [undefined, [], [''], ['a"b'], ['a b']]) {
    const challenge = buildChallenge({ resourceMetadata, ...(scope === undefined ? {} : { scope }) })
    t.equal(challenge, `Bearer resource_metadata="${resourceMetadata}"`)
  }
})

t.test('a scope that would mislead a parser is left out, the others stay', async (t) => {
  const challenge = buildChallenge({ resourceMetadata, scope: ['error=x', 'mcp:read', 'a\nb'] })

  t.strictSame(readByClients(challenge), { url: resourceMetadata, scope: 'mcp:read', error: undefined })
})

t.test('a description cannot end its quotes, break the line, or add a parameter', async (t) => {
  const hostile = 'tool "x", scope="admin", error="none"\r\nSet-Cookie: a=b \\" resource_metadata="https://evil.example" ä\0\u202e'
  const challenge = buildChallenge({ resourceMetadata, error: 'insufficient_scope', description: hostile })

  t.match(challenge, /^[ -~]+$/)
  t.strictSame(readByClients(challenge), { url: resourceMetadata, scope: undefined, error: 'insufficient_scope' })
})

t.test('a description of nothing that can be shown is left out', async (t) => {
  for (const description of ['', ' ', '"=\\', '東京']) {
    t.notMatch(buildChallenge({ resourceMetadata, description }), /error_description/)
  }
})

t.test('a long description is cut', async (t) => {
  const challenge = buildChallenge({ resourceMetadata, description: 'x'.repeat(10_000) })

  t.equal(challenge.length, `Bearer resource_metadata="${resourceMetadata}", error_description=""`.length + 200)
})

t.test('the same refusal gives the same text', async (t) => {
  const input = { resourceMetadata, scope: ['a'], error: 'invalid_token', description: 'x' } as const

  t.equal(buildChallenge(input), buildChallenge(input))
})

const scopeNames = fc.array(fc.oneof(fc.constantFrom('mcp:read', 'a,b', "it's", '!~', 'resource_metadata', 'error='), fc.string()))
const descriptions = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('scope="x"', 'error=x', 'resource_metadata=http://e'))

t.test('whatever scopes and descriptions hold, both clients read what was meant', async () => {
  fc.assert(fc.property(scopeNames, descriptions, fc.boolean(), (scope, description, bad) => {
    const challenge = buildChallenge({ resourceMetadata, scope, description, ...(bad ? { error: 'invalid_token' } : {}) })
    const expected = scope.filter((name) => /^[!#-<>-[\]-~]{1,100}$/.test(name)).join(' ')
    const read = readByClients(challenge)
    return read.url === resourceMetadata && (read.scope ?? '') === expected && read.error === (bad ? 'invalid_token' : undefined)
  }))
})

const dpop = { algorithms: ['ES256', 'PS256'], alone: false }

t.test('EX-22: where DPoP is possible its challenge is the second one, in the same line', async (t) => {
  const challenge = buildChallenge({ resourceMetadata, scope: ['mcp:read'], dpop })

  t.equal(challenge, `Bearer resource_metadata="${resourceMetadata}", scope="mcp:read", DPoP algs="ES256 PS256"`)
  t.strictSame(readByClients(challenge), { url: resourceMetadata, scope: 'mcp:read', error: undefined })
})

t.test('an error stands in the challenge of the scheme that it is about', async (t) => {
  const about = { resourceMetadata, error: 'invalid_token', description: 'not valid' } as const

  t.equal(buildChallenge({ ...about, dpop }),
    `Bearer resource_metadata="${resourceMetadata}", error="invalid_token", error_description="not valid", DPoP algs="ES256 PS256"`)
  t.equal(buildChallenge({ ...about, dpop: { ...dpop, failed: true } }),
    `Bearer resource_metadata="${resourceMetadata}", DPoP error="invalid_token", error_description="not valid", algs="ES256 PS256"`)
  t.strictSame(readByClients(buildChallenge({ ...about, dpop: { ...dpop, failed: true } })),
    { url: resourceMetadata, scope: undefined, error: 'invalid_token' })
})

t.test('where nothing but DPoP is taken there is no other challenge', async (t) => {
  const challenge = buildChallenge({ resourceMetadata, scope: ['mcp:read'], error: 'invalid_token', dpop: { ...dpop, alone: true } })

  t.equal(challenge, `DPoP resource_metadata="${resourceMetadata}", scope="mcp:read", error="invalid_token", algs="ES256 PS256"`)
  t.equal(extractV2(answer(challenge)).resourceMetadataUrl?.href, resourceMetadata)
})
