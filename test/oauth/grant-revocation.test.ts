import t from 'tap'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { failingStore } from '../helpers/failing-store.js'
import { authorize, buildContext, openFamily, START } from '../helpers/token-context.js'

t.test('revoking ends the grant once, and everybody hears of it', async (t) => {
  const records = memoryStore()
  const here = buildContext({ records })
  const there = buildContext({ records })
  const heard: string[] = []
  t.teardown(await here.grants.onRevoked((grantId) => { heard.push(`here ${grantId}`) }))
  t.teardown(await there.grants.onRevoked((grantId) => { heard.push(`there ${grantId}`) }))
  const { grantId } = await openFamily(here)

  t.equal(await here.grants.revoke(grantId, START), true)

  t.equal(await here.grants.find(grantId, START), null)
  t.ok(heard.includes(`here ${grantId}`))
  t.ok(heard.includes(`there ${grantId}`))

  heard.length = 0
  t.equal(await here.grants.revoke(grantId, START), false)
  t.same(heard, [])
})

t.test('who stopped listening hears nothing more', async (t) => {
  const { grants, ...context } = buildContext()
  const stop = await grants.onRevoked(() => t.fail('heard of a revocation'))
  const { grantId } = await openFamily({ grants, ...context })

  await stop()

  t.equal(await grants.revoke(grantId, START), true)
})

t.test('a message that cannot be sent undoes nothing, and this process hears of it', async (t) => {
  const records = memoryStore()
  const context = buildContext({
    records: { ...records, publish: async () => { throw new StoreUnavailableError('down') } }
  })
  const heard: string[] = []
  t.teardown(await context.grants.onRevoked((grantId) => { heard.push(grantId) }))
  const { grantId } = await openFamily(context)

  t.equal(await context.grants.revoke(grantId, START), true)

  t.same(heard, [grantId])
  t.equal(await context.grants.find(grantId, START), null)
})

t.test('a store that cannot be reached is passed on', async (t) => {
  const records = memoryStore()
  const context = buildContext({
    records: { ...records, remove: async () => { throw new StoreUnavailableError('down') } }
  })
  const { grantId } = await openFamily(context)

  await t.rejects(context.grants.revoke(grantId, START), StoreUnavailableError)
})

t.test('revoking a user ends all of their grants and nobody else\'s', async (t) => {
  const context = buildContext()
  const alice = [await openFamily(context), await openFamily(context)]
  const bob = await openFamily(context, { subject: 'bob' })

  t.equal(await context.grants.revokeSubject('alice', START), 2)

  for (const { grantId } of alice) t.equal(await context.grants.isLive(grantId, START), false)
  t.equal(await context.grants.isLive(bob.grantId, START), true)
  t.equal(await context.grants.revokeSubject('alice', START), 0)
})

t.test('revoking a client ends all of its grants and no other one\'s', async (t) => {
  const context = buildContext()
  const one = await openFamily(context)
  const other = await openFamily(context)

  t.equal(await context.grants.revokeClient(one.clientId, START), 1)

  t.equal(await context.grants.isLive(one.grantId, START), false)
  t.equal(await context.grants.isLive(other.grantId, START), true)
})

t.test('a grant that somebody else revokes meanwhile is not counted twice', async (t) => {
  const context = buildContext()
  await openFamily(context)
  await openFamily(context)

  const counts = await Promise.all([
    context.grants.revokeSubject('alice', START), context.grants.revokeSubject('alice', START)
  ])

  t.equal(counts.reduce((sum, count) => sum + count), 2)
})

t.test('what a client has not exchanged yet can be ended by itself', async (t) => {
  const context = buildContext()
  const { clientId, grantId } = await openFamily(context)
  const { grantId: pending } = await authorize(context, clientId)
  const another = await openFamily(context)
  const { grantId: ofAnother } = await authorize(context, another.clientId)

  t.equal(await context.grants.revokePending(clientId, START), 1)
  t.equal(await context.grants.find(pending, START), null)
  t.ok(await context.grants.isLive(grantId, START))
  t.ok(await context.grants.find(ofAnother, START))
})

const WEB = 'https://client.example/cb'

async function remembered (context: ReturnType<typeof buildContext>, overrides: Parameters<typeof openFamily>[1] = {}) {
  return await openFamily(context, { redirectUri: WEB, terms: 'the terms', ...overrides })
}

async function consentsOf ({ grants }: ReturnType<typeof buildContext>, subject = 'alice'): Promise<string[]> {
  return (await grants.consents.list({ subject }, START)).consents.map(({ clientId }) => clientId).sort()
}

t.test('with a grant the consent behind it ends, and no other one', async (t) => {
  const context = buildContext()
  const [one, other] = [await remembered(context), await remembered(context)]

  await context.grants.revoke(one.grantId, START)

  t.same(await consentsOf(context), [other.clientId])
})

t.test('the consent ends first: a crash in between leaves a grant and no way to another', async (t) => {
  const records = failingStore(memoryStore())
  const context = buildContext({ records })
  const { grantId } = await remembered(context)
  records.failOnce('remove', 'after')

  await t.rejects(context.grants.revoke(grantId, START), StoreUnavailableError)

  t.same(await consentsOf(context), [])
  t.equal(await context.grants.isLive(grantId, START), true)
  t.equal(await context.grants.revoke(grantId, START), true)
})

t.test('with a user or a client all consents end', async (t) => {
  const context = buildContext()
  const alice = await remembered(context)
  const bob = await remembered(context, { subject: 'bob' })

  await context.grants.revokeSubject('alice', START)
  t.same([await consentsOf(context), await consentsOf(context, 'bob')], [[], [bob.clientId]])
  await context.grants.revokeClient(bob.clientId, START)
  t.same(await consentsOf(context, 'bob'), [])
  t.not(alice.clientId, bob.clientId)
})

t.test('a user withdraws what one client was given: its grants and consents, and nothing else', async (t) => {
  const context = buildContext()
  const [one, other] = [await remembered(context), await remembered(context)]
  const heard: string[] = []
  t.teardown(await context.grants.onRevoked((grantId) => { heard.push(grantId) }))

  t.equal(await context.grants.withdraw({ subject: 'alice', clientId: one.clientId }, START), 1)

  t.same(await consentsOf(context), [other.clientId])
  t.equal(await context.grants.isLive(one.grantId, START), false)
  t.equal(await context.grants.isLive(other.grantId, START), true)
  t.ok(heard.includes(one.grantId))
  t.equal(await context.grants.withdraw({ subject: 'mallory', clientId: other.clientId }, START), 0)
  t.equal(await context.grants.withdraw({ subject: 'alice', clientId: one.clientId }, START), 0)
})

t.test('with what a client has not exchanged yet, the consents to it end', async (t) => {
  const context = buildContext()
  const [one, other] = [await remembered(context), await remembered(context)]

  t.equal(await context.grants.revokePending(one.clientId, START), 0)

  t.same(await consentsOf(context), [other.clientId])
  t.equal(await context.grants.isLive(one.grantId, START), true)
})
