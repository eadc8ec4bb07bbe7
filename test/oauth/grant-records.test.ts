import t from 'tap'
import { createGrantRecords, expiryOf } from '../../lib/oauth/grant-records.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { Grant } from '../../types/oauth.js'
import { grantRequest, LIFETIMES, START } from '../helpers/token-context.js'

function grantOf (grantId: string, overrides: Partial<Grant> = {}): Grant {
  return {
    ...grantRequest('a client'),
    status: 'requested',
    grantId,
    createdAt: START,
    handleDigest: 'digest',
    codeDigest: null,
    exchangedAt: null,
    refresh: null,
    endsAt: START + 600,
    ...overrides
  }
}

const idOf = (number: number) => String(number).padStart(22, '0')

function build () {
  return createGrantRecords({ records: memoryStore(), tenant: 'default', lifetimes: LIFETIMES })
}

t.test('a grant ends at its end, or when its refresh token lay idle', async (t) => {
  const refresh = { current: 'x', previous: null, rotatedAt: START, answer: null }
  const late = START + LIFETIMES.refreshAbsolute

  t.equal(expiryOf(grantOf(idOf(1)), LIFETIMES), START + 600)
  t.equal(expiryOf(grantOf(idOf(1), { refresh, endsAt: late }), LIFETIMES), START + LIFETIMES.refreshIdle)
  t.equal(expiryOf(grantOf(idOf(1), { refresh: { ...refresh, rotatedAt: late - 5 }, endsAt: late }), LIFETIMES), late)
})

t.test('a grant is never overwritten, and dead at its end', async (t) => {
  const grants = build()
  t.equal(await grants.add(grantOf(idOf(1)), START), true)
  t.equal(await grants.add(grantOf(idOf(1), { subject: 'mallory' }), START), false)

  t.match(await grants.read(idOf(1), START + 599), { version: 1, grant: { subject: 'alice' } })
  t.equal(await grants.read(idOf(1), START + 600), null)
})

t.test('advancing takes the version that was read', async (t) => {
  const grants = build()
  await grants.add(grantOf(idOf(1)), START)
  const held = await grants.read(idOf(1), START)
  if (held === null) throw new Error('the grant is gone')

  t.equal(await grants.advance(held, { ...held.grant, scopes: ['one'] }, START), true)
  t.equal(await grants.advance(held, { ...held.grant, scopes: ['two'] }, START), false)
  t.match(await grants.read(idOf(1), START), { version: 2, grant: { scopes: ['one'] } })
})

t.test('a client\'s own grant is found by the client, and by no user of its name', async (t) => {
  const grants = build()
  await grants.add(grantOf(idOf(1), { subject: null, clientId: 'a client' }), START)
  const idsOf = async (name: 'subject' | 'clientId') => {
    const ids = []
    for await (const id of grants.idsOf({ name, value: 'a client' }, START)) ids.push(id)
    return ids
  }

  t.strictSame([await idsOf('subject'), await idsOf('clientId')], [[], [idOf(1)]])
})

t.test('removing answers whether there was something', async (t) => {
  const grants = build()
  await grants.add(grantOf(idOf(1)), START)

  t.equal(await grants.remove(idOf(1), START), true)
  t.equal(await grants.remove(idOf(1), START), false)
  t.equal(await grants.remove('not an id', START), false)
  t.equal(await grants.read('not an id', START), null)
})

t.test('every grant of a user or a client is found, over many pages', async (t) => {
  const grants = build()
  for (let i = 0; i < 2050; i += 1) await grants.add(grantOf(idOf(i), { clientId: i < 3 ? 'three' : 'a client' }), START)
  await grants.add(grantOf(idOf(3000), { subject: 'bob' }), START)

  const ids: string[] = []
  for await (const id of grants.idsOf({ name: 'subject', value: 'alice' }, START)) ids.push(id)
  t.equal(new Set(ids).size, 2050)
  t.equal(ids.length, 2050)
  t.notOk(ids.includes(idOf(3000)))

  const three: string[] = []
  for await (const id of grants.idsOf({ name: 'clientId', value: 'three' }, START)) three.push(id)
  t.same(three, [idOf(0), idOf(1), idOf(2)])
})

t.test('grants are listed a hundred at a time', async (t) => {
  const grants = build()
  for (let index = 0; index < 101; index += 1) await grants.add(grantOf(idOf(index)), START)
  const alice = { name: 'subject', value: 'alice' } as const

  const first = await grants.list(alice, null, START)
  const rest = await grants.list(alice, first.cursor, START)

  t.equal(first.grants.length, 100)
  t.strictSame(rest, { grants: [grantOf(idOf(100))], cursor: null })
})
