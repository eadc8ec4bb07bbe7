import t from 'tap'
import { assertBound, assertTarget, invalidGrant } from '../../lib/oauth/grant-binding.js'
import { addClient, buildContext, openFamily, RESOURCE, START } from '../helpers/token-context.js'

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
  const elsewhere = { ...context, resource: 'https://mcp.example/other' }

  t.throws(() => assertBound(grant, { client, context: elsewhere }), { code: 'invalid_grant' })
})

t.test('the same resource in another spelling is the same', async (t) => {
  for (const resource of [undefined, RESOURCE, 'HTTPS://MCP.EXAMPLE/mcp', 'https://mcp.example:443/mcp']) {
    t.doesNotThrow(() => assertTarget(grant, resource))
  }
})

t.test('another resource is refused as invalid_target', async (t) => {
  for (const resource of ['https://evil.example/', 'https://mcp.example', `${RESOURCE}/x`, `${RESOURCE}/`, 'not a URL']) {
    t.throws(() => assertTarget(grant, resource), { code: 'invalid_target' })
  }
})

t.test('no reason goes out', async (t) => {
  t.equal(JSON.stringify(invalidGrant('one')), JSON.stringify(invalidGrant('another')))
})
