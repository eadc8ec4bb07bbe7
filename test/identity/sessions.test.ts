import t from 'tap'
import { createAccounts } from '../../lib/identity/accounts.js'
import { createPasswords } from '../../lib/identity/passwords.js'
import { createSessions, forgetSessions } from '../../lib/identity/sessions.js'
import { memoryStore } from '../../lib/stores/memory.js'

const tenant = 'default'
const now = 1_700_000_000
const name = 'ada'
const password = 'a few unrelated words'
const idle = 600
const absolute = 1800

async function open (lifetimes = { idle, absolute }) {
  const records = memoryStore()
  const parameters = { cost: 2 ** 4, blockSize: 8, parallelization: 1 }
  const accounts = createAccounts({ records, tenant, passwords: createPasswords({ parameters }) })
  const account = await accounts.add({ name, password }, now)
  const sessions = createSessions({ records, tenant, accounts, ...lifetimes })
  const versions = async () => (await records.list({ tenant, kind: 'session', limit: 10 }, now)).records.map(({ version }) => version)
  return { records, accounts, account, sessions, versions }
}

t.test('a session tells whose it is and since when', async (t) => {
  const { sessions, account } = await open()

  const id = await sessions.start(account, now)

  t.same(await sessions.find(id, now + 10), { account, startedAt: now })
})

t.test('every session has another id of 256 bits, and the store does not hold it', async (t) => {
  const { records, sessions, account } = await open()
  const ids = [await sessions.start(account, now), await sessions.start(account, now)]

  t.not(ids[0], ids[1])
  for (const id of ids) t.match(id, /^[\w-]{43}$/)
  const held = JSON.stringify(await records.list({ tenant, kind: 'session', limit: 10 }, now))
  t.notOk(ids.some((id) => held.includes(id)))
})

for (const id of ['', 'unknown', 'a'.repeat(43), 'a'.repeat(10_000), '__proto__', '\0']) {
  t.test(`"${id.slice(0, 12)}" of ${id.length} characters is no session`, async (t) => {
    const { sessions } = await open()

    t.equal(await sessions.find(id, now), null)
    t.equal(await sessions.end(id, now), false)
  })
}

t.test('a session that nobody uses is dead at the second of its idle limit', async (t) => {
  const { sessions, account } = await open()
  const id = await sessions.start(account, now)

  t.equal(await sessions.find(id, now + idle), null)
})

t.test('a session that is used goes on, up to its absolute limit', async (t) => {
  const { sessions, account } = await open()
  const id = await sessions.start(account, now)

  for (let at = now; at < now + absolute; at += idle - 1) t.ok(await sessions.find(id, at))
  t.ok(await sessions.find(id, now + absolute - 1))
  t.equal(await sessions.find(id, now + absolute), null)
})

t.test('a session is written once a minute at most, however often it is used', async (t) => {
  const { sessions, account, versions } = await open()
  const id = await sessions.start(account, now)

  for (let at = now; at < now + 60; at += 1) await sessions.find(id, at)
  t.same(await versions(), [1])
  await sessions.find(id, now + 60)
  await sessions.find(id, now + 119)
  t.same(await versions(), [2])
  await sessions.find(id, now + 120)
  t.same(await versions(), [3])
})

t.test('a session with a short idle limit is extended often enough to live', async (t) => {
  const { sessions, account } = await open({ idle: 60, absolute })
  const id = await sessions.start(account, now)

  t.ok(await sessions.find(id, now + 45))
  t.ok(await sessions.find(id, now + 90))
})

t.test('requests at the same moment extend a session without harm', async (t) => {
  const { sessions, account, versions } = await open()
  const id = await sessions.start(account, now)

  const found = await Promise.all(Array.from({ length: 20 }, () => sessions.find(id, now + 300)))

  t.ok(found.every((session) => session !== null))
  t.same(await versions(), [2])
})

t.test('a session that was ended is gone, and another one is not', async (t) => {
  const { sessions, account } = await open()
  const [one, two] = [await sessions.start(account, now), await sessions.start(account, now)]

  t.equal(await sessions.end(one, now), true)
  t.equal(await sessions.end(one, now), false)
  t.equal(await sessions.find(one, now), null)
  t.ok(await sessions.find(two, now))
})

t.test('a new password ends every session from before and none from after', async (t) => {
  const { sessions, accounts, account } = await open()
  const before = await sessions.start(account, now)

  const changed = await accounts.changePassword({ name, password: 'some other words entirely' }, now)

  t.equal(await sessions.find(before, now), null)
  t.equal(await sessions.find(await sessions.start(account, now), now), null)
  t.ok(changed !== null && await sessions.find(await sessions.start(changed, now), now))
})

t.test('a removed account has no session, also when the name is given again', async (t) => {
  const { sessions, accounts, account } = await open()
  const id = await sessions.start(account, now)

  await accounts.remove(name, now)
  t.equal(await sessions.find(id, now), null)
  await accounts.add({ name, password }, now)
  t.equal(await sessions.find(id, now), null)
})

t.test('the sessions of one subject are forgotten, those of another are not', async (t) => {
  const { records, sessions, accounts, account } = await open()
  const bob = await accounts.add({ name: 'bob', password }, now)
  const [hers, his] = [await sessions.start(account, now), await sessions.start(bob, now)]

  await forgetSessions({ records, tenant, subject: account.subject }, now)

  t.equal(await sessions.find(hers, now), null)
  t.ok(await sessions.find(his, now))
})
