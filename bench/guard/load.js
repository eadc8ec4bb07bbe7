import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const has = (program) => spawnSync('which', [program]).status === 0

/** Requests with one token after the other; wrk's own generator knows only one. */
const IN_TURN = ({ path, start }) => `
local tokens = {}
for line in io.lines(${JSON.stringify(path)}) do tokens[#tokens + 1] = "Bearer " .. line end
local position = ${start}
request = function ()
  position = position % #tokens + 1
  wrk.headers["authorization"] = tokens[position]
  return wrk.format()
end`

/** wrk costs a tenth of what the servers cost, so it does not stand in their way. */
async function byWrk ({ url, headers, tokens, body, seconds, connections, pin, folder }) {
  const script = join(folder, 'request.lua')
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
  const inTurn = tokens === null ? '' : IN_TURN(tokens)
  writeFileSync(script, ['wrk.method = "POST"', `wrk.body = ${JSON.stringify(body)}`, ...lines, inTurn].join('\n'))
  const wrk = ['wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', script, url]
  const [program, ...args] = [...pin, ...wrk]
  const { stdout } = await run(program, args)
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]),
    count: Number(/(\d+) requests in/.exec(stdout)[1]),
    refused: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0)
  }
}

async function byAutocannon ({ url, headers, tokens, body, seconds, connections }) {
  const { default: autocannon } = await import('autocannon')
  const all = tokens === null ? null : readFileSync(tokens.path, 'utf8').split('\n')
  let position = tokens?.start
  const setupRequest = (request) => {
    request.headers.authorization = `Bearer ${all[position++ % all.length]}`
    return request
  }
  const more = all === null ? {} : { requests: [{ setupRequest }] }
  const result = await autocannon({ url, method: 'POST', headers, body, duration: seconds, connections, ...more })
  if (result.errors > 0) throw new Error(`${result.errors} requests were not answered at all`)
  const count = result['2xx'] + result.non2xx
  return { rate: count / result.duration, count, refused: result.non2xx }
}

/**
 * The load generator of this machine: answers requests per second, how many there were, and how many not with 2xx.
 * With `tokens`, a file of one a line and where in it to start, each request shows the next one.
 */
export const load = has('wrk') ? { name: 'wrk', measure: byWrk } : { name: 'autocannon', measure: byAutocannon }

/** Keeps a process on one processor, so that the server and its load do not share one. Linux only. */
export const pinTo = (processor) => has('taskset') ? ['taskset', '-c', String(processor)] : []
