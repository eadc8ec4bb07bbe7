import t from 'tap'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { Proof } from '../../lib/tokens/dpop-proof.js'
import { rememberedProofs, storedProofs, type FirstUse } from '../../lib/tokens/dpop-replay.js'
import { failingStore } from '../helpers/failing-store.js'

const NOW = 1_700_000_000
const proof = (jti: string, more: Partial<Proof> = {}): Proof => ({ jti, iat: NOW, nonce: null, thumbprint: 'key', ...more })
const kinds: Record<string, () => FirstUse> = {
  'in memory': () => rememberedProofs(1000),
  'in the store': () => storedProofs({ records: memoryStore(), tenant: 'default' })
}

for (const [kind, create] of Object.entries(kinds)) {
  t.test(`${kind}: a proof is used for the first time once, for as long as it is good`, async (t) => {
    const isFirstUse = create()

    t.equal(await isFirstUse(proof('a'), NOW), true)
    for (const later of [0, 1, 299, 300]) t.equal(await isFirstUse(proof('a'), NOW + later), false, String(later))
  })

  t.test(`${kind}: one that is made for later is remembered for as long as it is good`, async (t) => {
    const isFirstUse = create()
    const early = proof('a', { iat: NOW + 300 })

    t.equal(await isFirstUse(early, NOW), true)
    for (const later of [0, 300, 600]) t.equal(await isFirstUse(early, NOW + later), false, String(later))
  })

  t.test(`${kind}: another name, and the same name of another key, are other proofs`, async (t) => {
    const isFirstUse = create()

    for (const one of [proof('a'), proof('b'), proof('a', { thumbprint: 'other' }), proof('.a', { thumbprint: 'ke' })]) {
      t.equal(await isFirstUse(one, NOW), true)
    }
  })

  t.test(`${kind}: of any number at once one is the first`, async (t) => {
    const isFirstUse = create()

    const answers = await Promise.all(Array.from({ length: 50 }, async () => await isFirstUse(proof('a'), NOW)))

    t.equal(answers.filter((first) => first).length, 1)
  })
}

t.test('the same name under another time is used, too', async (t) => {
  const isFirstUse = rememberedProofs(1000)

  t.equal(isFirstUse(proof('a'), NOW), true)
  t.equal(isFirstUse(proof('a', { iat: NOW - 200 }), NOW), false)
})

t.test('without room nothing is forgotten and nothing passes, until the old ones are over', async (t) => {
  const isFirstUse = rememberedProofs(8)
  const full = { name: 'StoreUnavailableError' }
  const ofKey = (key: number, jti: string): Proof => proof(jti, { thumbprint: `key ${key}` })
  for (let key = 0; key < 4; key += 1) for (const jti of ['a', 'b']) t.equal(isFirstUse(ofKey(key, jti), NOW), true)

  t.throws(() => isFirstUse(ofKey(9, 'a'), NOW), full)
  t.equal(isFirstUse(ofKey(0, 'a'), NOW), false)
  t.throws(() => isFirstUse(ofKey(9, 'a'), NOW + 300), full)
  t.equal(isFirstUse(ofKey(9, 'a'), NOW + 361), true)
})

t.test('one key takes a quarter of the room, and leaves the rest to the others', async (t) => {
  const isFirstUse = rememberedProofs(100)
  for (let count = 0; count < 25; count += 1) {
    t.equal(isFirstUse(proof(String(count), { iat: NOW - count * 10 }), NOW), true)
  }

  t.throws(() => isFirstUse(proof('one more'), NOW), { name: 'StoreUnavailableError' })
  t.equal(isFirstUse(proof('one more', { thumbprint: 'other' }), NOW), true)
})

t.test('a clock that is set back forgets nothing', async (t) => {
  const isFirstUse = rememberedProofs(1000)

  t.equal(isFirstUse(proof('a'), NOW), true)
  t.equal(isFirstUse(proof('a'), NOW - 250), false)
})

t.test('instances that share a store share what was used, and an outage is no first use', async (t) => {
  const records = memoryStore()
  const [one, other] = [storedProofs({ records, tenant: 'a' }), storedProofs({ records, tenant: 'a' })]

  t.equal(await one(proof('a'), NOW), true)
  t.equal(await other(proof('a'), NOW), false)
  t.equal(await storedProofs({ records, tenant: 'b' })(proof('a'), NOW), true)
  const failing = failingStore(records)
  failing.failOnce('add', 'before')
  await t.rejects(Promise.resolve(storedProofs({ records: failing, tenant: 'a' })(proof('c'), NOW)), StoreUnavailableError)
})
