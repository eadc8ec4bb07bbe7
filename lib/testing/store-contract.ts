import { counterChecks } from './contract/counters.js'
import { expiryChecks } from './contract/expiry.js'
import { listChecks } from './contract/lists.js'
import { messageChecks } from './contract/messages.js'
import { raceChecks } from './contract/races.js'
import { recordChecks } from './contract/records.js'
import { createScene } from './contract/scene.js'
import type { RecordStore } from '../../types/stores.js'

export type { RecordStore } from '../../types/stores.js'

/** Where tests are registered: tap's `t`, or the module of node:test or vitest. */
export interface ContractTest {
  test (name: string, run: () => Promise<void>): unknown
}

/**
 * Opens a store without any records; several when they share their records over connections of their own, which
 * the races are then spread over. Called for each test; every store is closed at its end.
 */
export type OpenStores = () => Opened | Promise<Opened>

type Opened = RecordStore | readonly [RecordStore, ...RecordStore[]]

const CHECKS = Object.entries({
  ...recordChecks, ...expiryChecks, ...listChecks, ...raceChecks, ...counterChecks, ...messageChecks
})

const isStore = (opened: Opened): opened is RecordStore => 'add' in opened

/**
 * What every engine must hold, as tests: `storeContract(t, () => myStore())`. Each name is a sentence about stores;
 * a test rejects unless it is true. Times are given, never waited for. Passing does not show what a store does when
 * it is full, cannot be reached or is killed: an engine has tests of its own for these.
 */
export function storeContract (t: ContractTest, open: OpenStores): void {
  for (const [name, check] of CHECKS) {
    t.test(name, async () => {
      const opened = await open()
      const stores = isStore(opened) ? [opened] as const : opened
      try {
        await check(createScene(stores))
      } finally {
        await Promise.all(stores.map((store) => store.close()))
      }
    })
  }
}
