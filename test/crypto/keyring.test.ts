import fc from 'fast-check'
import t from 'tap'
import { openKeySet } from '../../lib/crypto/key-set.js'
import { openKeyring, type Keyring, type KeyringOptions } from '../../lib/crypto/keyring.js'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { Signer } from '../../types/crypto.js'
import type { RecordStore } from '../../types/stores.js'
import { stoppedClock } from '../helpers/clock.js'

const OLD = 'an old secret of more than thirty-two characters'
const NEW = 'a new secret of more than thirty-two characters'
const RECORD = { tenant: 'default', kind: 'signing-keys', id: 'all' }
const clock = stoppedClock()

function keyringOptions (options: Partial<KeyringOptions> = {}): KeyringOptions {
  return { records: memoryStore(), tenant: 'default', secrets: deriveSecrets([OLD]), clock, ...options }
}

const kids = (jwks: string): string[] => JSON.parse(jwks).keys.map(({ kid }: { kid: string }) => kid)

t.test('the first opening makes an ES256 key and says so', async (t) => {
  const keyring = await openKeyring(keyringOptions())

  t.equal(keyring.created, true)
  t.equal(keyring.current.algorithm, 'ES256')
  t.same(kids(keyring.jwks), [keyring.current.kid])
})

t.test('a restart ends with the same key', async (t) => {
  const options = keyringOptions()
  const before = await openKeyring(options)
  const after = await openKeyring({ ...options, secrets: deriveSecrets([OLD]) })

  t.equal(after.created, false)
  t.equal(after.jwks, before.jwks)
  t.ok(after.current.publicKey.equals(before.current.publicKey))
})

t.test('of eight openings at once one makes the key and all end with it', async (t) => {
  const options = keyringOptions()

  const keyrings = await Promise.all(Array.from({ length: 8 }, () => openKeyring(options)))

  t.equal(keyrings.filter(({ created }) => created).length, 1)
  t.equal(new Set(keyrings.map(({ jwks }) => jwks)).size, 1)
})

t.test('another algorithm adds a key and keeps the old one published', async (t) => {
  const options = keyringOptions()
  const first = await openKeyring(options)
  const second = await openKeyring({ ...options, algorithm: 'EdDSA' })

  t.equal(second.created, true)
  t.equal(second.current.algorithm, 'EdDSA')
  t.same(kids(second.jwks), [first.current.kid, second.current.kid])
  t.same(second.keys.map(({ kid }) => kid), kids(second.jwks))
})

t.test('openings at once with different algorithms end with one key of each', async (t) => {
  const options = keyringOptions()

  await Promise.all((['ES256', 'EdDSA', 'RS256', 'EdDSA'] as const)
    .map((algorithm) => openKeyring({ ...options, algorithm })))

  const { keys } = await openKeyring(options)
  t.same(keys.map(({ algorithm }) => algorithm).sort(), ['ES256', 'EdDSA', 'RS256'])
})

t.test('going back to an algorithm goes back to its key', async (t) => {
  const options = keyringOptions()
  const first = await openKeyring(options)
  await openKeyring({ ...options, algorithm: 'EdDSA' })
  const third = await openKeyring(options)

  t.equal(third.created, false)
  t.equal(third.current.kid, first.current.kid)
})

t.test('two tenants of one store have different keys', async (t) => {
  const options = keyringOptions()
  const one = await openKeyring(options)
  const other = await openKeyring({ ...options, tenant: 'other' })

  t.not(one.current.kid, other.current.kid)
})

t.test('the store has no private key in clear', async (t) => {
  const options = keyringOptions()
  await openKeyring(options)
  const record = await options.records.get(RECORD, clock())
  const [key] = openKeySet(record?.body ?? '', { tenant: 'default', secrets: options.secrets }).keys

  if (key === undefined || !('privateKey' in key)) throw new Error('no private key')
  const { d } = key.privateKey.export({ format: 'jwk' })
  const secret = Buffer.from(String(d), 'base64url').toString('latin1')
  const { sealed } = JSON.parse(record?.body ?? '').keys[0]
  t.notOk(record?.body.includes(String(d)))
  t.notOk(Buffer.from(sealed, 'base64url').toString('latin1').includes(secret))
})

