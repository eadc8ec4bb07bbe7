import t from 'tap'
import { addressKeys } from '../../../lib/plugins/support/address-key.js'

const SAME = {
  'an IPv4 address mapped into IPv6': ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201'],
  'addresses of one /64': ['2001:db8:1:2::1', '2001:DB8:1:2:ffff:ffff:ffff:ffff', '2001:0db8:0001:0002:0::5'],
  'one interface, with its zone': ['fe80::1%eth0', 'fe80::2%eth1'],
  'no address': ['', undefined]
}

for (const [name, addresses] of Object.entries(SAME)) {
  t.test(`${name} count as one`, async (t) => {
    const keyOf = addressKeys()

    t.equal(new Set(addresses.map(keyOf)).size, 1)
  })
}

t.test('other addresses count apart', async (t) => {
  const keyOf = addressKeys()
  const addresses = ['192.0.2.1', '192.0.2.2', '::ffff:192.0.2.3', '2001:db8:1:2::1', '2001:db8:1:3::1', '::1']

  t.equal(new Set(addresses.map(keyOf)).size, addresses.length)
})

t.test('an answer does not depend on what was asked before', async (t) => {
  const keyOf = addressKeys()
  const last = '2001:db8:ffff::1'
  const before = keyOf(last)

  for (let index = 0; index < 10_001; index += 1) keyOf(`2001:db8:0:${index.toString(16)}::1`)

  t.equal(keyOf(last), before)
  t.equal(keyOf(last), before)
  t.equal(keyOf('2001:db8:0:1::2'), keyOf('2001:db8:0:1::1'))
})

t.test('what a proxy makes up is no longer than an address', async (t) => {
  const keyOf = addressKeys()

  t.ok(keyOf('x'.repeat(16_000)).length <= 64)
  t.ok(keyOf(`${'x:'.repeat(8000)}`).length <= 64)
})
