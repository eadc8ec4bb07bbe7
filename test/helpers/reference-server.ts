import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { FormBrowser } from '../../examples/support/form-browser.js'

const MAIN = 'dist/examples/reference-server/main.js'
const ACCOUNT = 'dist/examples/reference-server/account.js'

export const user = { name: 'ada', password: 'correct horse battery staple' }

interface Teardown {
  teardown (close: () => unknown): void
}

/** The reference server as its operator runs it: a process of its own, compiled, on a free port. */
export interface ReferenceServer {
  readonly url: URL
  readonly origin: string
  readonly dataDirectory: string
  /** Everything that any of its processes printed. */
  output (): string
  addAccount (name?: string, password?: string): Promise<void>
  browser (): FormBrowser
  /** Ends the process; answers its exit code, `null` after a signal. */
  stop (signal: NodeJS.Signals): Promise<number | null>
  /** Starts it again on the same port and data. */
  start (): Promise<void>
}

const freePort = async (): Promise<number> => await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const address = probe.address()
    probe.close(() => { resolve(typeof address === 'object' && address !== null ? address.port : 0) })
  })
})

const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const exitOf = async (child: ChildProcess): Promise<number | null> => hasExited(child)
  ? child.exitCode
  : await new Promise((resolve) => { child.once('exit', (code) => { resolve(code) }) })

export async function startReferenceServer (t: Teardown, input: {
  readonly configuration?: Readonly<Record<string, unknown>>
  readonly account?: boolean
  readonly env?: Readonly<Record<string, string>>
} = {}): Promise<ReferenceServer> {
  if (!existsSync(MAIN)) throw new Error('the reference server is not built: npm run build')
  const dataDirectory = mkdtempSync(join(tmpdir(), 'mcp-reference-'))
  const port = await freePort()
  const configuration = join(dataDirectory, 'configuration.json')
  // Tests send hundreds of requests from one address.
  const plenty = { max: 100_000, window: 60 }
  writeFileSync(configuration, JSON.stringify({
    rateLimits: {
      general: plenty, sensitive: plenty, registration: plenty
    },
    ...input.configuration
  }))
  const env: NodeJS.ProcessEnv = {
    ...process.env, HOST: '127.0.0.1', PORT: String(port), DATA_DIR: join(dataDirectory, 'data'), LOG_LEVEL: 'info', ...input.env
  }
  delete env.ISSUER
  let printed = ''
  let child: ChildProcess | undefined

  async function start (): Promise<void> {
    const started = spawn(process.execPath, [MAIN, '--config', configuration], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    child = started
    started.stderr.setEncoding('utf8').on('data', (text: string) => { printed += text })
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: started.stdout }).on('line', (line) => {
        printed += `${line}\n`
        if (line.startsWith('listening on ')) resolve()
      })
      started.once('exit', (code) => { reject(new Error(`the server exited ${String(code)}: ${printed}`)) })
    })
  }

  async function stop (signal: NodeJS.Signals): Promise<number | null> {
    if (child === undefined) return null
    child.kill(signal)
    return await exitOf(child)
  }

  async function addAccount (name = user.name, password = user.password): Promise<void> {
    const command = spawn(process.execPath, [ACCOUNT, 'add', name], { env, stdio: ['pipe', 'pipe', 'pipe'] })
    command.stdout.setEncoding('utf8').on('data', (text: string) => { printed += text })
    command.stderr.setEncoding('utf8').on('data', (text: string) => { printed += text })
    command.stdin.end(`${password}\n`)
    const code = await exitOf(command)
    if (code !== 0) throw new Error(`account add exited ${String(code)}: ${printed}`)
  }

  t.teardown(async () => {
    await stop('SIGKILL')
    rmSync(dataDirectory, { recursive: true, force: true })
  })
  await start()
  if (input.account !== false) await addAccount()
  const origin = `http://127.0.0.1:${port}`
  return {
    url: new URL('/mcp', origin),
    origin,
    dataDirectory: join(dataDirectory, 'data'),
    output: () => printed,
    addAccount,
    browser: () => new FormBrowser(),
    stop,
    start
  }
}
