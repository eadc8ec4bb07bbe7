import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { load, pinTo } from './guard/load.js'

const HELP = `Requests per second of a guarded POST /mcp, against the same route without a guard and against the MCP SDK's
Express middleware. Each server has a process of its own; every round measures all of them, one after the other,
and the ratios are medians of the ratios of each round. Next to them stands what a request costs the server's
processor: that changes little when other programs keep the machine busy.

npm run bench:guard -- [--rounds 5] [--seconds 4] [--connections 32]
`

const MODES = {
  bare: 'Fastify, the bare route',
  guarded: 'Fastify, the route behind scopeGuard, token remembered',
  'express-memory': 'SDK requireBearerAuth on Express, tokens in a Map',
  'express-jose': 'SDK requireBearerAuth on Express, ES256 by jose'
}
const TARGETS = [['guarded', 'bare', 0.9], ['guarded', 'express-memory', 4], ['guarded', 'express-jose', 4]]

function toolCall (bytes) {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'search_notes', arguments: { query: '' } } }
  message.params.arguments.query = 'x'.repeat(bytes - JSON.stringify(message).length)
  return JSON.stringify(message)
}

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

async function start (mode, pin) {
  const script = fileURLToPath(new URL('./guard/servers.js', import.meta.url))
  const [program, ...args] = [...pin, process.execPath, script, mode]
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NODE_ENV: 'production' } })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const read = async () => {
    const { done, value } = await lines.next()
    if (done) throw new Error(`the server of ${mode} has ended`)
    return JSON.parse(value)
  }
  const { port, token } = await read()
  return {
    mode,
    url: `http://127.0.0.1:${port}/mcp`,
    token,
    stop: () => { child.stdin.end() },
    /** Microseconds since the server began. */
    async processorTime () {
      child.stdin.write('\n')
      const { user, system } = await read()
      return user + system
    }
  }
}

/** A guard that lets everybody in would be fast. */
async function assertGuards ({ mode, url, token }, body) {
  const statusOf = async (authorization) => {
    const headers = { 'content-type': 'application/json', ...(authorization === null ? {} : { authorization }) }
    return (await fetch(url, { method: 'POST', headers, body })).status
  }
  const refused = mode === 'bare' ? 200 : 401
  const seen = [await statusOf(`Bearer ${token}`), await statusOf(null), await statusOf(`Bearer ${token.slice(0, -2)}`)]
  if (String(seen) !== String([200, refused, refused])) throw new Error(`${mode} answers ${seen} to a good, no and a bad token`)
}

async function measure (server, settings) {
  const { url, token, processorTime } = server
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const before = await processorTime()
  const { rate, count } = await load.measure({ url, headers, ...settings })
  return { rate, cost: (await processorTime() - before) / count }
}

async function measureRounds (servers, { rounds, seconds, ...settings }) {
  const results = new Map(servers.map(({ mode }) => [mode, []]))
  for (let round = 0; round <= rounds; round += 1) {
    for (const server of servers) {
      const result = await measure(server, { ...settings, seconds: round === 0 ? 2 : seconds })
      const title = round === 0 ? 'warm-up' : `round ${round}/${rounds}`
      process.stderr.write(`${title.padEnd(12)} ${server.mode.padEnd(16)} ${column(result.rate, 7)}/s ${column(result.cost, 6, 1)} us\n`)
      if (round > 0) results.get(server.mode).push(result)
    }
  }
  return results
}

const column = (number, width, digits = 0) => number.toFixed(digits).padStart(width)

function print (results) {
  const medianOf = (mode, name) => median(results.get(mode).map((result) => result[name]))
  const ratio = (a, b) => median(results.get(a).map(({ rate }, round) => rate / results.get(b)[round].rate))
  const byCost = (a, b) => median(results.get(a).map(({ cost }, round) => results.get(b)[round].cost / cost))

  process.stdout.write('\nrequests/s   x bare   us of CPU a request\n')
  for (const [mode, title] of Object.entries(MODES)) {
    const numbers = [column(medianOf(mode, 'rate'), 10), column(ratio(mode, 'bare'), 8, 2), column(medianOf(mode, 'cost'), 8, 1)]
    process.stdout.write(`${numbers.join(' ')}   ${title}\n`)
  }
  process.stdout.write('\n')
  for (const [mode, peer, target] of TARGETS) {
    const found = ratio(mode, peer)
    process.stdout.write(`${mode} / ${peer}: ${found.toFixed(2)}, target ${target.toFixed(2)} ${found >= target ? 'reached' : 'MISSED'}` +
      ` (${byCost(mode, peer).toFixed(2)} by processor time)\n`)
  }
}

const { values: { help, ...given } } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '32' }
  }
})
const settings = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, Number(text)]))
const wrong = Object.entries(settings).find(([, value]) => !Number.isSafeInteger(value) || value < 1 || value > 1000)

if (help || wrong !== undefined) {
  process.stdout.write(wrong === undefined ? HELP : `--${wrong[0]} must be a whole number from 1 to 1000\n\n${HELP}`)
  process.exit(help ? 0 : 1)
}

const alone = availableParallelism() > 1
const body = toolCall(300)
const servers = []
try {
  for (const mode of Object.keys(MODES)) servers.push(await start(mode, alone ? pinTo(0) : []))
  for (const server of servers) await assertGuards(server, body)
  // The bare route reads headers of the same length.
  servers[0].token = servers[1].token
  process.stderr.write(`load by ${load.name}, ${settings.connections} connections, body of ${body.length} bytes, Node ${process.version}\n`)
  print(await measureRounds(servers, { ...settings, body, pin: alone ? pinTo(1) : [] }))
} finally {
  for (const server of servers) server.stop()
}