t.test('secrets that do not open the keys stop the boot and leave the keys alone', async (t) => {
  const options = keyringOptions()
  const before = await options.records.get(RECORD, clock())
  const { current } = await openKeyring(options)

  await t.rejects(openKeyring({ ...options, secrets: deriveSecrets([NEW]) }), { code: 'MCPS_ERR_SECRETS' })
  await t.rejects(openKeyring({ ...options, secrets: deriveSecrets([NEW]), algorithm: 'EdDSA' }), { code: 'MCPS_ERR_SECRETS' })

  t.equal(before, null)
  t.equal((await openKeyring(options)).current.kid, current.kid)
})

t.test('a new secret in front seals the keys anew, so the old one can be taken away', async (t) => {
  const options = keyringOptions()
  const before = await openKeyring(options)
  const rotated = await openKeyring({ ...options, secrets: deriveSecrets([NEW, OLD]) })
  const after = await openKeyring({ ...options, secrets: deriveSecrets([NEW]) })

  t.equal(rotated.created, false)
  t.equal(after.jwks, before.jwks)
  await t.rejects(openKeyring(options), { code: 'MCPS_ERR_SECRETS' })
})

t.test('an opening that finds everything in order writes nothing', async (t) => {
  const options = keyringOptions()
  await openKeyring(options)
  await openKeyring(options)

  t.equal((await options.records.get(RECORD, clock()))?.version, 1)
})

t.test('a private key that was moved to another name in the store is not opened', async (t) => {
  const options = keyringOptions()
  await openKeyring(options)
  const record = await options.records.take(RECORD, clock())
  const body = String(record?.body).replace('"ES256"', '"EdDSA"')

  await options.records.add({ ...RECORD, expiresAt: null, index: {}, body }, clock())

  await t.rejects(openKeyring(options), { code: 'MCPS_ERR_SECRETS' })
})

t.test('a damaged record stops the boot', async (t) => {
  for (const body of ['', 'null', '{"sealedBy":"","keys":[{"kid":"a"}]}', '{"keys":[]}']) {
    const options = keyringOptions()
    await options.records.add({ ...RECORD, expiresAt: null, index: {}, body }, clock())

    await t.rejects(openKeyring(options), { code: 'MCPS_ERR_SECRETS' }, body)
  }
})

t.test('a store that keeps no change is given up on', async (t) => {
  const options = keyringOptions()
  const deaf = { ...options.records, add: async () => false }

  await t.rejects(openKeyring({ ...options, records: deaf }), { code: 'MCPS_ERR_SECRETS' })
})

const HOUR = 3600
const rotation = { every: 24 * HOUR, publishedBefore: 2 * HOUR }

/** Instances on one store, each with its own clock. */
async function instances (count: number, options: Partial<KeyringOptions> = {}) {
  const clock = stoppedClock()
  const shared = keyringOptions({ rotation, clock, ...options })
  const rings: Keyring[] = []
  while (rings.length < count) rings.push(await openKeyring(shared))
  return { clock, shared, rings: rings as [Keyring, Keyring, ...Keyring[]] }
}

/** A store that counts how often somebody looks. */
function counted (records: RecordStore) {
  let looks = 0
  const get: RecordStore['get'] = async (key, now) => {
    looks += 1
    return await records.get(key, now)
  }
  return { records: { ...records, get }, looks: () => looks }
}

const names = ({ keys }: Keyring) => keys.map(({ kid }) => kid)

