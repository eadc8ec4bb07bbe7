import { createInterface } from 'node:readline'
import { Writable, type Readable } from 'node:stream'

/** What a command talks through; `process` is one. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable
  readonly stderr: Writable
}

/** What the person did wrong, or wanted no longer. The message is for them. */
export class PasswordError extends Error {
  override readonly name = 'PasswordError'
}

/** In bytes; far above what a password can have. */
const MAX_LINE = 4096
const LINE_FEED = 0x0a

/**
 * Reads a password: from a person twice, without showing it, or the first line of standard input. Never from the
 * arguments, which every process on the machine can see.
 * @throws {PasswordError}
 */
export async function readPassword (terminal: Terminal): Promise<string> {
  const password = terminal.stdin.isTTY === true ? await ask(terminal) : await readLine(terminal.stdin)
  if (password === '') throw new PasswordError('No password was given: type it, or send it as one line to standard input.')
  return password
}

async function ask ({ stdin, stderr }: Terminal): Promise<string> {
  const nowhere = new Writable({ write (_chunk, _encoding, done) { done() } })
  const typed = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
  typed.on('SIGINT', () => { typed.close() })
  // What was pasted as two lines is read as two lines.
  const lines = typed[Symbol.asyncIterator]()

  async function line (prompt: string): Promise<string> {
    stderr.write(prompt)
    const { done, value } = await lines.next()
    stderr.write('\n')
    if (done === true) throw new PasswordError('Nothing was changed.')
    return value
  }

  try {
    const password = await line('Password: ')
    if (await line('Password again: ') !== password) throw new PasswordError('The two passwords are not the same.')
    return password
  } finally {
    typed.close()
  }
}

async function readLine (stdin: Readable): Promise<string> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of stdin) {
    bytes = Buffer.concat([bytes, Buffer.from(chunk)])
    if (bytes.includes(LINE_FEED) || bytes.length > MAX_LINE) break
  }
  const end = bytes.indexOf(LINE_FEED)
  return decode(end === -1 ? bytes : bytes.subarray(0, end)).replace(/\r$/, '')
}

function decode (bytes: Buffer): string {
  if (bytes.length > MAX_LINE) throw new PasswordError(`The password has more than ${MAX_LINE} bytes.`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new PasswordError('The password is not UTF-8 text.')
  }
}
