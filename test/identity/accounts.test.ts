import t from 'tap'
import { createAccounts } from '../../lib/identity/accounts.js'
import { createPasswords } from '../../lib/identity/passwords.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { RecordStore } from '../../types/stores.js'

const parameters = { cost: 2 ** 4, blockSize: 8, parallelization: 1 }
const password = 'a few unrelated words'
const other = 'some other words entirely'
const now = 1_700_000_000

function open (records: RecordStore = memoryStore(), passwords = createPasswords({ parameters })) {
  return { records, accounts: createAccounts({ records, tenant: 'default', passwords }) }
}

t.test('an account has a name, a subject that is not the name, and a time', async (t) => {
  const { accounts } = open()

  const account = await accounts.add({ name: 'Ada', password }, now)

  t.match(account, { name: 'ada', createdAt: now, generation: 1 })
  t.match(account.subject, /^[\w-]{22}$/)
  t.same(await accounts.find(' ADA ', now), account)
})

t.test('the store holds no password', async (t) => {
  const { records, accounts } = open()
  await accounts.add({ name: 'ada', password }, now)

  const held = await records.list({ tenant: 'default', kind: 'account', limit: 10 }, now)

  t.equal(held.records.length, 1)
  t.notMatch(JSON.stringify(held), password)
})

const REFUSED = {
  'a name that is none': { name: 'ada lovelace', password },
  'an empty name': { name: '', password },
  'a short password': { name: 'ada', password: 'short' },
  'a common password': { name: 'ada', password: 'password1234' }
}

for (const [what, credentials] of Object.entries(REFUSED)) {
  t.test(`no account is made with ${what}`, async (t) => {
    const { accounts } = open()

    await t.rejects(accounts.add(credentials, now), { name: 'AccountError', code: 'MCPS_ERR_ACCOUNT' })
    t.equal(await accounts.any(now), false)
  })
}

t.test('of ten who want a name at once one gets it, and nothing is overwritten', async (t) => {
  const { accounts } = open()

  const results = await Promise.allSettled(Array.from({ length: 10 }, (_, index) =>
    accounts.add({ name: 'ada', password: `${password} ${index}` }, now)))

  const made = results.filter((result) => result.status === 'fulfilled')
  t.equal(made.length, 1)
  t.same(await accounts.list(now), made.map(({ value }) => value))
  t.match(results.find(({ status }) => status === 'rejected'), { reason: { code: 'MCPS_ERR_ACCOUNT' } })
})

t.test('accounts are listed in the order of their names, over as many pages as there are', async (t) => {
  const { records, accounts } = open()
  t.same(await accounts.list(now), [])
  const body = JSON.stringify({ subject: 's', createdAt: now, generation: 1, hash: '' })
  for (let index = 0; index < 2001; index++) {
    const id = `user${String(index).padStart(5, '0')}`
    await records.add({ tenant: 'default', kind: 'account', id, expiresAt: null, index: {}, body }, now)
  }

  const names = (await accounts.list(now)).map(({ name }) => name)

  t.equal(names.length, 2001)
  t.same(names, [...names].sort())
})

t.test('accounts of another tenant are not ours', async (t) => {
  const { records, accounts } = open()
  const theirs = createAccounts({ records, tenant: 'other', passwords: createPasswords({ parameters }) })
  await theirs.add({ name: 'ada', password }, now)

  t.equal(await accounts.find('ada', now), null)
  t.equal(await accounts.any(now), false)
  t.equal(await theirs.any(now), true)
})

t.test('the right password is verified', async (t) => {
  const { accounts } = open()
  const account = await accounts.add({ name: 'ada', password }, now)

  t.same(await accounts.verify({ name: 'Ada', password }, now), { account, subject: account.subject, reason: 'right password' })
})