t.test('the next key is published before it signs, and the one before stays until its last token has expired', async (t) => {
  const { clock, rings: [ring] } = await instances(1)
  const first = ring.current.kid
  clock.advance(22 * HOUR - 1)
  await ring.refresh()
  t.same(names(ring), [first])

  clock.advance(1)
  await ring.refresh()
  const [, second = ''] = names(ring)
  t.same(kids(ring.jwks), [first, second])
  t.equal(ring.current.kid, first)
  clock.advance(2 * HOUR - 1)
  t.equal(ring.current.kid, first)
  clock.advance(1)
  t.equal(ring.current.kid, second, 'without a look at the store')

  clock.advance(3 * HOUR - 1)
  await ring.refresh()
  t.same(names(ring), [first, second])
  clock.advance(1)
  await ring.refresh()
  t.same(names(ring), [second])
  t.same(kids(ring.jwks), [second])
})

t.test('of many instances that find a key due at once one makes it, and all use it', async (t) => {
  const { clock, rings } = await instances(8)
  clock.advance(22 * HOUR)
  await Promise.all(rings.map((ring) => ring.refresh()))

  t.equal(new Set(rings.map(({ jwks }) => jwks)).size, 1)
  t.equal(names(rings[0]).length, 2)
})

t.test('an instance that was away goes on with a key that all others know, and a long outage makes one key', async (t) => {
  const { clock, rings: [ring, away] } = await instances(2)
  clock.advance(22 * HOUR)
  await ring.refresh()
  clock.advance(4 * HOUR)
  t.not(away.current.kid, ring.current.kid)
  t.ok(names(ring).includes(away.current.kid))

  clock.advance(1000 * HOUR)
  await Promise.all([ring.refresh(), away.refresh()])
  t.same(names(away), names(ring))
  t.equal(names(ring).length, 2)
  clock.advance(2 * HOUR)
  t.equal(away.current.kid, ring.current.kid)
})

t.test('without a schedule no key is ever replaced by itself', async (t) => {
  const { clock, rings: [ring] } = await instances(1, { rotation: { every: null, publishedBefore: HOUR } })
  clock.advance(100_000 * HOUR)
  await ring.refresh()

  t.equal(names(ring).length, 1)
})

t.test('a key of release 0.2, whose record says no times, goes on until its successor signs', async (t) => {
  const { clock, shared, rings: [ring] } = await instances(1)
  const record = await shared.records.take(RECORD, clock())
  const { sealedBy, keys: [{ kid, algorithm, sealed }] } = JSON.parse(record?.body ?? '')
  const body = JSON.stringify({ sealedBy, keys: [{ kid, algorithm, sealed }] })
  await shared.records.add({ ...RECORD, expiresAt: null, index: {}, body }, clock())

  const opened = await openKeyring(shared)
  t.equal(opened.current.kid, kid)
  t.equal(kid, ring.current.kid)
  t.equal(names(opened).length, 2)
  clock.advance(2 * HOUR)
  t.not(opened.current.kid, kid)
})

t.test('an operator has the next key sign after it was published for as long as usual, or at once', async (t) => {
  const { clock, rings: [ring, other] } = await instances(2)
  const first = ring.current.kid
  await ring.rotate()
  await other.refresh()
  t.same(names(other), names(ring))
  t.equal(other.current.kid, first)

  await ring.rotate({ after: 60 })
  t.same(names(ring), names(other), 'the one that waits')
  clock.advance(60)
  t.equal(ring.current.kid, names(ring)[1])
  await ring.rotate({ after: 0 })
  t.equal(ring.current.kid, names(ring)[2])
})

t.test('a key that waits is never put off, and operators of two instances who rotate at once make one key', async (t) => {
  const { rings: [ring, other] } = await instances(2)
  await Promise.all([ring.rotate({ after: 0 }), other.rotate({ after: 0 })])
  t.equal(names(ring).length, 2)
  t.equal(ring.current.kid, other.current.kid)

  await ring.rotate({ after: 60 })
  const { jwks } = ring
  await ring.rotate({ after: 7200 })
  t.equal(ring.jwks, jwks)
})

t.test('rotation takes whole seconds', async (t) => {
  const { rings: [ring] } = await instances(1)
  for (const after of [-1, 0.5, NaN, Infinity]) await t.rejects(ring.rotate({ after }), TypeError)
})

