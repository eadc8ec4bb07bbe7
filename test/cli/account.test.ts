import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import Database from 'libsql'
import t from 'tap'
import { runAccountCommand, type OpenStore } from '../../lib/cli/account.js'
import { createAccounts } from '../../lib/identity/accounts.js'
import { createPasswords } from '../../lib/identity/passwords.js'
import { createSessions } from '../../lib/identity/sessions.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { sqliteStore } from '../../lib/stores/sqlite.js'
import type { RecordStore } from '../../types/stores.js'
import { stoppedClock } from '../helpers/clock.js'

const clock = stoppedClock()
const PASSWORD = 'a few unrelated words'
const OTHER = 'some other words entirely'
const tenant = 'default'

function open (records: RecordStore = memoryStore()) {
  const accounts = createAccounts({ records, tenant, passwords: createPasswords() })
  let closed = 0
  const openStore: OpenStore = () => ({ records, clock, close: () => { closed += 1 } })

  async function run (argv: readonly string[], input = '') {
    const stdout = new PassThrough({ encoding: 'utf8' })
    const stderr = new PassThrough({ encoding: 'utf8' })
    const code = await runAccountCommand(argv, { stdin: Readable.from([input]), stdout, stderr }, openStore)
    return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
  }
  return { records, accounts, run, closed: () => closed }
}

t.test('an account is made with a password from standard input, which is not shown', async (t) => {
  const { run, accounts, closed } = open()

  const result = await run(['add', 'Ada'], `${PASSWORD}\n`)

  t.same(result, { code: 0, out: 'Made the account ada.\n', err: '' })
  t.match(await accounts.verify({ name: 'ada', password: PASSWORD }, clock()), { reason: 'right password' })
  t.equal(closed(), 1)
})

const MISUNDERSTOOD = {
  'no command': [],
  'an unknown command': ['destroy'],
  'a property of every object': ['constructor'],
  'add without a name': ['add'],
  'passwd without a name': ['passwd'],
  'remove without a name': ['remove'],
  'a password as an argument': ['add', 'ada', PASSWORD],
  'a name for list': ['list', 'ada'],
  'an unknown option': ['add', 'ada', '--password', PASSWORD],
  'a value for help': ['--help=yes']
}

for (const [what, argv] of Object.entries(MISUNDERSTOOD)) {
  t.test(`${what} is not understood: exit code 2, the usage on stderr, and no store is opened`, async (t) => {
    const { run, closed } = open()

    const { code, out, err } = await run(argv)

    t.equal(code, 2)
    t.equal(out, '')
    t.match(err, /^[A-Z].*\.\n\nUsage: account COMMAND/)
    t.notMatch(err, PASSWORD)
    t.equal(closed(), 0)
  })
}

for (const argv of [['--help'], ['-h'], ['add', '--help'], ['add', 'ada', '-h']]) {
  t.test(`${argv.join(' ')} shows the usage and does nothing`, async (t) => {
    const { run, closed } = open()

    const { code, out, err } = await run(argv)

    t.equal(code, 0)
    t.match(out, /^Usage: account COMMAND/)
    t.equal(err, '')
    t.equal(closed(), 0)
  })
}

const REFUSED = {
  'a name with an escape character': [['add', '\u001b[31mada'], PASSWORD, /account name has/],
  'a name with a line break': [['add', 'ada\n'], PASSWORD, /account name has/],
  'an empty name': [['add', ''], PASSWORD, /account name has/],
  'a short password': [['add', 'ada'], 'short', /at least 12 characters/],
  'a common password': [['add', 'ada'], 'password1234', /guess/],
  'no password': [['add', 'ada'], '', /No password/],
  'another password for nobody': [['passwd', 'bob'], PASSWORD, /no account with that name/],
  'removing nobody': [['remove', 'bob'], '', /no account with that name/],
  'removing what is no name': [['remove', '<>'], '', /no account with that name/]
} as const

for (const [what, [argv, input, message]] of Object.entries(REFUSED)) {
  t.test(`${what} is refused with a sentence and exit code 1`, async (t) => {
    const { run, accounts, closed } = open()

    const { code, out, err } = await run(argv, input)

    t.equal(code, 1)
    t.equal(out, '')
    t.match(err, message)
    t.notOk(err.includes('\u001b') || /at .*\.ts/.test(err))
    t.equal(await accounts.any(clock()), false)
    t.equal(closed(), 1)
  })
}

t.test('a name that is taken is refused before a password is read, and nothing is overwritten', async (t) => {
  const { run, accounts } = open()
  await run(['add', 'ada'], PASSWORD)

  const { code, err } = await run(['add', 'ADA'], '')

  t.equal(code, 1)
  t.match(err, /with that name already/)
  t.match(await accounts.verify({ name: 'ada', password: PASSWORD }, clock()), { reason: 'right password' })
})

t.test('accounts are listed with the day they were made', async (t) => {
  const { run } = open()
  t.same(await run(['list']), { code: 0, out: 'There are no accounts yet.\n', err: '' })
  await run(['add', 'grace'], PASSWORD)
  await run(['add', 'ada'], PASSWORD)

  const { out } = await run(['list'])

  t.equal(out, 'ada    since 2023-11-14\ngrace  since 2023-11-14\n')
})