t.test('a wrong password is told from an unknown account inside only, and both cost one hash', async (t) => {
  const real = createPasswords({ parameters })
  const asked: Array<string | null> = []
  const { accounts } = open(memoryStore(), {
    ...real,
    async verify (given, kept) {
      asked.push(kept)
      return await real.verify(given, kept)
    }
  })
  const { subject } = await accounts.add({ name: 'ada', password }, now)

  t.same(await accounts.verify({ name: 'ada', password: other }, now), { account: null, subject, reason: 'wrong password' })
  t.same(await accounts.verify({ name: 'bob', password: other }, now), { account: null, subject: null, reason: 'unknown account' })
  t.same(await accounts.verify({ name: '<>', password: other }, now), { account: null, subject: null, reason: 'unknown account' })
  t.match(asked, [/^\$scrypt/, null, null])
  t.equal(asked.length, 3)
})

t.test('a password that was hashed with less work is hashed again when it is right, and sessions go on', async (t) => {
  const { records, accounts } = open()
  const account = await accounts.add({ name: 'ada', password }, now)
  const stronger = open(records, createPasswords({ parameters: { ...parameters, cost: 2 ** 5 } })).accounts

  t.match(await stronger.verify({ name: 'ada', password: other }, now), { account: null })
  t.match(await records.get({ tenant: 'default', kind: 'account', id: 'ada' }, now), { body: /ln=4/ })
  t.same((await stronger.verify({ name: 'ada', password }, now)).account, account)
  t.match(await records.get({ tenant: 'default', kind: 'account', id: 'ada' }, now), { body: /ln=5/ })
  t.same((await stronger.verify({ name: 'ada', password }, now)).account, account)
})

t.test('another password takes the place of the first and begins another generation', async (t) => {
  const { accounts } = open()
  const { subject } = await accounts.add({ name: 'ada', password }, now)

  t.match(await accounts.changePassword({ name: 'ADA', password: other }, now + 5), { name: 'ada', subject, generation: 2 })
  t.match(await accounts.verify({ name: 'ada', password }, now + 5), { account: null })
  t.match(await accounts.verify({ name: 'ada', password: other }, now + 5), { account: { subject, generation: 2 } })
})

t.test('two changes of a password at once both count', async (t) => {
  const { accounts } = open()
  await accounts.add({ name: 'ada', password }, now)

  await Promise.all([
    accounts.changePassword({ name: 'ada', password: other }, now),
    accounts.changePassword({ name: 'ada', password: `${other}!` }, now)
  ])

  t.match(await accounts.find('ada', now), { generation: 3 })
})

t.test('a change that comes second, by another process, is made on top of the first', async (t) => {
  const records = memoryStore()
  let interfere = async (): Promise<void> => {}
  const slow: RecordStore = {
    ...records,
    async get (key, at) {
      const held = await records.get(key, at)
      await interfere()
      return held
    }
  }
  const { accounts } = open(slow)
  await accounts.add({ name: 'ada', password }, now)
  interfere = async () => {
    interfere = async () => {}
    await open(records).accounts.changePassword({ name: 'ada', password }, now)
  }

  t.match(await accounts.changePassword({ name: 'ada', password: other }, now), { generation: 3 })
})

t.test('an account that does not exist gets no other password', async (t) => {
  const { accounts } = open()

  t.equal(await accounts.changePassword({ name: 'ada', password: other }, now), null)
  t.equal(await accounts.changePassword({ name: '<>', password: other }, now), null)
})

t.test('a password that cannot be chosen changes nothing', async (t) => {
  const { accounts } = open()
  await accounts.add({ name: 'ada', password }, now)

  await t.rejects(accounts.changePassword({ name: 'ada', password: 'short' }, now), { code: 'MCPS_ERR_ACCOUNT' })
  t.match(await accounts.verify({ name: 'ada', password }, now), { reason: 'right password' })
})

t.test('a removed account is gone, and its name begins again with another subject', async (t) => {
  const { accounts } = open()
  const account = await accounts.add({ name: 'ada', password }, now)

  t.same(await accounts.remove('Ada', now), account)
  t.equal(await accounts.remove('ada', now), null)
  t.equal(await accounts.remove('<>', now), null)
  t.equal(await accounts.find('ada', now), null)
  t.not((await accounts.add({ name: 'ada', password }, now)).subject, account.subject)
})
