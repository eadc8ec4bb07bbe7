import t from 'tap'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { InvalidTokenError, SERVER_DOWN, VerifierUnavailableError } from '../../lib/tokens/errors.js'

t.test('a token that is not good says why, to us', async (t) => {
  t.match(new InvalidTokenError('expired'), { code: 'MCPS_ERR_INVALID_TOKEN', reason: 'expired', message: 'the token is not valid: expired' })
})

t.test('a verifier that is down is answered like a store that is down, and told apart by its reason', async (t) => {
  const cause = new Error('no route')
  const error = new VerifierUnavailableError(SERVER_DOWN, 'no answer', { cause })

  t.ok(error instanceof StoreUnavailableError)
  t.match(error, { reason: 'authorization server unavailable', message: 'no answer', cause })
})
