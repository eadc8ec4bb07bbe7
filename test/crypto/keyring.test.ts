import t from 'tap'
import { openKeyring, type KeyringOptions } from '../../lib/crypto/keyring.js'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import { memoryStore } from '../../lib/stores/memory.js'
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
  t.ok(after.current.privateKey.equals(before.current.privateKey))
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
  const { current } = await openKeyring(options)
  const record = await options.records.get(RECORD, clock())

  const { d } = current.privateKey.export({ format: 'jwk' })
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
