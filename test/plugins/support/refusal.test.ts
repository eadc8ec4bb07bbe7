import t from 'tap'
import { SignerError } from '../../../lib/crypto/errors.js'
import { OAuthError } from '../../../lib/protocol/oauth-error.js'
import { refusalOf } from '../../../lib/plugins/support/refusal.js'
import { StoreUnavailableError } from '../../../lib/stores/errors.js'
import { SERVER_DOWN, VerifierUnavailableError } from '../../../lib/tokens/errors.js'

const withStatus = (statusCode: unknown): Error => Object.assign(new Error('secret detail'), { statusCode })

const cases: Record<string, [unknown, number, string]> = {
  'a store that cannot be reached': [new StoreUnavailableError('secret detail'), 503, 'temporarily_unavailable'],
  'another server that cannot be reached': [new VerifierUnavailableError(SERVER_DOWN, 'secret detail'), 503, 'temporarily_unavailable'],
  'a key elsewhere that cannot sign': [new SignerError('secret detail'), 503, 'temporarily_unavailable'],
  'a host that is overloaded': [withStatus(503), 503, 'temporarily_unavailable'],
  'a rate limit': [withStatus(429), 429, 'too_many_requests'],
  'a body that cannot be read': [withStatus(400), 400, 'invalid_request'],
  'a body that is too large': [withStatus(413), 413, 'invalid_request'],
  'a body of another type': [withStatus(415), 415, 'invalid_request'],
  'a mistake of ours': [new Error('secret detail'), 500, 'server_error'],
  'a status that is no number': [withStatus('404'), 500, 'server_error'],
  'a status that is no error': [withStatus(200), 500, 'server_error'],
  'something that is no error at all': [{ statusCode: 418 }, 500, 'server_error'],
  nothing: [undefined, 500, 'server_error']
}

for (const [what, [error, status, code]] of Object.entries(cases)) {
  t.test(`${what} becomes ${status} ${code}, and says no more`, async (t) => {
    const refusal = refusalOf(error)
    t.equal(refusal.status, status)
    t.equal(refusal.code, code)
    t.equal(refusal.cause, error)
    t.notMatch(JSON.stringify(refusal), /secret/)
  })
}

t.test('a refusal of our own stays what it is', async (t) => {
  const refusal = new OAuthError({ code: 'invalid_grant', description: 'no' })
  t.equal(refusalOf(refusal), refusal)
})

t.test('the audit can tell an outage of another server from one of the store', async (t) => {
  t.equal(refusalOf(new VerifierUnavailableError(SERVER_DOWN, 'x')).reason, SERVER_DOWN)
  t.equal(refusalOf(new StoreUnavailableError('x')).reason, 'store unavailable')
})
