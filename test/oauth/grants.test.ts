import t from 'tap'
import { addClient, authorize, buildContext, openFamily, START } from '../helpers/token-context.js'

t.test('a grant is live from the exchange of its code to its end', async (t) => {
  const context = buildContext()
  const { grants } = context
  const { client } = await addClient(context)
  const { grantId } = await authorize(context, client.clientId)
  t.equal(await grants.isLive(grantId, START), false)

  const family = await openFamily(context)
  t.equal(await grants.isLive(family.grantId, START), true)
  await grants.revoke(family.grantId, START)
  t.equal(await grants.isLive(family.grantId, START), false)
})

t.test('a grant is found by its id', async (t) => {
  const context = buildContext()
  const { grantId } = await openFamily(context)

  t.match(await context.grants.find(grantId, START), { grantId, status: 'active' })
  t.equal(await context.grants.find('a'.repeat(22), START), null)
})

t.test('what cannot be the id of a grant is never asked of the store', async (t) => {
  const { records } = buildContext()
  const { grants } = buildContext({ records: { ...records, get: async () => { throw new Error('the store was asked') } } })

  for (const id of ['', 'x', '\0'.repeat(22), 'a'.repeat(10_000), '\ud800'.repeat(22), '../../../../etc/passwd']) {
    t.equal(await grants.find(id, START), null)
    t.equal(await grants.isLive(id, START), false)
  }
})

t.test('the version of a grant is told at once by a store in memory, while the grant lives', async (t) => {
  const context = buildContext()
  const { grantId } = await openFamily(context)
  const held = await context.grants.read(grantId, START)
  const { versionOf, ...records } = context.records
  const { grants } = buildContext({ records })

  t.ok(held)
  t.equal(context.grants.versionOf(grantId, START), held?.version)
  t.equal(grants.versionOf(grantId, START), undefined, 'another store says nothing')
  await context.grants.revoke(grantId, START)
  t.equal(context.grants.versionOf(grantId, START), undefined)
})

t.test('of all who read the same grant one advances it', async (t) => {
  const context = buildContext()
  const { grantId } = await openFamily(context)
  const held = await context.grants.read(grantId, START)
  if (held === null) throw new Error('the grant is gone')

  const all = await Promise.all(Array.from({ length: 20 }, () => context.grants.advance(held, held.grant, START)))

  t.equal(all.filter(Boolean).length, 1)
})

t.test('what a user has given is listed, page by page, without digests and without what is not given yet', async (t) => {
  const context = buildContext()
  for (let index = 0; index < 101; index += 1) await openFamily(context)
  const { client } = await addClient(context)
  await authorize(context, client.clientId)
  await openFamily(context, { subject: 'bob' })

  const first = await context.grants.list({ subject: 'alice' }, START)
  const rest = await context.grants.list({ subject: 'alice', after: first.cursor ?? '' }, START)

  t.equal(first.grants.length + rest.grants.length, 101)
  t.equal(rest.cursor, null)
  t.same(Object.keys(first.grants[0] ?? {}), ['grantId', 'clientId', 'resource', 'scopes', 'createdAt', 'endsAt'])
})
