import t from 'tap'
import { createAccounts } from '../../lib/identity/accounts.js'
import { TooBusyError } from '../../lib/identity/bounded-work.js'
import { createPasswords } from '../../lib/identity/passwords.js'
import { createSetUp } from '../../lib/identity/set-up-link.js'
import { memoryStore } from '../../lib/stores/memory.js'

const tenant = 'default'
const issuer = 'https://mcp.example/t1'
const now = 1_700_000_000
const name = 'ada'
const password = 'a few unrelated words'

function open () {
  const records = memoryStore()
  const parameters = { cost: 2 ** 4, blockSize: 8, parallelization: 1 }
  const accounts = createAccounts({ records, tenant, passwords: createPasswords({ parameters }) })
  const setUp = createSetUp({ records, tenant, accounts, issuer })
  const offer = async (at = now) => new URL(await setUp.offer(at) ?? '').searchParams.get('token') ?? ''
  return { records, accounts, setUp, offer }
}

t.test('the link leads to the set-up page of the issuer with a token of 256 bits', async (t) => {
  const { setUp } = open()

  t.match(await setUp.offer(now), /^https:\/\/mcp\.example\/t1\/set-up\?token=[\w-]{43}$/)
})

t.test('the store does not hold the token', async (t) => {
  const { records, offer } = open()
  const token = await offer()

  const held = await records.list({ tenant, kind: 'set-up', limit: 10 }, now)

  t.equal(held.records.length, 1)
  t.notOk(JSON.stringify(held).includes(token))
})

t.test('the link makes the first account, once', async (t) => {
  const { setUp, accounts, offer } = open()
  const token = await offer()

  t.equal(await setUp.isOpen(token, now), true)
  t.match(await setUp.use({ token, name: 'Ada', password }, now), { name: 'ada' })
  t.equal(await setUp.isOpen(token, now), false)
  t.equal(await setUp.use({ token, name: 'eve', password }, now), null)
  t.same((await accounts.list(now)).map(({ name }) => name), ['ada'])
})

t.test('of ten who use the link at once one makes an account', async (t) => {
  const { setUp, accounts, offer } = open()
  const token = await offer()

  const made = await Promise.all(Array.from({ length: 10 }, (_, index) => setUp.use({ token, name: `user${index}`, password }, now)))

  t.equal(made.filter((account) => account !== null).length, 1)
  t.equal((await accounts.list(now)).length, 1)
})

t.test('the link is dead after an hour', async (t) => {
  const { setUp, offer } = open()
  const token = await offer()

  t.equal(await setUp.isOpen(token, now + 3599), true)
  t.equal(await setUp.isOpen(token, now + 3600), false)
  t.equal(await setUp.use({ token, name, password }, now + 3600), null)
})

t.test('there is no link once there is an account, and one from before does not work', async (t) => {
  const { setUp, accounts, offer } = open()
  const token = await offer()
  await accounts.add({ name, password }, now)

  t.equal(await setUp.offer(now), null)
  t.equal(await setUp.isOpen(token, now), false)
  t.equal(await setUp.use({ token, name: 'eve', password }, now), null)
})

t.test('a new link ends the one before it', async (t) => {
  const { setUp, offer } = open()
  const [before, after] = [await offer(), await offer()]

  t.equal(await setUp.isOpen(before, now), false)
  t.equal(await setUp.isOpen(after, now), true)
})

t.test('of instances that start at once at most one link works, and it was printed', async (t) => {
  const { setUp } = open()

  const links = await Promise.all([setUp.offer(now), setUp.offer(now), setUp.offer(now)])
  const works = await Promise.all(links.map(async (link) =>
    link !== null && await setUp.isOpen(new URL(link).searchParams.get('token') ?? '', now)))

  t.equal(works.filter(Boolean).length, 1)
})

for (const token of ['', 'wrong', 'a'.repeat(43), '__proto__']) {
  t.test(`the token "${token.slice(0, 9)}" opens nothing, with and without a link`, async (t) => {
    const { setUp, offer } = open()

    t.equal(await setUp.isOpen(token, now), false)
    await offer()
    t.equal(await setUp.isOpen(token, now), false)
    t.equal(await setUp.use({ token, name, password }, now), null)
  })
}

for (const [what, credentials] of Object.entries({ name: { name: '<>', password }, password: { name, password: 'short' } })) {
  t.test(`a ${what} that cannot be chosen leaves the link good`, async (t) => {
    const { setUp, offer } = open()
    const token = await offer()

    await t.rejects(setUp.use({ token, ...credentials }, now), { code: 'MCPS_ERR_ACCOUNT' })

    t.match(await setUp.use({ token, name, password }, now), { name })
  })
}

t.test('a machine that is too busy leaves the link good', async (t) => {
  const { records, accounts, setUp, offer } = open()
  const token = await offer()
  const busy = createSetUp({
    records, tenant, issuer, accounts: { ...accounts, async add () { throw new TooBusyError('busy') } }
  })

  await t.rejects(busy.use({ token, name, password }, now), { code: 'MCPS_ERR_TOO_BUSY' })

  t.equal(await setUp.isOpen(token, now), true)
})