t.test('another password ends the sessions and leaves applications their access', async (t) => {
  const { run, accounts, records } = open()
  await run(['add', 'ada'], PASSWORD)
  const account = await accounts.find('ada', clock())
  const sessions = createSessions({ records, tenant, accounts, idle: 600, absolute: 600 })
  const id = account === null ? '' : await sessions.start(account, clock())
  t.ok(await sessions.find(id, clock()))

  const { code, out } = await run(['passwd', 'Ada'], OTHER)

  t.equal(code, 0)
  t.match(out, /Changed the password of ada/)
  t.equal(await sessions.find(id, clock()), null)
  t.match(await accounts.verify({ name: 'ada', password: OTHER }, clock()), { reason: 'right password' })
})

t.test('a removed account leaves neither sessions nor grants, and those of others stay', async (t) => {
  const { run, accounts, records } = open()
  await run(['add', 'ada'], PASSWORD)
  await run(['add', 'bob'], PASSWORD)
  const ended: string[] = []
  await records.subscribe({ tenant, channel: 'grant-revoked', listener: (text) => { ended.push(text) } })
  const sessions = createSessions({ records, tenant, accounts, idle: 600, absolute: 600 })
  for (const account of await accounts.list(clock())) {
    await sessions.start(account, clock())
    const id = account.name.repeat(8).slice(0, 22)
    const index = { subject: account.subject, clientId: 'c' }
    await records.add({ tenant, kind: 'grant', id, expiresAt: null, index, body: '{}' }, clock())
  }

  const { code, out } = await run(['remove', 'ada'])

  t.equal(code, 0)
  t.equal(out, 'Removed the account ada. Access of applications ended: 1.\n')
  t.same((await accounts.list(clock())).map(({ name }) => name), ['bob'])
  for (const kind of ['session', 'grant']) {
    t.equal((await records.list({ tenant, kind, limit: 10 }, clock())).records.length, 1, kind)
  }
  t.same(ended, ['adaadaadaadaadaadaadaa'])
})

for (const command of ['passwd', 'remove']) {
  t.test(`${command} of an account that somebody else removes meanwhile says that there is none`, async (t) => {
    const records = memoryStore()
    const { run, accounts } = open(records)
    await run(['add', 'ada'], PASSWORD)
    const account = await accounts.find('ada', clock())
    const held = { tenant, kind: 'account', id: 'ada' }
    let asked = 0
    const racing: RecordStore = {
      ...records,
      async get (key, now) {
        const found = await records.get(key, now)
        if (asked++ === 0) await records.remove(held, now)
        return found
      }
    }

    const { code, err } = await open(racing).run([command, 'ada'], OTHER)

    t.ok(account)
    t.equal(code, 1)
    t.match(err, /no account with that name/)
  })
}

t.test('a store that cannot be opened is told in a sentence', async (t) => {
  const stderr = new PassThrough({ encoding: 'utf8' })
  const terminal = { stdin: Readable.from([]), stdout: new PassThrough(), stderr }

  const code = await runAccountCommand(['list'], terminal, () => { throw new StoreUnavailableError('the disk is full') })

  t.equal(code, 1)
  t.equal(stderr.read(), 'the disk is full\n')
})

t.test('whatever is thrown ends in a sentence', async (t) => {
  const stderr = new PassThrough({ encoding: 'utf8' })
  const terminal = { stdin: Readable.from([]), stdout: new PassThrough(), stderr }

  // What a careless driver rejects with.
  const fail: OpenStore = async () => await new Promise((_resolve, reject) => { Reflect.apply(reject, null, ['no store']) })

  t.equal(await runAccountCommand(['list'], terminal, fail), 1)
  t.equal(stderr.read(), 'no store\n')
})

t.test('the store is closed, too, when the command fails', async (t) => {
  const { records } = open()
  let closed = false
  const openStore: OpenStore = async () => ({ records, tenant: 'other', close: async () => { closed = true } })
  const terminal = { stdin: Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough() }

  t.equal(await runAccountCommand(['remove', 'ada'], terminal, openStore), 1)
  t.equal(closed, true)
})

t.test('it works before the first start of the server, and beside it on one SQLite file', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'account-'))
  t.teardown(() => { rmSync(directory, { recursive: true }) })
  const file = join(directory, 'accounts.db')
  const openFile = () => {
    const handle = new Database(file)
    return { records: sqliteStore(handle), close: () => { handle.close() } }
  }
  const run = async (argv: readonly string[]) => {
    const terminal = { stdin: Readable.from([PASSWORD]), stdout: new PassThrough(), stderr: new PassThrough() }
    return await runAccountCommand(argv, terminal, openFile)
  }

  t.equal(await run(['add', 'ada']), 0)
  const server = openFile()
  const accounts = createAccounts({ records: server.records, tenant, passwords: createPasswords() })
  t.match(await accounts.find('ada', clock()), { name: 'ada' })
  t.equal(await run(['add', 'bob']), 0)
  t.equal(await run(['remove', 'ada']), 0)
  t.same((await accounts.list(clock())).map(({ name }) => name), ['bob'])
  server.close()
})
