// One server a process: `node bench/guard/servers.js NAME COUNT FOLDER` says on standard output, as one line of JSON,
// where it listens and where its tokens stand; for each line on standard input one with what it has used so far; and
// ends with that.
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { forgeTokens, writeTokens } from './tokens.js'

const { verify } = crypto
let signatureChecks = 0
crypto.verify = (...args) => {
  signatureChecks += 1
  return verify(...args)
}
syncBuiltinESMExports()

const SERVERS = { ...await import('./apps.js'), ...await import('./peers.js') }
const say = (message) => { process.stdout.write(`${JSON.stringify(message)}\n`) }

async function start (name, count, folder) {
  const { port, tokens } = await SERVERS[name]({ count: Number(count), folder })
  writeTokens(join(folder, 'good'), tokens)
  writeTokens(join(folder, 'forged'), forgeTokens(tokens))
  say({ port, token: tokens[0] })
}
await start(...process.argv.slice(2))

/** Of processor time, microseconds; of memory, bytes after a collection. */
const lines = createInterface(process.stdin)
lines.on('line', (line) => {
  const { user, system } = process.cpuUsage()
  if (line === 'memory') globalThis.gc()
  say({ processorTime: user + system, signatureChecks, heap: process.memoryUsage().heapUsed })
})
lines.once('close', () => { process.exit(0) })
