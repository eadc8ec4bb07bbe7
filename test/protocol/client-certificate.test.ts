import fc from 'fast-check'
import t from 'tap'
import { readCertificateHeader } from '../../lib/protocol/client-certificate.js'

const der = Buffer.from(Array.from({ length: 300 }, (_, index) => index % 256))
const base64 = der.toString('base64')
const pem = `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`

t.test('a byte sequence is read', async (t) => {
  t.same(readCertificateHeader(`:${base64}:`), der)
})

t.test('URL-encoded PEM is read, as nginx and Envoy write it', async (t) => {
  t.same(readCertificateHeader(encodeURIComponent(pem)), der)
  t.same(readCertificateHeader(pem.replaceAll('\n', '%0A').replaceAll(' ', '%20')), der)
  t.same(readCertificateHeader(encodeURIComponent(pem.replaceAll('\n', '\r\n'))), der)
})

const none: Record<string, string> = {
  nothing: '',
  'a colon': ':',
  'two colons': '::',
  'a byte sequence without its end': `:${base64}`,
  'a parameter behind it': `:${base64}:;a=1`,
  'two byte sequences': `:${base64}:, :${base64}:`,
  'a blank in the bytes': `:${base64.slice(0, 8)} ${base64.slice(8)}:`,
  base64url: `:${base64.replaceAll('+', '-').replaceAll('/', '_')}:`,
  'bytes in another spelling': ':QUJDRB==:',
  'bytes without their padding': ':QQ:',
  'base64 alone': base64,
  'two certificates': encodeURIComponent(pem + pem),
  'something before the PEM': encodeURIComponent(`x${pem}`),
  'a key': encodeURIComponent(pem.replaceAll('CERTIFICATE', 'PUBLIC KEY')),
  'PEM that is empty': encodeURIComponent('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----'),
  'a beginning that is the end': encodeURIComponent('-----BEGIN CERTIFICATE----------END CERTIFICATE-----'),
  'an escape that is none': '%E0%A4%A',
  'more than 16 384 characters': `:${'A'.repeat(16_384)}:`
}
for (const [what, value] of Object.entries(none)) {
  t.test(`${what} is no certificate`, async (t) => {
    t.equal(readCertificateHeader(value), null)
  })
}

t.test('whatever stands in the header, nothing is thrown, and what is read is what was written', async () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 500 }), fc.string({ unit: 'binary' }), (bytes, noise) => {
    const text = Buffer.from(bytes).toString('base64')
    readCertificateHeader(noise)
    readCertificateHeader(`:${noise}:`)
    return readCertificateHeader(`:${text}:`)?.equals(bytes) === true
  }))
})
