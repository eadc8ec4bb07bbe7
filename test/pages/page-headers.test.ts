import fc from 'fast-check'
import t from 'tap'
import { pageHeaders } from '../../lib/pages/page-headers.js'

const policyOf = (...formActions: string[]) => pageHeaders(formActions)['content-security-policy'] ?? ''
const formActionOf = (...formActions: string[]) => policyOf(...formActions).split('; ').at(-1)

t.test('a page is never framed, cached, indexed or sniffed', async (t) => {
  const { 'content-security-policy': policy, ...others } = pageHeaders([])

  t.match(policy, /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'$/)
  t.same(others, {
    'content-type': 'text/html; charset=utf-8',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'unsafe-none',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex',
    'cache-control': 'no-store'
  })
})

const sources = {
  'https://client.example/cb?x=1': 'https://client.example',
  'https://client.example:8443/cb': 'https://client.example:8443',
  'http://127.0.0.1:54321/cb': 'http://127.0.0.1:54321',
  'http://localhost:54321': 'http://localhost:54321',
  'https://bücher.example/cb': 'https://xn--bcher-kva.example',
  'http://[::1]:54321/cb': 'http:',
  'cursor://auth/cb': 'cursor:',
  'com.example.app:/cb': 'com.example.app:',
  'https:': 'https:'
}

for (const [target, source] of Object.entries(sources)) {
  t.test(`a form may lead to ${target}, named ${source}`, async (t) => {
    t.equal(formActionOf(target), `form-action 'self' ${source}`)
  })
}

const others = {
  'a wildcard host': 'https://*',
  'a wildcard subdomain': 'https://*.example',
  'a host that ends the directive': 'https://a;sandbox',
  'a host that ends the policy': 'https://a,b',
  'a keyword': "'unsafe-inline'",
  'a bare wildcard': '*',
  'two sources': 'https: http:',
  'a line break': 'https:\r\nx-evil: 1',
  nothing: ''
}

for (const [what, source] of Object.entries(others)) {
  t.test(`${what} adds nothing to the policy`, async (t) => {
    t.equal(policyOf(source), policyOf())
  })
}

t.test('a source stands once', async (t) => {
  t.equal(formActionOf('https://h.example/a', 'https://h.example/b'), "form-action 'self' https://h.example")
})

t.test('no string adds a directive, a second policy or a header line', async (t) => {
  const uri = fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), fc.tuple(fc.constantFrom('https://', 'x:', 'http://a'), fc.string()).map((parts) => parts.join('')))
  fc.assert(fc.property(uri, (text) => /^'self'(?: [a-z][a-z0-9+.-]*:(?:\/\/[a-z0-9._:-]+)?)?$/.test(formActionOf(text)?.slice('form-action '.length) ?? '')))
  t.pass('every policy kept its shape')
})
