import t from 'tap'
import { borrowedIndex } from './broken/borrowed-index.js'
import { earlyExpiry } from './broken/early-expiry.js'
import { endlessCursor } from './broken/endless-cursor.js'
import { fragileBus } from './broken/fragile-bus.js'
import { greedyPrune } from './broken/greedy-prune.js'
import { joinedKeys } from './broken/joined-keys.js'
import { lateExpiry } from './broken/late-expiry.js'
import { lostUpdate } from './broken/lost-update.js'
import { loudBus } from './broken/loud-bus.js'
import { mutableRecords } from './broken/mutable-records.js'
import { noExpiry } from './broken/no-expiry.js'
import { overwritingAdd } from './broken/overwriting-add.js'
import { racingCounter } from './broken/racing-counter.js'
import { readThenDelete } from './broken/read-then-delete.js'
import { sharedTenants } from './broken/shared-tenants.js'
import { skippingCursor } from './broken/skipping-cursor.js'
import { slidingCounter } from './broken/sliding-counter.js'
import { staleIndex } from './broken/stale-index.js'
import { staleVersion } from './broken/stale-version.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { storeContract, type OpenStores } from '../../lib/testing/store-contract.js'
import type { RecordStore } from '../../types/stores.js'

/** The names of the checks that an engine fails. */
async function failuresOf (open: OpenStores): Promise<string[]> {
  const checks: Array<{ name: string, run: () => Promise<void> }> = []
  storeContract({ test: (name, run) => checks.push({ name, run }) }, open)
  const outcomes = await Promise.allSettled(checks.map(({ run }) => run()))
  return checks.filter((_, position) => outcomes[position]?.status === 'rejected').map(({ name }) => name)
}

/** Engine -> what the suite must at least say about it. */
const BROKEN: Array<[() => RecordStore, string]> = [
  [readThenDelete, 'of many that take the same record one gets it'],
  [readThenDelete, 'of many that remove the same record one is told that it did'],
  [readThenDelete, 'what many take and remove by query at once is told to one of them'],
  [overwritingAdd, 'of many that add the same record one succeeds, and its record is the one held'],
  [overwritingAdd, 'of many that add over the same dead record one succeeds'],
  [lostUpdate, 'of many that replace the same version one succeeds, and its record is the one held'],
  [lostUpdate, 'no change is lost when many read and replace until they succeed'],
  [noExpiry, 'a record is dead at the second of its expiry, for every verb'],
  [noExpiry, 'add puts a new record in the place of a dead one'],
  [lateExpiry, 'a record is dead at the second of its expiry, for every verb'],
  [earlyExpiry, 'a record lives in the second before its expiry'],
  [skippingCursor, 'records that come, go or die between two pages make no other one skipped or repeated'],
  [endlessCursor, 'the last page has no cursor, not even when it is full'],
  [sharedTenants, 'the same id of another tenant or kind is another record, for every verb'],
  [sharedTenants, 'counters of other tenants, kinds and ids are other counters'],
  [joinedKeys, 'tenant, kind and id are told apart wherever one ends and the next begins'],
  [mutableRecords, 'changing what was handed in or out changes nothing that is held'],
  [borrowedIndex, 'changing what was handed in or out changes nothing that is held'],
  [staleVersion, 'the version that an engine tells at once is the one that get answers'],
  [staleIndex, 'a record that gets another index value is found by the new one only'],
  [racingCounter, 'many that count at once get every number once'],
  [slidingCounter, 'a counter adds up until its window is over, and starts again at that second'],
  [greedyPrune, 'pruning before anything is dead forgets nothing'],
  [fragileBus, 'a listener that throws or rejects harms no other one and not the publisher'],
  [loudBus, 'no message reaches another tenant or channel']
]

for (const [open, sentence] of BROKEN) {
  t.test(`the engine ${open.name} is told that ${sentence}`, async (t) => {
    t.ok((await failuresOf(open)).includes(sentence))
  })
}

t.test('a broken engine is told of what is broken and not of everything', async (t) => {
  for (const [open] of BROKEN) {
    const failures = await failuresOf(open)
    t.ok(failures.length < 8, `${open.name}: ${failures.join('; ')}`)
  }
})

t.test('a sound engine is told of nothing, by one connection or several', async (t) => {
  t.same(await failuresOf(() => memoryStore()), [])
  t.same(await failuresOf(async () => {
    const store = memoryStore()
    return [store, { ...store }]
  }), [])
})

t.test('an engine whose list never ends is given up on', async (t) => {
  const failures = await failuresOf(() => ({ ...memoryStore(), list: async () => ({ records: [], cursor: 'again' }) }))

  t.ok(failures.includes('pages of every size show each record once, in the order of the ids'))
})

t.test('an engine whose replace never succeeds is given up on', async (t) => {
  const failures = await failuresOf(() => ({ ...memoryStore(), replace: async () => false }))

  t.ok(failures.includes('no change is lost when many read and replace until they succeed'))
})

t.test('an engine that loses messages is not waited for for ever', async (t) => {
  t.same(await failuresOf(() => ({ ...memoryStore(), publish: async () => {} })), [
    'every subscriber of a channel gets each of its messages once and in order',
    'no message reaches another tenant or channel',
    'a message that nobody listens for is gone',
    'a subscription that ended hears nothing more, and ends no other one',
    'the same listener may subscribe twice, and each subscription ends by itself',
    'a listener that throws or rejects harms no other one and not the publisher'
  ])
})

t.test('every store is closed at the end of its test, also of one that fails', async (t) => {
  let open = 0
  await failuresOf(() => {
    const store = memoryStore()
    let isOpen = true
    open++
    return {
      ...store,
      get: async () => null,
      async close () {
        if (isOpen) open--
        isOpen = false
      }
    }
  })

  t.equal(open, 0)
})
