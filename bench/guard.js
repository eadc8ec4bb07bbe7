import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { load, pinTo } from './guard/load.js'
import { MODES } from './guard/modes.js'
import { printMemory, printResults } from './guard/report.js'
import { assertAnswers, measureRounds } from './guard/rounds.js'
import { startServer } from './guard/server-process.js'

const HELP = `Requests per second of a guarded POST /mcp against the same route without a guard, and against what other libraries
make of it. Each server has a process of its own; every round measures all of them, one after the other, and the
ratios are medians of the ratios of each round. Next to them stands what a request costs the server's processor: that
changes less when other programs keep the machine busy.

npm run bench:guard -- [--modes bare,guarded,...] [--rounds 5] [--seconds 3] [--connections 32]
                       [--other FOLDER]   measures each mode of ours with a second build as well, and compares

modes, all of them by default:
${Object.entries(MODES).map(([name, { title }]) => `  ${name.padEnd(20)} ${title}`).join('\n')}
`

const OURS = ['guarded', 'guardedMany', 'forgetful', 'umbrella', 'limited', 'audited']

function toolCall (bytes) {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'search_notes', arguments: { query: '' } } }
  message.params.arguments.query = 'x'.repeat(bytes - JSON.stringify(message).length)
  return JSON.stringify(message)
}

function stop (message, code) {
  process.stdout.write(message)
  process.exit(code)
}

function readArguments () {
  const { values: { help, modes, other, ...given } } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      modes: { type: 'string', default: Object.keys(MODES).join(',') },
      other: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '32' }
    }
  })
  if (help) stop(HELP, 0)
  const settings = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, Number(text)]))
  const wrong = Object.entries(settings).find(([, value]) => !Number.isSafeInteger(value) || value < 1 || value > 1000)
  if (wrong !== undefined) stop(`--${wrong[0]} must be a whole number from 1 to 1000\n\n${HELP}`, 1)
  const names = modes.split(',')
  const unknown = names.find((name) => !Object.hasOwn(MODES, name))
  if (unknown !== undefined) stop(`--modes: there is no ${unknown}\n\n${HELP}`, 1)
  return { names, other, settings }
}

const { names, other, settings } = readArguments()
const alone = availableParallelism() > 1
const body = toolCall(300)
const root = mkdtempSync(join(tmpdir(), 'bench-guard-'))
const servers = new Map()
const entries = []

async function addEntry (name, mode, build) {
  const key = `${mode.server} of ${build}`
  const input = { name: mode.server, count: mode.count, pin: alone ? pinTo(0) : [], root, build }
  if (!servers.has(key)) servers.set(key, await startServer(input))
  entries.push({ name: build === 'dist' ? name : `${name} (other)`, mode, server: servers.get(key) })
}

async function memory () {
  const heaps = new Map()
  for (const server of servers.values()) heaps.set(server, (await server.used('memory')).heap)
  return heaps
}

try {
  for (const name of names) {
    await addEntry(name, MODES[name], 'dist')
    if (other !== undefined && OURS.includes(MODES[name].server)) await addEntry(name, MODES[name], other)
  }
  for (const entry of entries) await assertAnswers(entry, body)
  process.stderr.write(`load by ${load.name}, ${settings.connections} connections, body of ${body.length} bytes, Node ${process.version}\n`)
  const before = await memory()
  const results = await measureRounds(entries, { ...settings, body, pin: alone ? pinTo(1) : [] })
  printResults(entries, results)
  printMemory(entries, before, await memory())
} finally {
  for (const server of servers.values()) server.stop()
  rmSync(root, { recursive: true })
}
