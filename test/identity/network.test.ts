import fc from 'fast-check'
import t from 'tap'
import { networkOf } from '../../lib/identity/network.js'

const NETWORKS = {
  'an IPv4 address is a network of its own': ['203.0.113.9', '203.0.113.9'],
  'an IPv4 address in IPv6 clothes is the IPv4 address': ['::ffff:203.0.113.9', '203.0.113.9'],
  'in capitals, too': ['::FFFF:203.0.113.9', '203.0.113.9'],
  'and written out': ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
  'an IPv6 address is its first 64 bits': ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  'zeros that were left out are put back': ['2001:db8::6', '2001:db8:0:0::/64'],
  'zeros at the front are dropped': ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
  'capitals are small': ['2001:DB8:A:B::1', '2001:db8:a:b::/64'],
  'nothing but zeros': ['::', '0:0:0:0::/64'],
  'the loopback address': ['::1', '0:0:0:0::/64'],
  'zeros in the second half': ['1:2:3:4:5::8', '1:2:3:4::/64'],
  'what is no address stays what it is': ['unix socket', 'unix socket']
} as const

for (const [what, [address, network]] of Object.entries(NETWORKS)) {
  t.test(what, async (t) => {
    t.equal(networkOf(address), network)
  })
}

t.test('all addresses with the same first 64 bits are one network, and no others', async () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16))
  const half = fc.array(group, { minLength: 4, maxLength: 4 })
  fc.assert(fc.property(half, half, half, half, (one, two, three, four) => {
    const same = networkOf([...one, ...two].join(':')) === networkOf([...one, ...three].join(':'))
    const apart = networkOf([...one, ...two].join(':')) !== networkOf([...four, ...two].join(':'))
    return same && (apart || one.join() === four.join())
  }))
})

t.test('one address has one network, however its zeros are written', async () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
  fc.assert(fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
    const short = new URL(`http://[${groups.map((number) => number.toString(16)).join(':')}]`).hostname.slice(1, -1)
    const long = groups.map((number) => number.toString(16).padStart(4, '0')).join(':')
    return networkOf(short) === networkOf(long)
  }))
})
