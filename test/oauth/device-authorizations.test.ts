import fc from 'fast-check'
import t from 'tap'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import { mintUserCode, readUserCode, showUserCode } from '../../lib/crypto/user-code.js'
import { createDeviceAuthorizations, type DeviceRequest } from '../../lib/oauth/device-authorizations.js'
import { mintDeviceCode, readDeviceCode } from '../../lib/oauth/device-code.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { RESOURCE, SECRETS, START } from '../helpers/token-context.js'

const REQUEST: DeviceRequest = { clientId: 'tv', resource: RESOURCE, scopes: ['notes:read'], network: '192.0.2.1' }
const OTHERS = deriveSecrets(['another secret of thirty-two characters or more'])

function openDevices (tenant = 'default', records = memoryStore()) {
  return { records, devices: createDeviceAuthorizations({ records, tenant, secrets: SECRETS }) }
}

t.test('a user code is eight letters that are no word and look like no other letter (RFC 8628 §6.1)', async (t) => {
  const codes = Array.from({ length: 200 }, mintUserCode)

  for (const code of codes) t.match(code, /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/)
  t.equal(new Set(codes).size, codes.length)
})

t.test('a user code is read however people type it', async (t) => {
  for (const typed of ['WDJBMJHT', 'WDJB-MJHT', 'wdjb-mjht', ' wdjb mjht ', 'WDJB\u2013MJHT', 'W D J B - M J H T']) {
    t.equal(readUserCode(typed), 'WDJBMJHT', typed)
  }
  t.equal(showUserCode('WDJBMJHT'), 'WDJB-MJHT')
})

t.test('what is no user code is not looked up', async (t) => {
  for (const typed of ['', 'WDJB-MJH', 'WDJB-MJHTT', 'WDJB-MJHA', 'WDJB_MJHT', 'WDJB-MJH1', 'ＷDJB-MJHT', 'W'.repeat(70_000)]) {
    t.equal(readUserCode(typed), null, typed.slice(0, 20))
  }
})

t.test('whatever is shown is read back, and whatever is read is a code (property)', async () => {
  const codes = fc.constantFrom(...Array.from({ length: 20 }, mintUserCode))
  fc.assert(fc.property(codes, (code) => readUserCode(showUserCode(code)) === code))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (typed) => /^[B-Z]{8}$/.test(readUserCode(typed) ?? 'BBBBBBBB')))
})

t.test('a device code is told from a guess, and says by itself when it ends', async (t) => {
  const code = mintDeviceCode({ deviceId: 'd'.repeat(43), endsAt: START }, SECRETS)

  t.same(readDeviceCode(code, SECRETS), { deviceId: 'd'.repeat(43), endsAt: START })
  t.equal(readDeviceCode(code.replace(String(START), String(START + 1)), SECRETS), null)
  t.equal(readDeviceCode(code.replace('d', 'e'), SECRETS), null)
  t.equal(readDeviceCode(code, OTHERS), null)
  for (const text of ['', '.', 'x'.repeat(1000), `${code}x`, `${code}\n`]) t.equal(readDeviceCode(text, SECRETS), null)
})

t.test('an authorization is found by either code until it ends', async (t) => {
  const { devices } = openDevices()
  const { deviceCode, userCode, expiresIn, interval } = await devices.open(REQUEST, START)
  const expected = { ...REQUEST, askedAt: START, endsAt: START + 600, decision: null }

  t.same([expiresIn, interval], [600, 5])
  t.match(await devices.findByUserCode(userCode, START + 599), expected)
  t.match(await devices.findByDeviceCode(deviceCode, START + 599), expected)
  t.equal(await devices.findByUserCode(userCode, START + 600), null)
  t.equal(await devices.findByDeviceCode(deviceCode, START + 600), 'expired')
})

t.test('nothing is found by another code, or by the code of another tenant', async (t) => {
  const { devices, records } = openDevices()
  const { deviceCode, userCode } = await devices.open(REQUEST, START)
  const { deviceId } = await devices.findByUserCode(userCode, START) ?? { deviceId: '' }
  const { devices: others } = openDevices('b', records)

  t.equal(await devices.findByUserCode(mintUserCode(), START), null)
  t.equal(await devices.findByDeviceCode(mintDeviceCode({ deviceId, endsAt: START + 600 }, SECRETS), START), null)
  const gone = mintDeviceCode({ deviceId: 'd'.repeat(43), endsAt: START + 600 }, SECRETS)
  t.equal(await devices.findByDeviceCode(gone, START), null)
  t.equal(await devices.findByDeviceCode('a guess', START), null)
  t.equal(await others.findByUserCode(userCode, START), null)
  t.equal(await others.findByDeviceCode(deviceCode, START), null)
})

