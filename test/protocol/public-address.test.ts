import fc from 'fast-check'
import t from 'tap'
import { isPublicAddress } from '../../lib/protocol/public-address.js'

const PRIVATE = [
  '0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.255', '169.254.169.254',
  '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1', '192.168.1.1', '198.18.0.1', '198.19.255.255',
  '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255',
  '::', '::1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::8.8.8.8', '64:ff9b::808:808', '64:ff9b:1::1', '100::1', 'fc00::1',
  'fd12:3456::1', 'fe80::1', 'fec0::1', 'ff02::1', '2001::1', '2001:1::1', '2001:db8::1', '2002:a00:1::1',
  '2002:808:808::1', '3fff::1', '4000::1', '5f00::1'
]

t.test('no address of this machine, its network or a special use is public (PX-11)', async (t) => {
  for (const address of PRIVATE) t.notOk(isPublicAddress(address), address)
})

t.test('addresses next to the special ones are', async (t) => {
  const near = [
    '1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0',
    '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0',
    '198.17.255.255', '198.20.0.0', '223.255.255.255', '2001:4860:4860::8888', '2606:4700::1111', '2a00::1'
  ]
  for (const address of near) t.ok(isPublicAddress(address), address)
})

t.test('what is no IP address is not public', async (t) => {
  for (const text of ['', 'localhost', '8.8.8', '0x08080808', '010.8.8.8', '8.8.8.8.', ' 8.8.8.8', '[2606:4700::1111]', '2606:4700::1111%eth0 ']) {
    t.notOk(isPublicAddress(text), text)
  }
})

t.test('an IPv4 address is never public in the clothes of an IPv6 one', async () => {
  fc.assert(fc.property(fc.ipV4(), (address) => !isPublicAddress(`::ffff:${address}`) && !isPublicAddress(`64:ff9b::${address}`)))
})
