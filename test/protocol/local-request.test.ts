import t from 'tap'
import { isLoopbackAddress, whyNotLocal, type Arrival } from '../../lib/protocol/local-request.js'

const here: Arrival = {
  remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', headers: { host: 'localhost:3000' }, httpVersion: '1.1'
}

const local: Record<string, Partial<Arrival>> = {
  'by IPv4': {},
  'by IPv6': { remoteAddress: '::1', localAddress: '::1', headers: { host: '[::1]:3000' } },
  'by IPv4 in IPv6': { remoteAddress: '::ffff:127.0.0.1', localAddress: '::ffff:127.0.0.1' },
  'to another address of the interface': { remoteAddress: '127.0.0.1', localAddress: '127.8.8.8', headers: { host: '127.8.8.8' } },
  'without a socket': { localAddress: undefined },
  'by HTTP/2': { headers: { ':authority': 'localhost:3000' }, httpVersion: '2.0' },
  'from a page of this machine': { headers: { host: 'localhost:3000', origin: 'http://localhost:6274', 'sec-fetch-site': 'same-site' } }
}

for (const [how, more] of Object.entries(local)) {
  t.test(`a request that came ${how} is one of this machine`, async (t) => {
    t.equal(whyNotLocal({ ...here, ...more }), null)
  })
}

const foreign: Record<string, [Partial<Arrival>, string]> = {
  'from another machine': [{ remoteAddress: '10.0.0.8', localAddress: '10.0.0.7' }, 'not from loopback'],
  'to another address than it came from': [{ localAddress: '192.168.1.7' }, 'not from loopback'],
  'over a Unix socket': [{ remoteAddress: undefined, localAddress: undefined }, 'not from loopback'],
  'from an address that only begins so': [{ remoteAddress: '127.0.0.1.evil' }, 'not from loopback'],
  'by a proxy': [{ headers: { host: 'localhost', 'x-forwarded-for': '10.0.0.8' } }, 'came through a proxy'],
  'by a proxy of the standard': [{ headers: { host: 'localhost', forwarded: 'for=10.0.0.8' } }, 'came through a proxy'],
  'by a proxy that hides': [{ headers: { host: 'localhost', 'x-forwarded-for': '' } }, 'came through a proxy'],
  'by a proxy that says nothing': [{ httpVersion: '1.0' }, 'came through a proxy'],
  'to a rebound name': [{ headers: { host: 'evil.example:3000' } }, 'names another host'],
  'to a name that begins so': [{ headers: { host: 'localhost.evil.example' } }, 'names another host'],
  'to nobody': [{ headers: {} }, 'names another host'],
  'to a host that is none': [{ headers: { host: 'localhost:80@evil' } }, 'names another host'],
  'from a page elsewhere': [{ headers: { host: 'localhost', origin: 'https://evil.example' } }, 'from another site'],
  'from a page of no origin': [{ headers: { host: 'localhost', origin: 'null' } }, 'from another site'],
  'from an image elsewhere': [{ headers: { host: 'localhost', 'sec-fetch-site': 'cross-site' } }, 'from another site']
}

for (const [how, [more, reason]] of Object.entries(foreign)) {
  t.test(`a request that came ${how} is not one of this machine`, async (t) => {
    t.equal(whyNotLocal({ ...here, ...more }), reason)
  })
}

const ofProxies = [
  'x-forwarded', 'x-forwarded-server', 'x-forwarded-port', 'x-original-forwarded-for', 'x-original-host', 'x-client-ip',
  'x-cluster-client-ip', 'true-client-ip', 'fastly-client-ip', 'fly-client-ip', 'cf-connecting-ip', 'do-connecting-ip',
  'x-azure-clientip', 'x-envoy-external-address', 'cdn-loop', 'via', 'x-real-ip'
]

t.test('whatever header a proxy says it in, it is no request of this machine', async (t) => {
  for (const name of ofProxies) {
    t.equal(whyNotLocal({ ...here, headers: { ...here.headers, [name]: '10.0.0.8' } }), 'came through a proxy', name)
  }
  t.equal(whyNotLocal({ ...here, headers: { ...here.headers, 'x-client': '1', 'mcp-via': '1' } }), null)
})

t.test('every address of the loopback network is on loopback, and nothing around it', async (t) => {
  t.ok(['127.0.0.1', '127.255.255.254', '::1', '::FFFF:127.0.0.1'].every(isLoopbackAddress))
  t.notOk(['126.255.255.255', '128.0.0.1', '0.0.0.0', '::', '::2', '::ffff:10.0.0.1', ''].some(isLoopbackAddress))
})
