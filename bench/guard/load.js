import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const has = (program) => spawnSync('which', [program]).status === 0

function assertAnswered (failed) {
  if (failed > 0) throw new Error(`${failed} requests were not answered 200: what was measured is not the guarded route`)
}

/** wrk costs a tenth of what the servers cost, so it does not stand in their way. */
async function byWrk ({ url, headers, body, seconds, connections, pin }) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-guard-'))
  const script = join(folder, 'request.lua')
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
  writeFileSync(script, ['wrk.method = "POST"', `wrk.body = ${JSON.stringify(body)}`, ...lines].join('\n'))
  try {
    const wrk = ['wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', script, url]
    const [program, ...args] = [...pin, ...wrk]
    const { stdout } = await run(program, args)
    assertAnswered(Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0))
    return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]), count: Number(/(\d+) requests in/.exec(stdout)[1]) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function byAutocannon ({ url, headers, body, seconds, connections }) {
  const { default: autocannon } = await import('autocannon')
  const result = await autocannon({ url, method: 'POST', headers, body, duration: seconds, connections })
  assertAnswered(result.non2xx + result.errors)
  return { rate: result['2xx'] / result.duration, count: result['2xx'] }
}

/** The load generator of this machine: answers requests per second, and how many there were. */
export const load = has('wrk') ? { name: 'wrk', measure: byWrk } : { name: 'autocannon', measure: byAutocannon }

/** Keeps a process on one processor, so that the server and its load do not share one. Linux only. */
export const pinTo = (processor) => has('taskset') ? ['taskset', '-c', String(processor)] : []