t.test('a key that is taken away is gone at once, and another one signs', async (t) => {
  const { rings: [ring, other] } = await instances(2)
  const { kid } = ring.current
  const changes: unknown[] = []
  other.onChange((change) => { changes.push(change) })

  t.equal(await ring.remove(kid), true)
  t.equal(await ring.remove(kid), false)
  t.notOk(names(ring).includes(kid))
  t.notOk(ring.jwks.includes(kid))
  t.not(ring.current.kid, kid)
  await other.refresh()
  t.equal(other.current.kid, ring.current.kid)
  t.same(changes, [{ isMade: false, isDropped: true }])
})

t.test('when the key that signs is taken away the one that waits signs', async (t) => {
  const { rings: [ring] } = await instances(1)
  await ring.rotate()
  const [first = '', next] = names(ring)
  await ring.remove(first)

  t.same(names(ring), [next])
  t.equal(ring.current.kid, next)
})

t.test('when a key that waits is taken away another one waits as long as one has to', async (t) => {
  const { clock, rings: [ring] } = await instances(1)
  await ring.rotate()
  const [first, next = ''] = names(ring)
  clock.advance(HOUR)
  await ring.remove(next)

  t.equal(names(ring).length, 2)
  t.notOk(names(ring).includes(next))
  clock.advance(2 * HOUR - 1)
  t.equal(ring.current.kid, first)
  clock.advance(1)
  t.not(ring.current.kid, first)
})

t.test('a retired key is taken away without a successor', async (t) => {
  const { rings: [ring] } = await instances(1)
  const { kid } = ring.current
  await ring.rotate({ after: 0 })
  const { current } = ring
  await ring.remove(kid)

  t.same(names(ring), [current.kid])
})

t.test('after a change of the algorithm the old key ends, unless an instance still signs with it', async (t) => {
  const { clock, shared, rings: [old] } = await instances(1, { rotation: { every: null, publishedBefore: HOUR } })
  const { kid } = old.current
  const ring = await openKeyring({ ...shared, algorithm: 'EdDSA' })
  clock.advance(2 * HOUR - 1)
  await old.refresh()
  clock.advance(1)
  await ring.refresh()
  t.ok(names(ring).includes(kid))

  const again = await openKeyring({ ...shared, algorithm: 'EdDSA' })
  clock.advance(2 * HOUR)
  await again.refresh()
  t.same(names(again), [again.current.kid])
  await old.refresh()
  t.equal(old.current.algorithm, 'ES256')
  t.not(old.current.kid, kid)
})

t.test('the last key of an algorithm that nobody uses any more is taken away for good', async (t) => {
  const { shared, rings: [old] } = await instances(1)
  const ring = await openKeyring({ ...shared, algorithm: 'EdDSA' })
  await ring.remove(old.current.kid)

  t.same(names(ring), [ring.current.kid])
})

t.test('keys that were taken out of the store are replaced', async (t) => {
  const { clock, shared, rings: [ring] } = await instances(1)
  const { kid } = ring.current
  await shared.records.remove(RECORD, clock())
  await ring.refresh()

  t.not(ring.current.kid, kid)
  t.equal(names(ring).length, 1)
})

t.test('a clock that is behind that of who made the keys signs with the first one', async (t) => {
  const { shared } = await instances(1)
  const behind = await openKeyring({ ...shared, clock: () => 1_600_000_000 })

  t.equal(behind.current.kid, names(behind)[0])
})

t.test('instances tell each other, until one stops to listen', async (t) => {
  const { rings: [ring, other] } = await instances(2)
  const stop = await other.listen()
  const heard = new Promise<void>((resolve) => { other.onChange(() => { resolve() }) })
  await ring.rotate()
  await heard
  t.same(names(other), names(ring))

  await stop()
  await ring.rotate({ after: 0 })
  await ring.rotate()
  t.not(names(other).length, names(ring).length)
})

