import process from 'node:process'

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const say = (line) => { process.stdout.write(`${line}\n`) }

/** Prints medians, and of two modes the median of the ratios of each round, against what is wanted. */
export function printRates (results, { modes, targets }) {
  const ratio = (a, b, of) => median(results.get(a).map((result, round) => of(result, results.get(b)[round])))
  const byRate = (one, other) => one.rate / other.rate
  const byCost = (one, other) => other.cost / one.cost

  say('\nrequests/s   us of CPU')
  for (const [name, rounds] of results) {
    const rate = median(rounds.map((result) => result.rate)).toFixed(0).padStart(10)
    const cost = median(rounds.map((result) => result.cost)).toFixed(1).padStart(11)
    say(`${rate} ${cost}   ${name}: ${modes[name].title}`)
  }
  say('')
  const peers = [...results.keys()].filter((name) => modes[name].server !== 'ours' && modes[name].work !== 'read' && name !== 'floor')
  const comparisons = [...targets, ...peers.map((peer) => [peer.slice(0, peer.indexOf('-')), peer])]
  for (const [name, peer, target] of comparisons) {
    if (!results.has(name) || !results.has(peer)) continue
    const found = ratio(name, peer, byRate)
    const verdict = target === undefined ? '' : `, target ${target.toFixed(2)} ${found >= target ? 'reached' : 'MISSED'}`
    say(`${name} / ${peer}: ${found.toFixed(3)}${verdict} (${ratio(name, peer, byCost).toFixed(3)} by processor time)`)
  }
}