t.test('the store holds neither code', async (t) => {
  const { devices, records } = openDevices()
  const { deviceCode, userCode } = await devices.open(REQUEST, START)

  const { records: held } = await records.list({ tenant: 'default', kind: 'device-authorization', limit: 10 }, START)
  const text = JSON.stringify(held)

  t.equal(held.length, 1)
  t.notOk(text.includes(userCode) || text.includes(showUserCode(userCode)) || text.includes(deviceCode))
})

t.test('a user code that is taken is not given out a second time', async (t) => {
  const records = memoryStore()
  let refusals = 0
  const crowded = new Proxy(records, {
    get: (target, name) => name === 'add' && refusals < 2
      ? async () => { refusals += 1; return false }
      : Reflect.get(target, name)
  })
  const { devices } = openDevices('default', crowded)

  const { userCode } = await devices.open(REQUEST, START)

  t.equal(refusals, 2)
  t.match(await devices.findByUserCode(userCode, START), { clientId: 'tv' })
})

t.test('of any number of decisions one counts, and its repeat', async (t) => {
  const { devices } = openDevices()
  const { deviceCode, userCode } = await devices.open(REQUEST, START)
  const { deviceId } = await devices.findByUserCode(userCode, START) ?? { deviceId: '' }
  const grants = ['g1', 'g2', 'g3', null]

  const counted = await Promise.all(grants.map((grantId) => devices.decide(deviceId, { grantId }, START)))
  const winner = grants[counted.indexOf(true)]

  t.equal(counted.filter(Boolean).length, 1)
  t.match(await devices.findByDeviceCode(deviceCode, START), { decision: { grantId: winner } })
  t.equal(await devices.decide(deviceId, { grantId: winner ?? null }, START), true)
  t.equal(await devices.decide(deviceId, { grantId: 'g9' }, START), false)
  t.equal(await devices.findByUserCode(userCode, START), null, 'nothing is left to decide')
})

t.test('nobody decides about what has ended', async (t) => {
  const { devices } = openDevices()
  const { userCode } = await devices.open(REQUEST, START)
  const { deviceId } = await devices.findByUserCode(userCode, START) ?? { deviceId: '' }

  t.equal(await devices.decide(deviceId, { grantId: 'g1' }, START + 600), false)
})

t.test('a decision that never gets its turn is refused', async (t) => {
  const records = memoryStore()
  const { devices } = openDevices('default', new Proxy(records, {
    get: (target, name) => name === 'replace' ? async () => false : Reflect.get(target, name)
  }))
  const { userCode } = await devices.open(REQUEST, START)
  const { deviceId } = await devices.findByUserCode(userCode, START) ?? { deviceId: '' }

  t.equal(await devices.decide(deviceId, { grantId: 'g1' }, START), false)
})

const QUOTAS: Record<string, [number, (index: number) => Partial<DeviceRequest>]> = {
  'one network': [100, (index) => ({ clientId: `tv${index}` })],
  'one client': [1000, (index) => ({ network: `192.0.2.${index}` })],
  'all together': [5000, (index) => ({ clientId: `tv${index}`, network: `192.0.2.${index}` })]
}

for (const [who, [max, other]] of Object.entries(QUOTAS)) {
  t.test(`${who} can have ${max} open and no more, until the window has passed`, async (t) => {
    const { devices } = openDevices()
    for (let index = 0; index < max; index += 1) await devices.open({ ...REQUEST, ...other(index) }, START)

    await t.rejects(devices.open({ ...REQUEST, ...other(max) }, START + 599), { code: 'too_many_requests' })
    await t.resolves(devices.open({ ...REQUEST, ...other(max) }, START + 600))
  })
}

t.test('a device that asks before its time is told so (RFC 8628 §3.5)', async (t) => {
  const { devices } = openDevices()

  const paces = []
  for (const second of [0, 3, 4, 5, 8]) paces.push(await devices.keepsPace('d', START + second))

  t.same(paces, [true, false, true, false, true])
})

t.test('a user can type ten codes in ten minutes, right or wrong (RFC 8628 §5.1)', async (t) => {
  const { devices } = openDevices()

  for (let entry = 0; entry < 10; entry += 1) t.equal(await devices.countEntry('alice', START), 0)
  t.equal(await devices.countEntry('alice', START + 100), 500)
  t.equal(await devices.countEntry('bob', START + 100), 0)
  t.equal(await devices.countEntry('alice', START + 600), 0)
})

t.test('all users together can type a thousand', async (t) => {
  const { devices } = openDevices()
  for (let user = 0; user < 1000; user += 1) await devices.countEntry(`user ${user}`, START)

  t.equal(await devices.countEntry('one more', START + 1), 599)
})
