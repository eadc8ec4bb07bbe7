import t from 'tap'
import { clientRequests } from '../../../lib/plugins/oauth-routes/client-request.js'
import { acceptForms } from '../../../lib/plugins/support/body-parsers.js'
import { certificateSource } from '../../../lib/plugins/support/client-certificate.js'
import type { ClientRequest } from '../../../lib/oauth/client-request.js'
import { buildApp, type Teardown } from '../../helpers/build-app.js'
import { makeCertificate } from '../../helpers/certificates.js'
import type { ClientCertificateOptions } from '../../../types/sender-constraint.js'

const own = makeCertificate('client.example')
const FIELD = `:${own.der.toString('base64')}:`

async function sent (t: Teardown, options: ClientCertificateOptions | null, header = FIELD): Promise<ClientRequest> {
  const app = buildApp(t)
  const read = clientRequests(options === null ? null : certificateSource(options))
  const requests: ClientRequest[] = []
  acceptForms(app)
  app.post('/token', async (request) => {
    requests.push(read(request))
    return ''
  })
  await app.inject({
    method: 'POST',
    url: '/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Basic YTpi', 'client-cert': header },
    payload: 'a=b'
  })
  const [request] = requests
  if (request === undefined) throw new Error('nothing was read')
  return request
}

const PROXY = { header: 'Client-Cert', proxies: ['127.0.0.1'] }

t.test('a request brings its form, its header, and the certificate that the proxy saw', async (t) => {
  const { form, authorization, certificate, proofs } = await sent(t, PROXY)

  t.same([...form], [['a', ['b']]])
  t.equal(authorization, 'Basic YTpi')
  t.same(proofs, [])
  t.match(certificate, { thumbprint: own.thumbprint, isTrusted: false })
  t.equal(certificate?.x509.subject, 'CN=client.example')
})

t.test('nobody vouches for a certificate unless the proxy is said to look at its chain', async (t) => {
  t.equal((await sent(t, PROXY)).certificate?.isTrusted, false)
  t.equal((await sent(t, { ...PROXY, proxiesVerify: false })).certificate?.isTrusted, false)
  t.equal((await sent(t, { ...PROXY, proxiesVerify: true })).certificate?.isTrusted, true)
})

t.test('a header means nothing without the option, and from anybody else than the proxy', async (t) => {
  t.equal((await sent(t, null)).certificate, null)
  t.equal((await sent(t, {})).certificate, null)
  t.equal((await sent(t, { ...PROXY, proxies: ['192.0.2.1'] })).certificate, null)
})

t.test('what is no certificate is none', async (t) => {
  t.equal((await sent(t, PROXY, ':AAAA:')).certificate, null)
  t.equal((await sent(t, PROXY, 'nonsense')).certificate, null)
})

t.test('every DPoP proof is brought, and what the audit has to hear', async (t) => {
  const app = buildApp(t)
  const read = clientRequests(null)
  const brought: unknown[] = []
  acceptForms(app)
  app.post('/token', async (request) => {
    const { proofs, report } = read(request)
    brought.push(proofs)
    report?.({ type: 'leniency.used', operation: 'assertionReuse' })
    return ''
  })
  const answer = await app.inject({
    method: 'POST', url: '/token', headers: { 'content-type': 'application/x-www-form-urlencoded', dpop: 'a.b.c' }, payload: ''
  })

  t.equal(answer.statusCode, 200)
  t.same(brought, [['a.b.c']])
})
