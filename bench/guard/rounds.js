import { join } from 'node:path'
import process from 'node:process'
import { load } from './load.js'

export const column = (number, width, digits = 0) => number.toFixed(digits).padStart(width)

function headersOf ({ headers = {} }, token) {
  const all = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
}

/** A guard that lets everybody in would be fast, and so would one that lets nobody in. */
export async function assertAnswers ({ name, mode, server }, body) {
  const statusOf = async (headers) => (await fetch(server.url, { method: 'POST', headers, body })).status
  const { authorization, ...none } = headersOf(mode, server.token)
  const forged = { ...none, authorization: `Bearer ${server.token.slice(0, -20)}AAAA${server.token.slice(-16)}` }
  const open = ['bare', 'usualPlugins'].includes(mode.server)
  const wanted = mode.refused ? 401 : 200
  const seen = [await statusOf(headersOf(mode, server.token)), await statusOf(none), await statusOf(forged)]
  const right = [mode.tokens === 'forged' ? 200 : wanted, open ? 200 : 401, open ? 200 : 401]
  if (String(seen) !== String(right)) throw new Error(`${name} answers ${seen} to its own, no and a bad token, not ${right}`)
}

async function measure (entry, settings, token) {
  const { name, mode, server } = entry
  const { start = 0 } = entry
  const tokens = mode.tokens === undefined ? null : { path: join(server.folder, mode.tokens), start }
  const before = await server.used()
  const request = { url: server.url, folder: server.folder, headers: headersOf(mode, token), tokens }
  const { rate, count, refused } = await load.measure({ ...request, ...settings })
  if (refused !== (mode.refused ? count : 0)) throw new Error(`${name}: ${refused} of ${count} requests were refused`)
  const after = await server.used()
  entry.start = start + count
  return {
    rate,
    cost: (after.processorTime - before.processorTime) / count,
    // Those under way when the time was over are not in the count.
    checks: (after.signatureChecks - before.signatureChecks) / (count + settings.connections)
  }
}

/** Until each token has come once, so that none of those that count pays for being the first. */
async function warmUp (entry, settings, token) {
  let result = await measure(entry, settings, token)
  while (entry.start < (entry.mode.count ?? 0)) result = await measure(entry, settings, token)
  return result
}

/** All entries in turn, and that again for each round, after one that warms up and does not count. */
export async function measureRounds (entries, { rounds, seconds, ...settings }) {
  const results = new Map(entries.map(({ name }) => [name, []]))
  // What reads no token reads headers of the same length.
  const filler = entries.find(({ mode }) => mode.server === 'guarded')?.server.token ?? 'x'.repeat(600)
  for (let round = 0; round <= rounds; round += 1) {
    for (const entry of entries) {
      const token = entry.server.token === 'none' ? filler : entry.server.token
      const result = round === 0
        ? await warmUp(entry, { ...settings, seconds: 2 }, token)
        : await measure(entry, { ...settings, seconds }, token)
      const title = round === 0 ? 'warm-up' : `round ${round}/${rounds}`
      process.stderr.write(`${title.padEnd(12)} ${entry.name.padEnd(24)} ${column(result.rate, 7)}/s ${column(result.cost, 6, 1)} us\n`)
      if (round > 0) results.get(entry.name).push(result)
    }
  }
  return results
}
