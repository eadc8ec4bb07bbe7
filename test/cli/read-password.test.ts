import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { readPassword, type Terminal } from '../../lib/cli/read-password.js'

function terminalOf (stdin: Terminal['stdin']) {
  const stderr = new PassThrough({ encoding: 'utf8' })
  const stdout = new PassThrough({ encoding: 'utf8' })
  return { terminal: { stdin, stdout, stderr }, shown: () => `${String(stdout.read() ?? '')}${String(stderr.read() ?? '')}` }
}

/** A person at a keyboard. */
function keyboard (...keys: readonly string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  for (const key of keys) stdin.write(key)
  return stdin
}

const LINES = {
  'a line': [['a few unrelated words\n'], 'a few unrelated words'],
  'a line as Windows ends it': [['a few unrelated words\r\n'], 'a few unrelated words'],
  'a line without an end': [['a few unrelated words'], 'a few unrelated words'],
  'the first of several lines': [['first line\nsecond line\n'], 'first line'],
  'a line in pieces, a character cut in two': [[Buffer.from([0x72, 0xc3]), Buffer.from([0xa9, 0x0a])], 'ré'],
  'spaces around a password': [['  spaces  \n'], '  spaces  ']
} as const

for (const [what, [chunks, password]] of Object.entries(LINES)) {
  t.test(`${what} is read from standard input as it is`, async (t) => {
    const { terminal, shown } = terminalOf(Readable.from(chunks))

    t.equal(await readPassword(terminal), password)
    t.equal(shown(), '')
  })
}

const UNREADABLE = {
  nothing: [[], /No password/],
  'an empty line': [['\n'], /No password/],
  'bytes that are not UTF-8': [[Buffer.from([0xff, 0x0a])], /UTF-8/],
  'a line that never ends': [Array.from({ length: 100 }, () => 'a'.repeat(1000)), /more than 4096 bytes/],
  'a line that is far too long': [[`${'a'.repeat(5000)}\n`], /more than 4096 bytes/]
} as const

for (const [what, [chunks, message]] of Object.entries(UNREADABLE)) {
  t.test(`${what} is no password`, async (t) => {
    const { terminal } = terminalOf(Readable.from(chunks, { objectMode: true }))

    await t.rejects(readPassword(terminal), { name: 'PasswordError', message })
  })
}

t.test('a person types the password twice and never sees it', async (t) => {
  const { terminal, shown } = terminalOf(keyboard('a few unrelated words\r', 'a few unrelated words\r'))

  t.equal(await readPassword(terminal), 'a few unrelated words')
  t.equal(shown(), 'Password: \nPassword again: \n')
})

t.test('two lines that are pasted at once are two lines', async (t) => {
  const { terminal } = terminalOf(keyboard('pasted words\rpasted words\r'))

  t.equal(await readPassword(terminal), 'pasted words')
})

t.test('a slip of the finger can be taken back', async (t) => {
  const { terminal } = terminalOf(keyboard('words\x7f\x7fds\r', 'words\r'))

  t.equal(await readPassword(terminal), 'words')
})

t.test('two different passwords are none', async (t) => {
  const { terminal } = terminalOf(keyboard('one\r', 'two\r'))

  await t.rejects(readPassword(terminal), { name: 'PasswordError', message: /not the same/ })
})

t.test('an empty password is none', async (t) => {
  const { terminal } = terminalOf(keyboard('\r', '\r'))

  await t.rejects(readPassword(terminal), { name: 'PasswordError', message: /No password/ })
})

for (const [what, key] of Object.entries({ 'Ctrl-C': '\x03', 'Ctrl-D': '\x04' })) {
  t.test(`${what} ends it without a change`, async (t) => {
    const { terminal } = terminalOf(keyboard('half a pass', ...(what === 'Ctrl-D' ? ['\r'] : []), key))

    await t.rejects(readPassword(terminal), { name: 'PasswordError', message: 'Nothing was changed.' })
  })
}
