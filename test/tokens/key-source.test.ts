import { KeyObject } from 'node:crypto'
import t from 'tap'
import { createSigningKey, type SigningKey } from '../../lib/crypto/signing-key.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import { createKeySource } from '../../lib/tokens/key-source.js'

const NOW = 1_700_000_000
const AGE = 600
const STALE = 3600
const COOLDOWN = 10
const [one, two] = await Promise.all([createSigningKey('ES256'), createSigningKey('ES256')])
const rsa = await createSigningKey('RS256')

const jwk = ({ publicKey, kid, algorithm }: SigningKey, more: object = {}) =>
  ({ ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig', ...more })
const wanted = (kid: string | null, algorithm: 'ES256' | 'RS256' | 'RS512' = 'ES256') => ({ kid, algorithm })

/** A server whose answers a test changes, and that may keep everybody waiting. */
function scene (...keys: unknown[]) {
  let loads = 0
  let document: unknown = { keys }
  let gate: Promise<void> = Promise.resolve()
  const source = createKeySource({
    maxAge: AGE,
    maxStale: STALE,
    cooldown: COOLDOWN,
    async load () {
      loads += 1
      const answer = document
      await gate
      if (answer instanceof Error) throw answer
      return answer
    }
  })
  return {
    source,
    loads: () => loads,
    publish (...next: unknown[]) { document = { keys: next } },
    answer (next: unknown) { document = next },
    /** Answers the way to let go of those who wait. */
    hold (): () => void {
      let open = () => {}
      gate = new Promise((resolve) => { open = resolve })
      return open
    }
  }
}

t.test('a key is fetched when first needed, and then known', async (t) => {
  const { source, loads } = scene(jwk(one), jwk(two))
  t.equal(loads(), 0)

  const key = await source.find(wanted(one.kid), NOW)

  t.ok(key instanceof KeyObject && key.equals(one.publicKey))
  t.ok((await source.find(wanted(two.kid), NOW + AGE - 1)).equals(two.publicKey))
  t.equal(loads(), 1)
})

t.test('a hundred who need a key at once cause one fetch', async (t) => {
  const { source, loads } = scene(jwk(one))

  await Promise.all(Array.from({ length: 100 }, () => source.find(wanted(one.kid), NOW)))

  t.equal(loads(), 1)
})

t.test('a key that was withdrawn is unknown when the set has reached its age', async (t) => {
  const { source, publish, loads } = scene(jwk(one), jwk(two))
  await source.find(wanted(one.kid), NOW)
  publish(jwk(two))

  t.ok(await source.find(wanted(one.kid), NOW + AGE - 1))
  await t.rejects(source.find(wanted(one.kid), NOW + AGE), new InvalidTokenError('unknown key'))
  t.ok(loads() <= 3)
})

t.test('a new key is found at once, one second after the set was fetched', async (t) => {
  const { source, publish, loads } = scene(jwk(one))
  await source.find(wanted(one.kid), NOW)
  publish(jwk(two), jwk(one))

  t.ok((await source.find(wanted(two.kid), NOW + 1)).equals(two.publicKey))
  t.equal(loads(), 2)
})

t.test('a thousand made-up keys cause one fetch in a cooldown', async (t) => {
  const { source, loads } = scene(jwk(one))
  await source.find(wanted(one.kid), NOW)

  for (let index = 0; index < 1000; index += 1) {
    await t.rejects(source.find(wanted(`made up ${index}`), NOW + Math.floor(index / 50)))
  }

  t.equal(loads(), 1 + 2)
})

t.test('a key for which the server was asked is unknown; about another one nothing is known until the next fetch', async (t) => {
  const { source, publish } = scene(jwk(one))

  await t.rejects(source.find(wanted('made up'), NOW), new InvalidTokenError('unknown key'))
  publish(jwk(two))

  await t.rejects(source.find(wanted('made up'), NOW + 9), new InvalidTokenError('unknown key'))
  await t.rejects(source.find(wanted(two.kid), NOW + 9), StoreUnavailableError)
  t.ok((await source.find(wanted(two.kid), NOW + 10)).equals(two.publicKey))
})

t.test('what was found out about a key holds for the cooldown, though the set is fetched for its age meanwhile', async (t) => {
  let loads = 0
  const load = async () => {
    loads += 1
    return { keys: [jwk(one)] }
  }
  const source = createKeySource({ load, maxAge: 60, maxStale: 0, cooldown: 300 })
  await t.rejects(source.find(wanted('made up'), NOW), new InvalidTokenError('unknown key'))
  await source.find(wanted(one.kid), NOW + 60)

  t.equal(loads, 3)
  await t.rejects(source.find(wanted('made up'), NOW + 61), new InvalidTokenError('unknown key'))
})

t.test('a rotation during a flood is never answered with 401', async (t) => {
  const { source, publish } = scene(jwk(one))
  await source.find(wanted(one.kid), NOW)
  const answers = []
  for (let second = 0; second < 30; second += 1) {
    if (second === 5) publish(jwk(two))
    await t.rejects(source.find(wanted(`made up ${second}`), NOW + second))
    if (second >= 5) answers.push(await source.find(wanted(two.kid), NOW + second).catch((error: unknown) => error))
  }

  t.ok(answers.every((answer) => answer instanceof KeyObject || answer instanceof StoreUnavailableError))
  t.ok(answers.at(-1) instanceof KeyObject)
})

t.test('whoever comes while a fetch is under way waits for it, and asks again when it began too early', async (t) => {
  const { source, publish, hold, loads } = scene(jwk(one))
  const open = hold()
  const first = source.find(wanted(one.kid), NOW)
  publish(jwk(two))
  const others = [source.find(wanted(two.kid), NOW), source.find(wanted(two.kid), NOW)]
  open()

  t.ok((await first).equals(one.publicKey))
  for (const key of await Promise.all(others)) t.ok(key.equals(two.publicKey))
  t.equal(loads(), 2)
})

t.test('whoever joins a fetch for another key is not told that its own is unknown', async (t) => {
  const { source, publish, hold } = scene(jwk(one))
  await source.find(wanted(one.kid), NOW)
  const open = hold()
  const made = source.find(wanted('made up'), NOW + 1)
  const same = source.find(wanted('made up'), NOW + 1)
  await new Promise(setImmediate)
  publish(jwk(two))
  const other = source.find(wanted(two.kid), NOW + 1)
  const outcomes = Promise.allSettled([made, same, other])
  await new Promise(setImmediate)
  open()

  t.match(await outcomes, [
    { reason: { reason: 'unknown key' } }, { reason: { reason: 'unknown key' } }, { reason: StoreUnavailableError }
  ])
})

t.test('while the server is down, known keys are good until a bound, and tried no more often than the cooldown says', async (t) => {
  const { source, answer, loads } = scene(jwk(one))
  await source.find(wanted(one.kid), NOW)
  answer(new Error('down'))

  for (let second = 0; second < 100; second += 1) t.ok(await source.find(wanted(one.kid), NOW + AGE + second))
  t.equal(loads(), 1 + 10)
  t.ok(await source.find(wanted(one.kid), NOW + AGE + STALE - 1))
  await t.rejects(source.find(wanted(one.kid), NOW + AGE + STALE), StoreUnavailableError)
})

t.test('while the server is down, a key that is not known is not called unknown', async (t) => {
  const { source, answer, loads } = scene(jwk(one))
  await t.rejects(source.find(wanted('made up'), NOW), InvalidTokenError)
  answer(new Error('down'))

  for (const second of [COOLDOWN, COOLDOWN + 1, 100]) {
    await t.rejects(source.find(wanted('made up'), NOW + second), new StoreUnavailableError('a key cannot be looked up now'))
  }
  t.equal(loads(), 2 + 2)
})

t.test('after a fetch that failed nobody asks for an unknown key before the cooldown is over', async (t) => {
  const { source, answer, loads } = scene(jwk(one))
  await source.find(wanted(one.kid), NOW)
  answer(new Error('down'))
  await source.find(wanted(one.kid), NOW + AGE)

  await t.rejects(source.find(wanted('made up'), NOW + AGE + 9), StoreUnavailableError)
  t.equal(loads(), 2)
})

t.test('a server that never answered is asked again after the cooldown, and then all is well', async (t) => {
  const { source, answer, publish, loads } = scene()
  answer(new Error('down'))
  for (const second of [0, 1, 9]) {
    await t.rejects(source.find(wanted(one.kid), NOW + second), { code: 'MCPS_ERR_STORE_UNAVAILABLE', cause: new Error('down') })
  }
  t.equal(loads(), 1)
  publish(jwk(one))

  t.ok(await source.find(wanted(one.kid), NOW + 10))
})

t.test('an answer that is no key set is as good as none, and the keys of before stay', async (t) => {
  for (const wrong of [null, [], 'text', {}, { keys: {} }, { keys: [null] }, { keys: ['text'] }, { keys: [[]] }]) {
    const { source, answer } = scene(jwk(one))
    await source.find(wanted(one.kid), NOW)
    answer(wrong)

    t.ok(await source.find(wanted(one.kid), NOW + AGE))
    await t.rejects(source.find(wanted(two.kid), NOW + AGE), StoreUnavailableError)
  }
})

t.test('keys that we cannot use do no harm to the others', async (t) => {
  const others: readonly object[] = [
    {}, { kty: 'unheard of', kid: 'a' }, { kty: 'oct', k: 'c2VjcmV0', kid: one.kid }, { kty: 'EC' },
    { ...jwk(rsa), use: 'enc', alg: 'RSA-OAEP' }, { kid: one.kid, toString: null }
  ]
  const { source } = scene(...others, jwk(one))

  t.ok((await source.find(wanted(one.kid), NOW)).equals(one.publicKey))
})

const unusable: Record<string, [unknown[], string]> = {
  'for encryption': [[jwk(one, { use: 'enc' })], 'unknown key'],
  'for signing, not for verifying': [[jwk(one, { key_ops: ['sign'] })], 'unknown key'],
  'of another algorithm': [[jwk(one, { alg: 'ES384' })], 'unknown key'],
  'of another type': [[jwk(rsa, { kid: one.kid, alg: undefined })], 'unknown key'],
  'whose secret half is published': [[{ ...one.privateKey.export({ format: 'jwk' }), kid: one.kid }], 'unusable key'],
  'off its curve': [[jwk(one, { x: 'AAAA' })], 'unusable key'],
  'that is there twice': [[jwk(one), jwk(two, { kid: one.kid })], 'several keys fit']
}

for (const [name, [keys, reason]] of Object.entries(unusable)) {
  t.test(`a key ${name} is not used`, async (t) => {
    await t.rejects(scene(...keys).source.find(wanted(one.kid), NOW), new InvalidTokenError(reason))
  })
}

t.test('a token that names no key is good when one key fits', async (t) => {
  t.ok((await scene(jwk(one), jwk(rsa)).source.find(wanted(null), NOW)).equals(one.publicKey))
  await t.rejects(scene(jwk(one), jwk(two)).source.find(wanted(null), NOW), new InvalidTokenError('several keys fit'))
})

t.test('a key that names no algorithm is good for all of its type', async (t) => {
  const { source } = scene(jwk(rsa, { alg: undefined }))

  for (const algorithm of ['RS256', 'RS512'] as const) t.ok(await source.find(wanted(rsa.kid, algorithm), NOW))
})

t.test('a key for Ed25519 is found by either name of the algorithm (RFC 9864)', async (t) => {
  const key = await createSigningKey('EdDSA')
  for (const alg of ['Ed25519', 'EdDSA']) {
    const { source } = scene(jwk(key, { alg }))
    t.ok((await source.find({ algorithm: 'EdDSA', kid: key.kid }, NOW)).equals(key.publicKey))
  }
  await t.rejects(scene(jwk(key, { alg: 'Ed448' })).source.find({ algorithm: 'EdDSA', kid: key.kid }, NOW),
    new InvalidTokenError('unknown key'))
})
