import t from 'tap'
import { endingOf } from '../../lib/audit/ending.js'

const served = { answered: true, statusCode: 200, guarded: true }

t.test('a guarded request that was served is reported as completed', async (t) => {
  t.same(endingOf(served), { type: 'request.completed' })
  t.same(endingOf({ ...served, statusCode: 399 }), { type: 'request.completed' })
})

t.test('an open request that was served is not reported', async (t) => {
  t.equal(endingOf({ ...served, guarded: false }), null)
})

t.test('a refusal is reported with its status, on open routes too', async (t) => {
  t.same(endingOf({ ...served, statusCode: 400 }), { type: 'request.refused', reason: 'status 400' })
  t.same(endingOf({ ...served, statusCode: 503, guarded: false }), { type: 'request.refused', reason: 'status 503' })
})

t.test('a client that leaves is reported as aborted, whatever the status said', async (t) => {
  t.same(endingOf({ ...served, answered: false }), { type: 'request.aborted' })
  t.same(endingOf({ answered: false, statusCode: 500, guarded: false }), { type: 'request.aborted' })
})
