import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import Database from 'libsql'
import t from 'tap'
import { startReferenceServer } from '../helpers/reference-server.js'

// What goes wrong around the server (TR-13, AS-G1, mistake 25): its data, its environment, its end.

const MAIN = 'dist/examples/reference-server/main.js'
const ACCOUNT = 'dist/examples/reference-server/account.js'

type Environment = Readonly<Record<string, string>>

/** Runs a program to its end, or until it listens and is told to stop. */
async function run (program: string, environment: Environment, args: readonly string[] = []) {
  const env: NodeJS.ProcessEnv = { ...process.env, PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'error', ...environment }
  if (environment['ISSUER'] === undefined) delete env['ISSUER']
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end('correct horse battery staple\n')
  let output = ''
  child.stderr.on('data', (text) => { output += String(text) })
  child.stdout.on('data', (text) => {
    output += String(text)
    if (output.includes('listening on ')) child.kill('SIGTERM')
  })
  const [code] = await once(child, 'close')
  return { code: Number(code), output }
}

const root = mkdtempSync(join(tmpdir(), 'mcp-operating-'))
t.teardown(() => { rmSync(root, { recursive: true, force: true }) })
let number = 0
function directory (files: Readonly<Record<string, string>> = {}): string {
  const path = join(root, String(number++))
  mkdirSync(path, { mode: 0o755 })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}
const configuration = (text: string): string[] => ['--config', join(directory({ 'c.json': text }), 'c.json')]

const REFUSED = {
  'a port that is none': [{ PORT: '65536' }, [], 2, /^PORT must be a whole number from 0 to 65535\n$/],
  'an issuer with a slash at its end': [{ ISSUER: 'https://h.example/' }, [], 1, /issuer must not end with a slash\n$/],
  'every address without an issuer': [{ HOST: '0.0.0.0' }, [], 1, /issuer must be https/],
  'a proxy that is no address': [{ TRUST_PROXY: '10.0.0.1, nobody' }, [], 2, /^TRUST_PROXY must be the addresses/],
  'a member that is none': [{}, configuration('{"lifetimes":{"code":60,"x":1}}'), 1, /^lifetimes\.x is not an option\n$/],
  'a file for a directory': [{ DATA_DIR: join(directory({ f: '' }), 'f') }, [], 2, /^DATA_DIR .* cannot be made/],
  'a database that is none': [
    { DATA_DIR: directory({ 'reference.db': 'x'.repeat(9999) }) }, [], 2, /reference\.db cannot be used: file is not a database\n$/],
  'a damaged secret': [{ DATA_DIR: directory({ 'secret.key': 'abc' }) }, [], 2, /secret\.key is damaged/]
} as const

for (const [what, [environment, args, code, message]] of Object.entries(REFUSED)) {
  t.test(`${what} stops the start with a sentence`, async (t) => {
    const ended = await run(MAIN, { DATA_DIR: directory(), ...environment }, args)

    t.equal(ended.code, code)
    t.match(ended.output, message)
    t.notMatch(ended.output, /\n +at /, 'no stack')
  })
}

t.test('two first starts and two accounts at once end with one key, and what they made is nobody else\'s to read', async (t) => {
  const DATA_DIR = directory()

  const ended = await Promise.all([
    ...Array.from({ length: 2 }, async () => await run(MAIN, { DATA_DIR })),
    run(ACCOUNT, { DATA_DIR }, ['add', 'ada']), run(ACCOUNT, { DATA_DIR }, ['add', 'bob'])
  ])

  t.same(ended.map(({ code }) => code), [0, 0, 0, 0], ended.map(({ output }) => output).join('\n'))
  t.equal((await run(MAIN, { DATA_DIR })).code, 0)
  for (const file of readdirSync(DATA_DIR)) t.equal(statSync(join(DATA_DIR, file)).mode & 0o077, 0, file)
})

