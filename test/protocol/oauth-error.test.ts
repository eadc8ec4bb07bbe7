import t from 'tap'
import { OAuthError } from '../../lib/protocol/oauth-error.js'

t.test('the JSON body holds the code and the description and nothing else', async (t) => {
  const error = new OAuthError({
    code: 'invalid_grant', description: 'not valid', reason: 'family revoked', cause: new Error('inside')
  })

  t.strictSame(JSON.parse(JSON.stringify(error)), { error: 'invalid_grant', error_description: 'not valid' })
})

t.test('the precise reason and the cause stay on the error for the audit event', async (t) => {
  const cause = new Error('inside')
  const error = new OAuthError({ code: 'invalid_grant', description: 'not valid', reason: 'family revoked', cause })

  t.equal(error.reason, 'family revoked')
  t.equal(error.message, 'invalid_grant: family revoked')
  t.equal(error.cause, cause)
})

t.test('the description is the reason when there is no preciser one', async (t) => {
  t.equal(new OAuthError({ code: 'invalid_request', description: 'code is missing' }).reason, 'code is missing')
})

t.test('a code has its usual status unless another one is given', async (t) => {
  t.equal(new OAuthError({ code: 'invalid_client', description: 'x' }).status, 401)
  t.equal(new OAuthError({ code: 'temporarily_unavailable', description: 'x' }).status, 503)
  t.equal(new OAuthError({ code: 'invalid_request', description: 'x', status: 413 }).status, 413)
})
