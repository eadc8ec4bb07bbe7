import t from 'tap'
import { networkOf, readNetworks } from '../../lib/protocol/networks.js'

t.test('an address is itself, also when it is written as IPv6', async (t) => {
  const isWithin = readNetworks(['192.0.2.7', '2001:db8::7'])

  for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8::7', '2001:DB8:0::7']) t.ok(isWithin(address), address)
  for (const address of ['192.0.2.8', '::ffff:192.0.2.8', '2001:db8::8', '', undefined, 'localhost', '192.0.2.7:80']) {
    t.notOk(isWithin(address), String(address))
  }
})

t.test('a network is all of its addresses', async (t) => {
  const isWithin = readNetworks(['10.0.0.0/8', '2001:db8::/32', '0.0.0.0/32'])

  for (const address of ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3', '2001:db8:ffff::1']) t.ok(isWithin(address), address)
  for (const address of ['11.0.0.0', '9.255.255.255', '2001:db9::1', '::1']) t.notOk(isWithin(address), address)
})

t.test('no network holds nobody', async (t) => {
  t.notOk(readNetworks([])('127.0.0.1'))
})

for (const wrong of ['', 'localhost', '10.0.0.0/33', '2001:db8::/129', '10.0.0/8', '10.0.0.0/', '10.0.0.0/8/8', '1.2.3.4/-1', '*']) {
  t.test(`${JSON.stringify(wrong)} is no network`, async (t) => {
    t.throws(() => readNetworks(['127.0.0.1', wrong]), { name: 'TypeError', message: /^1 must be an IP address/ })
  })
}

t.test('an IPv4 address is counted with its /24, everything else as it is', async (t) => {
  t.equal(networkOf('192.0.2.7'), networkOf('192.0.2.255'))
  t.not(networkOf('192.0.2.7'), networkOf('192.0.3.7'))
  t.equal(networkOf('2001:db8:1:2::'), '2001:db8:1:2::')
  t.equal(networkOf(''), '')
})
