import t from 'tap'
import { readForm, type Form } from '../../lib/protocol/form.js'
import { readCodeRequest, readGrantType, readRefreshRequest } from '../../lib/protocol/token-request.js'

const CODE = 'grant_type=authorization_code&code=c0de&code_verifier=verifier'
const REFRESH = 'grant_type=refresh_token&refresh_token=t0ken'

const REFUSED: Record<string, [string, string]> = {
  'no grant type': ['code=c', 'invalid_request'],
  'an empty grant type': ['grant_type=&code=c', 'invalid_request'],
  'two grant types': [`${CODE}&grant_type=refresh_token`, 'invalid_request'],
  'no code': ['grant_type=authorization_code&code_verifier=v', 'invalid_request'],
  'an empty code': ['grant_type=authorization_code&code=&code_verifier=v', 'invalid_request'],
  'two codes': [`${CODE}&code=other`, 'invalid_request'],
  'no verifier': ['grant_type=authorization_code&code=c', 'invalid_request'],
  'a code of 1025 characters': [`grant_type=authorization_code&code=${'x'.repeat(1025)}&code_verifier=v`, 'invalid_request'],
  'no refresh token': ['grant_type=refresh_token', 'invalid_request'],
  'two refresh tokens': [`${REFRESH}&refresh_token=other`, 'invalid_request'],
  'a refresh token of 1025 characters': [`grant_type=refresh_token&refresh_token=${'x'.repeat(1025)}`, 'invalid_request'],
  'a scope outside of the grammar': [`${REFRESH}&scope=a%22b`, 'invalid_scope'],
  'two resources': [`${CODE}&resource=https://h.example&resource=https://evil.example`, 'invalid_target'],
  'a resource that is none': [`${REFRESH}&resource=mcp`, 'invalid_target'],
  'an unknown parameter twice': [`${CODE}&foo=1&foo=2`, 'invalid_request'],
  'two clients': [`${CODE}&client_id=a&client_id=b`, 'invalid_request']
}

const readTokenRequest = (form: Form) =>
  readGrantType(form) === 'refresh_token' ? readRefreshRequest(form) : readCodeRequest(form)

for (const [name, [text, code]] of Object.entries(REFUSED)) {
  t.test(`a token request with ${name} is refused as ${code}`, async (t) => {
    t.throws(() => readTokenRequest(readForm(text)), { code, status: 400 })
  })
}

t.test('a code request of OAuth 2.1 needs the code and its verifier only', async (t) => {
  t.strictSame(readTokenRequest(readForm(CODE)), { code: 'c0de', codeVerifier: 'verifier' })
})

t.test('a code request is read with its redirect URI as sent and its resource canonical', async (t) => {
  t.match(readTokenRequest(readForm(`${CODE}&redirect_uri=http://localhost:1/cb&resource=https://H.example/`)),
    { redirectUri: 'http://localhost:1/cb', resource: 'https://h.example' })
})

t.test('a refresh request needs the token only', async (t) => {
  t.strictSame(readTokenRequest(readForm(`${REFRESH}&scope=&client_id=x`)), { refreshToken: 't0ken' })
})

t.test('a refresh request is read with scope and resource', async (t) => {
  t.strictSame(readTokenRequest(readForm(`${REFRESH}&scope=a+b&resource=https://h.example/mcp`)),
    { refreshToken: 't0ken', scope: ['a', 'b'], resource: 'https://h.example/mcp' })
})

t.test('authorization details are read with either, whether they are known or not', async (t) => {
  const details = '&authorization_details=' + encodeURIComponent('[{"type":"any","amount":"1"}]')
  const read = { authorizationDetails: [{ type: 'any', amount: '1' }] }

  t.strictSame(readTokenRequest(readForm(CODE + details)), { code: 'c0de', codeVerifier: 'verifier', ...read })
  t.strictSame(readTokenRequest(readForm(REFRESH + details)), { refreshToken: 't0ken', ...read })
})

t.test('audience may be repeated, nothing reads it', async (t) => {
  t.doesNotThrow(() => readTokenRequest(readForm(`${REFRESH}&audience=a&audience=b`)))
})
