import t from 'tap'
import { freshnessOf } from '../../lib/protocol/freshness.js'

const BOUNDS = { min: 300, max: 86_400, otherwise: 3600 }

t.test('an answer is fresh for as long as it says, within the bounds', async (t) => {
  const table: ReadonlyArray<readonly [string, number]> = [
    ['', 3600],
    ['public', 3600],
    ['max-age=600', 600],
    ['public, max-age=600, must-revalidate', 600],
    ['MAX-AGE="600"', 600],
    ['max-age=0', 300],
    ['max-age=9999999999', 86_400],
    ['no-store', 300],
    ['max-age=600, no-cache', 300],
    ['No-Cache="set-cookie", max-age=600', 300],
    ['s-maxage=600', 3600],
    ['x-no-store', 3600],
    ['max-age=6e9', 3600],
    ['max-age=-1', 3600]
  ]
  for (const [header, seconds] of table) t.equal(freshnessOf(header, BOUNDS), seconds, header)
})
