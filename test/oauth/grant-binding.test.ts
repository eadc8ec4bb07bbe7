import t from 'tap'
import { assertBound, invalidGrant } from '../../lib/oauth/grant-binding.js'
import { addClient, buildContext, openFamily, START } from '../helpers/token-context.js'

const context = buildContext()
const { client, grantId } = await openFamily(context)
const { client: stranger } = await addClient(context)
const grant = await context.grants.find(grantId, START)
if (grant === null) throw new Error('the grant is gone')

t.test('a grant is bound to its client', async (t) => {
  t.doesNotThrow(() => assertBound(grant, { client, context }))
  t.throws(() => assertBound(grant, { client: stranger, context }),
    { code: 'invalid_grant', reason: 'grant of another client' })
})

t.test('a grant for another resource gets nothing here', async (t) => {
  const elsewhere = { ...context, resources: new Map() }

  t.throws(() => assertBound(grant, { client, context: elsewhere }), { code: 'invalid_grant' })
})

t.test('no reason goes out', async (t) => {
  t.equal(JSON.stringify(invalidGrant('one')), JSON.stringify(invalidGrant('another')))
})
