import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { pinTo } from './guard/load.js'
import { startServer } from './guard/server-process.js'
import { measure } from './token/load.js'
import { MODES, TARGETS } from './token/modes.js'
import { printRates } from './token/report.js'

const HELP = `Exchanges, refreshes, registrations and documents per second, against other libraries and against the least that a
server can do. Each server has a process of its own; every round measures all of them, one after the other, and the
ratios are medians of the ratios of each round. Needs wrk.

npm run bench:token -- [--modes floor,exchange,...] [--rounds 5] [--seconds 2] [--connections 32] [--codes 60000]

modes, all of them by default:
${Object.entries(MODES).map(([name, { title }]) => `  ${name.padEnd(24)} ${title}`).join('\n')}
`
// Of what was sent when the time was over nobody has counted how much.
const MARGIN = 10
const SCRIPT = new URL('./token/servers.js', import.meta.url)

function stop (message, code) {
  process[code === 0 ? 'stdout' : 'stderr'].write(message)
  process.exit(code)
}

function readArguments () {
  const { values: { help, modes, ...given } } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      modes: { type: 'string', default: Object.keys(MODES).join(',') },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      connections: { type: 'string', default: '32' },
      codes: { type: 'string', default: '60000' }
    }
  })
  if (help) stop(HELP, 0)
  const settings = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, Number(text)]))
  const isWrong = (value) => !Number.isSafeInteger(value) || value < 1 || value > 1_000_000
  const wrong = Object.entries(settings).find(([, value]) => isWrong(value))
  if (wrong !== undefined) stop(`--${wrong[0]} must be a whole number from 1 to 1000000\n\n${HELP}`, 1)
  const names = modes.split(',')
  const unknown = names.find((name) => !Object.hasOwn(MODES, name))
  if (unknown !== undefined) stop(`--modes: there is no ${unknown}\n\n${HELP}`, 1)
  return { names, settings }
}

function assertWrk () {
  try {
    execFileSync('which', ['wrk'])
  } catch {
    stop('wrk is not installed: it makes the load. Debian has it as wrk.\n', 1)
  }
}

const { names, settings } = readArguments()
assertWrk()
const alone = availableParallelism() > 1
const root = mkdtempSync(join(tmpdir(), 'bench-token-'))
const servers = new Map()
// How many of its codes each server has been asked for.
const used = new Map()

async function serverOf ({ server: name }) {
  if (!servers.has(name)) {
    const input = { script: SCRIPT, name, count: settings.codes, pin: alone ? pinTo(0) : [], root, build: 'dist' }
    servers.set(name, await startServer(input))
    used.set(name, 0)
  }
  return servers.get(name)
}

function takeForms ({ server: name }, { folder }, count) {
  const start = used.get(name)
  used.set(name, start + count)
  return readFileSync(join(folder, 'exchanges'), 'utf8').split('\n').slice(start, start + count)
}

/** New families for a round of refreshes: of the last round wrk keeps what is under way. */
async function freshTokens (mode, server, url, count) {
  const tokens = []
  for (const body of takeForms(mode, server, count)) {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await fetch(url, { method: 'POST', headers, body })
    if (!answer.ok) throw new Error(`${mode.title}: ${answer.status} ${await answer.text()}`)
    tokens.push((await answer.json()).refresh_token)
  }
  return tokens
}

async function inputOf (mode, server, url) {
  const { folder, port } = server
  if (mode.work !== 'refresh') return { folder, start: used.get(mode.server) }
  const tokens = await freshTokens(mode, server, url, 2 * settings.connections)
  return { folder, tokens, resource: `http://127.0.0.1:${port}/mcp` }
}

async function measureOnce (name, seconds) {
  const mode = MODES[name]
  const server = await serverOf(mode)
  const path = mode.path ?? (mode.work === 'register' ? server.register : server.token)
  const url = `http://127.0.0.1:${server.port}${path}`
  const input = await inputOf(mode, server, url)
  const before = await server.used()
  const { connections } = settings
  const result = await measure({ url, work: mode.work, input, seconds, connections, pin: alone ? pinTo(1) : [] })
  const after = await server.used()
  if (mode.work === 'exchange') used.set(mode.server, input.start + result.count + MARGIN * connections)
  if (result.refused > 0) throw new Error(`${name}: ${result.refused} of ${result.count} were refused; out of codes? --codes`)
  return { rate: result.rate, cost: (after.processorTime - before.processorTime) / result.count }
}

try {
  const results = new Map(names.map((name) => [name, []]))
  for (let round = 0; round <= settings.rounds; round += 1) {
    for (const name of names) {
      const { rate, cost } = await measureOnce(name, settings.seconds)
      const title = round === 0 ? 'warm-up' : `round ${round}/${settings.rounds}`
      process.stderr.write(`${title.padEnd(12)} ${name.padEnd(24)} ${rate.toFixed(0).padStart(7)}/s ${cost.toFixed(1).padStart(7)} us\n`)
      if (round > 0) results.get(name).push({ rate, cost })
    }
  }
  printRates(results, { modes: MODES, targets: TARGETS })
} finally {
  for (const server of servers.values()) server.stop()
  rmSync(root, { recursive: true })
}
