import { extractWWWAuthenticateParams as readBySdk2 } from '@modelcontextprotocol/client'
import { extractWWWAuthenticateParams as readBySdk1 } from '@modelcontextprotocol/sdk/client/auth.js'
import t from 'tap'
import {
  buildChallenges, methodRefusal, sendRefusal, UNAVAILABLE, wireRefusal
} from '../../../lib/plugins/scope-guard/refusals.js'
import type { SenderSettings } from '../../../lib/plugins/scope-guard/sender-settings.js'
import { buildApp } from '../../helpers/build-app.js'
import { METADATA, RESOURCE } from '../../helpers/guard.js'

const sender = { dpop: null, certificateOf: null, required: false }
const challengesWith = (defaultScopes: string[]) => buildChallenges({ resource: RESOURCE, defaultScopes, sender })
const challenges = challengesWith(['notes:read'])

t.test('no credentials: a challenge without error', async (t) => {
  t.equal(challenges.noToken.status, 401)
  t.equal(challenges.noToken.headers['www-authenticate'], `Bearer resource_metadata="${METADATA}", scope="notes:read"`)
})

t.test('a bad token: invalid_token, in the order that clients parse', async (t) => {
  t.equal(challenges.badToken.status, 401)
  t.equal(challenges.badToken.headers['www-authenticate'],
    `Bearer resource_metadata="${METADATA}", scope="notes:read", error="invalid_token", ` +
    'error_description="The access token is not valid"')
})

t.test('two headers: 400 invalid_request, also in the challenge', async (t) => {
  t.equal(challenges.badRequest.status, 400)
  t.match(challenges.badRequest.headers['www-authenticate'], /, error="invalid_request", error_description="[^"]+"$/)
})

const dpop = {
  rules: { algorithms: ['ES256' as const], isGoodNonce: null }, nonces: null, isFirstUse: () => true
}

t.test('EX-22: with DPoP every challenge names it, and what is wrong under it is told there', async (t) => {
  const both = buildChallenges({ resource: RESOURCE, defaultScopes: [], sender: { ...sender, dpop } })
  const place = `Bearer resource_metadata="${METADATA}"`

  t.equal(both.noToken.headers['www-authenticate'], `${place}, DPoP algs="ES256"`)
  for (const [refusal, error] of [
    [both.badBoundToken, 'invalid_token'], [both.badProof, 'invalid_dpop_proof'], [both.nonceNeeded, 'use_dpop_nonce'],
    [both.notSenderConstrained, 'invalid_token']
  ] as const) {
    t.equal(refusal.status, 401)
    t.match(refusal.headers['www-authenticate']?.startsWith(`${place}, DPoP error="${error}", error_description="`), true)
  }
  t.match(both.insufficientScope(['a'], []).headers['www-authenticate'], /, error="insufficient_scope", [^,]+, DPoP algs="ES256"$/)
})

t.test('Bearer is not named where no token may be shown so', async (t) => {
  const settings = { ...sender, dpop, required: true }
  const of = (sender: SenderSettings) => buildChallenges({ resource: RESOURCE, defaultScopes: [], sender })
  const only = of(settings)
  const orCertificate = of({ ...settings, certificateOf: () => null })

  t.match(only.noToken.headers['www-authenticate'], /^DPoP resource_metadata=/)
  t.match(orCertificate.noToken.headers['www-authenticate'], /^Bearer resource_metadata=/)
})

t.test('no default scopes: no empty scope in the challenge', async (t) => {
  t.equal(challengesWith([]).noToken.headers['www-authenticate'], `Bearer resource_metadata="${METADATA}"`)
  t.notMatch(challengesWith([]).insufficientScope([], []).headers['www-authenticate'], 'scope=""')
})

t.test('insufficient scope names what is needed, then what the token has, each once', async (t) => {
  const { status, headers } = challenges.insufficientScope(['write', 'read'], ['read', 'profile'])

  t.equal(status, 403)
  t.match(headers['www-authenticate'], /, scope="write read profile", error="insufficient_scope", /)
})