t.test('a message that gets nowhere, and a look that fails because of one, harm nobody', async (t) => {
  const { shared } = await instances(1)
  const publish = async () => { throw new Error('down') }
  const mute = await openKeyring({ ...shared, records: { ...shared.records, publish } })
  await mute.rotate()
  t.equal(names(mute).length, 2)

  let isDown = false
  const records: KeyringOptions['records'] = {
    ...shared.records,
    get: async (key, now) => {
      if (isDown) throw new Error('down')
      return await shared.records.get(key, now)
    }
  }
  const deaf = await openKeyring({ ...shared, records })
  t.teardown(await deaf.listen())
  isDown = true
  await t.rejects(deaf.refresh(), /down/)
  await shared.records.publish({ tenant: 'default', channel: 'signing-keys', text: '' })
  await t.rejects(deaf.refresh(), /down/)
  isDown = false
  await deaf.refresh()
  t.same(names(deaf), names(mute))
})

t.test('others may keep the key set for less than a key is published before it signs', async (t) => {
  const expected = [[60, 30, 15], [2 * HOUR, HOUR, 60], [24 * HOUR, HOUR, 60]] as const
  for (const [publishedBefore, maxAge, lookAgainAfter] of expected) {
    const { rings: [ring] } = await instances(1, { rotation: { every: 1000 * HOUR, publishedBefore } })
    t.same([ring.maxAge, ring.lookAgainAfter], [maxAge, lookAgainAfter])
    t.ok(ring.maxAge + ring.lookAgainAfter < publishedBefore)
  }
})

t.test('a key that another instance made is found by its name, by those who come at once with one look', async (t) => {
  const { shared, rings: [ring] } = await instances(1)
  const { records, looks } = counted(shared.records)
  const other = await openKeyring({ ...shared, records })
  await ring.rotate({ after: 0 })
  const before = looks()

  const found = await Promise.all(Array.from({ length: 100 }, () => other.seek(ring.current.kid)))
  t.same([...new Set(found)], [true])
  t.equal(looks() - before, 1)
  t.equal(await other.seek(ring.current.kid), true)
  t.equal(looks() - before, 1)
})

t.test('a name that we never gave costs no look, one that we gave once two looks and then none', async (t) => {
  const { shared, rings: [ring, third] } = await instances(2)
  const { records, looks } = counted(shared.records)
  const { kid } = ring.current
  await ring.remove(kid)
  const other = await openKeyring({ ...shared, records })
  const elsewhere = await openKeyring({ ...shared, tenant: 'other' })
  const before = looks()

  for (const made of ['', 'a', 'x'.repeat(54), `${kid}x`, kid.replace(/.$/, (last) => last === 'A' ? 'B' : 'A'), elsewhere.current.kid]) {
    t.equal(await other.seek(made), false, made)
  }
  t.equal(looks() - before, 0)
  for (let round = 0; round < 3; round++) t.equal(await other.seek(kid), false)
  t.equal(looks() - before, 2)
  t.equal(await third.seek(ring.current.kid), true)
})

t.test('names of keys that are gone are not remembered without end', async (t) => {
  const { shared, rings: [ring] } = await instances(1)
  const { secrets } = shared
  const gone = (index: number) => {
    const stem = String(index).padStart(11, '0')
    return stem + secrets.mac('signing-keys', `kid/default/${stem}`)
  }
  const found = await Promise.all(Array.from({ length: 1002 }, (_, index) => ring.seek(gone(index))))
  t.same([...new Set(found)], [false])
})

t.test('whatever instances do and whenever, a token of the last hour is good everywhere', async () => {
  const step = fc.record({
    instance: fc.nat(2),
    seconds: fc.nat(HOUR),
    act: fc.constantFrom('nothing', 'nothing', 'nothing', 'rotate', 'at once', 'restart')
  })
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const { clock, shared, rings } = await instances(3)
    const signed: Array<{ readonly kid: string, readonly expiresAt: number }> = []
    for (const { instance, seconds, act } of steps) {
      clock.advance(seconds)
      const now = clock()
      if (act === 'restart') rings[instance] = await openKeyring(shared)
      if (act === 'rotate') await rings[instance]?.rotate()
      if (act === 'at once') await rings[instance]?.rotate({ after: 0 })
      await rings[instance]?.refresh()
      for (const ring of rings) signed.push({ kid: ring.current.kid, expiresAt: now + HOUR })
      for (const ring of rings) {
        for (const { kid } of signed.filter(({ expiresAt }) => now < expiresAt)) {
          if (!await ring.seek(kid)) return false
        }
      }
    }
    return true
  }), { numRuns: 30 })
})

