import process from 'node:process'
import { TARGETS } from './modes.js'
import { column } from './rounds.js'

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const say = (line) => { process.stdout.write(`${line}\n`) }

/** Prints medians, and as ratios of two modes the medians of the ratios of each round. */
export function printResults (entries, results) {
  const medianOf = (name, member) => median(results.get(name).map((result) => result[member]))
  const ratio = (a, b) => median(results.get(a).map(({ rate }, round) => rate / results.get(b)[round].rate))
  const byCost = (a, b) => median(results.get(a).map(({ cost }, round) => results.get(b)[round].cost / cost))
  const versus = (name) => results.has('bare') ? [ratio(name, 'bare'), byCost(name, 'bare')] : [NaN, NaN]

  say('\nrequests/s   x bare   by CPU   us of CPU   signature checks a request')
  for (const { name, mode: { title } } of entries) {
    const [byRate, byProcessor] = versus(name)
    const numbers = [column(medianOf(name, 'rate'), 10), column(byRate, 8, 2), column(byProcessor, 8, 2),
      column(medianOf(name, 'cost'), 11, 1), column(medianOf(name, 'checks'), 8, 2)]
    say(`${numbers.join(' ')}   ${name}: ${title}`)
  }
  say('')
  for (const [name, peer, target] of TARGETS) {
    if (!results.has(name) || !results.has(peer)) continue
    const found = ratio(name, peer)
    say(`${name} / ${peer}: ${found.toFixed(3)}, target ${target.toFixed(2)} ${found >= target ? 'reached' : 'MISSED'}` +
      ` (${byCost(name, peer).toFixed(3)} by processor time)`)
  }
  for (const { name } of entries.filter((entry) => results.has(`${entry.name} (other)`))) {
    const other = `${name} (other)`
    say(`${name} / ${other}: ${ratio(name, other).toFixed(3)} (${byCost(name, other).toFixed(3)} by processor time)`)
  }
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`

/** What remembering costs: the heap of each server that was given many tokens, before and after. */
export function printMemory (entries, before, after) {
  for (const { name, mode, server } of entries.filter(({ mode: { tokens } }) => tokens !== undefined)) {
    const [had, has] = [before.get(server), after.get(server)]
    say(`${name}: heap ${megabytes(had)} before, ${megabytes(has)} after ${mode.count} tokens (${Math.round((has - had) / mode.count)} bytes a token)`)
  }
}