t.test('a lost secret stops the start, a secret of the configuration takes its place', async (t) => {
  const DATA_DIR = directory()
  const args = configuration('{"secrets":["0123456789abcdef0123456789abcdef"]}')
  t.match(await run(MAIN, { DATA_DIR }, args), { code: 0, output: /sealed under the secrets of the configuration/ })
  t.notOk(readdirSync(DATA_DIR).includes('secret.key'), 'no secret that seals nothing')

  t.match(await run(MAIN, { DATA_DIR }), { code: 1, output: /none of them opens the signing keys/ })
  t.match(await run(MAIN, { DATA_DIR }, args), { code: 0 })
})

t.test('an issuer with a path is served under that path', async (t) => {
  t.match(await run(MAIN, { DATA_DIR: directory(), ISSUER: 'https://h.example/t1' }), { code: 0, output: /h\.example\/t1\/mcp/ })
})

t.test('npm hands the signal on to the server, which ends in order', { timeout: 60_000 }, async (t) => {
  const env = { ...process.env, PORT: '0', HOST: '127.0.0.1', DATA_DIR: directory(), LOG_LEVEL: 'error' }
  const npm = spawn('npm', ['start'], { env, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  t.teardown(() => { try { process.kill(-Number(npm.pid), 'SIGKILL') } catch {} })
  let output = ''
  npm.stdout.on('data', (text) => {
    if (!output.includes('listening on ') && `${output}${String(text)}`.includes('listening on ')) npm.kill('SIGTERM')
    output += String(text)
  })

  t.same(await once(npm, 'close'), [0, null])
  t.match(output, /stopping \.\.\.\nstopped\n/)
})

t.test('the running server', async (t) => {
  const server = await startReferenceServer(t)
  const port = Number(server.url.port)
  const head = (more: string) => `POST /token HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${more}`
  const form = (length: number) => `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${length}\r\n\r\n`

  function open (text: string): { write (more: string): void, answer (): string } {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('error', () => {}).on('data', (data) => { answer += String(data) })
    socket.write(text)
    return { write: (more) => { socket.write(more) }, answer: () => answer }
  }

  await t.test('another one on its port says so, and this one goes on', async (t) => {
    const second = await run(MAIN, { DATA_DIR: server.dataDirectory, PORT: String(port) })

    t.match(second, { code: 1, output: /EADDRINUSE/ })
    t.equal((await fetch(`${server.origin}/healthz`)).status, 200)
  })

  await t.test('an address that is nothing does not say what was in it', async (t) => {
    const answer = await fetch(`${server.origin}/callback?code=sentinel-code`)

    t.equal(answer.status, 404)
    t.notMatch(await answer.text(), 'sentinel')
    t.notMatch(server.output(), 'sentinel')
  })

  await t.test('a locked database is 503 for all who wait, while everybody else is answered', async (t) => {
    const other = new Database(join(server.dataDirectory, 'reference.db'))
    other.exec('begin immediate')
    const body = JSON.stringify({ redirect_uris: ['https://c.example/cb'], token_endpoint_auth_method: 'none' })
    const register = async () => await fetch(`${server.origin}/register`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body
    })
    const waiting = Promise.all(Array.from({ length: 50 }, register))

    for (let others = 0; others < 20; others++) {
      const first = await Promise.race([waiting, fetch(`${server.origin}/.well-known/jwks.json`)])
      t.match(first, { status: 200 }, 'answered before those that wait')
    }
    for (const answer of await waiting) {
      t.match({ status: answer.status, retry: answer.headers.get('retry-after'), body: await answer.json() },
        { status: 503, retry: /^\d+$/, body: { error: 'temporarily_unavailable' } })
    }
    other.exec('rollback')
    other.close()
    t.equal((await register()).status, 201)
  })

  await t.test('its end lets requests finish, however often it is asked for, and waits for no idle connection', async (t) => {
    const begun = open(head(form(3) + 'a'))
    const late = open(head(''))
    await fetch(`${server.origin}/healthz`)
    const ended = server.stop('SIGTERM')
    await wait(50)
    server.stop('SIGTERM').catch(() => {})
    await wait(50)
    begun.write('=1')
    late.write(form(3) + 'a=1')

    t.equal(await ended, 0)
    for (const { answer } of [begun, late]) t.match(answer(), /^HTTP\/1\.1 40[01] [^]*\r\n\r\n\{"error":"/)
    t.match(server.output(), /stopped/)
  })
})