async function signerOf (algorithm: Signer['algorithm'] = 'ES256'): Promise<Signer & { readonly kid: string }> {
  const { kid, publicKey, sign } = await createSigningKey(algorithm)
  return { kid, algorithm, publicJwk: publicKey.export({ format: 'jwk' }), sign: async (bytes) => await sign(bytes) }
}

t.test('of several signers the first signs, and all are published under their thumbprints', async (t) => {
  const signers = [await signerOf('EdDSA'), await signerOf()]
  const { shared, rings: [ring] } = await instances(1, { signers })
  t.equal(ring.current.kid, signers[0]?.kid)
  t.same(kids(ring.jwks), signers.map(({ kid }) => kid))
  t.equal(ring.created, false)

  const again = await openKeyring({ ...shared, signers: [...signers].reverse() })
  t.equal(again.current.kid, signers[1]?.kid)
  t.equal(again.jwks, ring.jwks)
  t.equal((await shared.records.get(RECORD, clock()))?.version, 1)
})

t.test('a signer that is taken out stays published until its tokens have expired, one that comes back for good', async (t) => {
  const [old, next] = [await signerOf(), await signerOf()]
  const { clock, shared, rings: [ring] } = await instances(1, { signers: [old] })
  const after = await openKeyring({ ...shared, signers: [next] })
  t.same(names(after), [old.kid, next.kid])
  await ring.refresh()
  clock.advance(3 * HOUR)
  await after.refresh()
  t.same(names(after), [old.kid, next.kid], 'an instance still signs with it')

  await openKeyring({ ...shared, signers: [next] })
  clock.advance(3 * HOUR)
  await after.refresh()
  t.same(names(after), [next.kid])
})

t.test('keys of the store and of signers stand beside each other while instances go over', async (t) => {
  const signer = await signerOf()
  const { clock, shared, rings: [own] } = await instances(1)
  const first = own.current.kid
  const remote = await openKeyring({ ...shared, signers: [signer] })
  await own.refresh()
  t.equal(own.current.kid, first)
  t.same(names(own).sort(), names(remote).sort())
  await t.rejects(async () => { await own.keys.find(({ kid }) => kid === signer.kid)?.sign(Buffer.from('text')) },
    { code: 'MCPS_ERR_SIGNER' })

  const back = await openKeyring(shared)
  t.equal(back.current.kid, first)
  clock.advance(3 * HOUR)
  await back.refresh()
  t.notOk(names(back).includes(signer.kid))
})

t.test('signers are rotated and taken away by the option, and those that are out of it at once', async (t) => {
  const [signer, old] = [await signerOf(), await signerOf()]
  const { shared, rings: [ring] } = await instances(1, { signers: [signer] })
  await t.rejects(ring.rotate({ after: 0 }), TypeError)
  await t.rejects(ring.remove(signer.kid), TypeError)

  await openKeyring({ ...shared, signers: [old] })
  t.equal(await ring.remove(old.kid), true)
  t.same(names(ring), [signer.kid])
})

t.test('a public key that was put into the store by somebody else is not trusted', async (t) => {
  const { clock, shared } = await instances(1, { signers: [await signerOf()] })
  const record = await shared.records.take(RECORD, clock())
  const body = String(record?.body).replace(/"kid":"(.)/, (_all, first) => `"kid":"${first === '_' ? '-' : '_'}`)
  await shared.records.add({ ...RECORD, expiresAt: null, index: {}, body }, clock())

  await t.rejects(openKeyring(shared), { code: 'MCPS_ERR_SECRETS' })
})
