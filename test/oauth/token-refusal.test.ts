import t from 'tap'
import { OAuthError } from '../../lib/protocol/oauth-error.js'
import { factsOf, refusedWith, TokenRefusal } from '../../lib/oauth/token-refusal.js'
import { buildContext, openFamily, RESOURCE, START } from '../helpers/token-context.js'

const facts = { subject: 'alice', clientId: 'a client' }

t.test('a refusal by a check is told with what it was about, and answered as it was', async (t) => {
  const refused = new OAuthError({ code: 'invalid_grant', description: 'outside', reason: 'inside' })

  const error: unknown = await Promise.resolve()
    .then(() => refusedWith(facts, () => { throw refused }))
    .catch((error: unknown) => error)

  t.type(error, TokenRefusal)
  t.match(error, { code: 'invalid_grant', status: 400, reason: 'inside' })
  t.match(error, { events: [{ type: 'token.refused', reason: 'inside', ...facts }] })
  t.equal(JSON.stringify(error), JSON.stringify(refused))
})

t.test('what is no refusal is passed on as it is', async (t) => {
  const fault = new RangeError('a fault of ours')

  t.throws(() => refusedWith(facts, () => { throw fault }), fault)
})

t.test('of a grant the audit is told whose it is and for what, and no digest', async (t) => {
  const context = buildContext()
  const { grantId, clientId } = await openFamily(context)
  const grant = await context.grants.find(grantId, START)
  if (grant === null) throw new Error('the grant is gone')

  t.strictSame(factsOf(grant), { subject: 'alice', clientId, grantId, resource: RESOURCE })
})

t.test('checks that pass answer', async (t) => {
  t.equal(refusedWith(facts, () => 7), 7)
})