t.test('insufficient scope without any scope to name falls back to the default ones', async (t) => {
  t.match(challenges.insufficientScope([], []).headers['www-authenticate'], /, scope="notes:read", error="insuff/)
})

t.test('scopes that other issuers invent cannot leave the quotes', async (t) => {
  const { headers } = challenges.insufficientScope(['read'], ['x"', 'scope="admin"', 'a\r\nb', 'ok'])

  t.match(headers['www-authenticate'], /, scope="read ok", error="insufficient_scope"/)
})

t.test('the same challenge is built once', async (t) => {
  t.equal(challenges.insufficientScope(['a'], ['b']), challenges.insufficientScope(['a'], ['b']))
  t.not(challenges.insufficientScope(['a'], ['b']), challenges.insufficientScope(['a'], ['c']))
})

t.test('challenges are not kept without end', async (t) => {
  const bounded = challengesWith(['a'])
  const first = bounded.insufficientScope(['a'], ['first'])
  for (let count = 0; count < 1000; count += 1) bounded.insufficientScope(['a'], [`s${count}`])

  const again = bounded.insufficientScope(['a'], ['first'])

  t.not(again, first)
  t.same(again, first)
})

t.test('no refusal may be cached', async (t) => {
  for (const refusal of [challenges.noToken, challenges.insufficientScope(['a'], []), UNAVAILABLE, methodRefusal('POST')]) {
    t.equal(refusal.headers['cache-control'], 'no-store')
  }
})

t.test('what cannot be checked now may be tried again: 503, not 401', async (t) => {
  t.match(UNAVAILABLE, { status: 503, headers: { 'retry-after': '5' } })
  t.notOk('www-authenticate' in UNAVAILABLE.headers)
})

t.test('at the MCP endpoint a refusal is JSON-RPC with the id of the request', async (t) => {
  const app = buildApp(t)
  app.get('/', (_request, reply) => sendRefusal(reply, methodRefusal('GET, POST'), { rpc: true, id: 0 }))

  const response = await app.inject('/')

  t.equal(response.statusCode, 405)
  t.equal(response.headers.allow, 'GET, POST')
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.same(response.json(), { jsonrpc: '2.0', id: 0, error: { code: -32000, message: 'Method not allowed' } })
})

t.test('elsewhere a refusal is an OAuth error', async (t) => {
  const app = buildApp(t)
  app.get('/', (_request, reply) => sendRefusal(reply, challenges.noToken, { rpc: false }))

  const response = await app.inject('/')

  t.same(response.json(), { error: 'invalid_token', error_description: 'An access token is required' })
})

for (const [sdk, read] of Object.entries({ 'SDK 1.32': readBySdk1, 'SDK 2.4': readBySdk2 })) {
  const readChallenge = ({ headers }: { headers: Readonly<Record<string, string>> }) => {
    const { resourceMetadataUrl, scope, error } = read(new Response(null, { headers }))
    return [resourceMetadataUrl?.href, scope, error]
  }

  t.test(`${sdk} reads every challenge`, async (t) => {
    t.same(readChallenge(challenges.noToken), [METADATA, 'notes:read', undefined])
    t.same(readChallenge(challenges.badToken), [METADATA, 'notes:read', 'invalid_token'])
    t.same(readChallenge(challenges.insufficientScope(['a:b', 'c/d'], ['e'])), [METADATA, 'a:b c/d e', 'insufficient_scope'])
    t.same(readChallenge(challengesWith([]).noToken), [METADATA, undefined, undefined])
  })
}

t.test('what is wrong on the wire has the status and code of its fault, and data only when that has some', async (t) => {
  const mismatch = wireRefusal({ status: 400, code: -32020, reason: 'a phrase for the audit' })
  t.match(mismatch, { status: 400, code: -32020, headers: { 'cache-control': 'no-store' } })
  t.notOk('data' in mismatch)
  t.notMatch(mismatch.message, /audit/)
  t.match(wireRefusal({ status: 400, code: -32022, reason: '', data: { supported: [] } }), { data: { supported: [] } })
  t.match(wireRefusal({ status: 405, code: -32000, reason: '' }), { status: 405, headers: { allow: 'POST' } })
})
