import fc from 'fast-check'
import t from 'tap'
import { readForm } from '../../lib/protocol/form.js'
import { assertResource, canonicalResource, isSameResource, requestedResource, requestedResources } from '../../lib/protocol/resource-uri.js'

const CANONICAL: Record<string, [string, string]> = {
  'stays when it is canonical': ['https://h.example/mcp', 'https://h.example/mcp'],
  'has scheme and host in lower case': ['HTTPS://H.Example/Mcp', 'https://h.example/Mcp'],
  'loses the default port': ['https://h.example:443/mcp', 'https://h.example/mcp'],
  'keeps another port': ['http://127.0.0.1:3000/mcp', 'http://127.0.0.1:3000/mcp'],
  'loses the slash of an empty path': ['https://h.example/', 'https://h.example'],
  'stays without a path': ['https://h.example', 'https://h.example'],
  'keeps the slash at the end of a path': ['https://h.example/mcp/', 'https://h.example/mcp/'],
  'keeps its query': ['https://h.example/mcp?x=1', 'https://h.example/mcp?x=1'],
  'has a slash between host and query': ['https://h.example?x=1', 'https://h.example/?x=1'],
  'keeps escapes as they are': ['https://h.example/%6dcp', 'https://h.example/%6dcp'],
  'keeps dot segments as they are, so they match nothing': ['https://h.example/a/../mcp', 'https://h.example/a/../mcp'],
  'keeps an IPv6 host': ['http://[::1]:3000/mcp', 'http://[::1]:3000/mcp']
}

for (const [name, [text, canonical]] of Object.entries(CANONICAL)) {
  t.test(`a resource ${name}`, async (t) => { t.equal(canonicalResource(text), canonical) })
}

const REFUSED: Record<string, string> = {
  'an empty text': '',
  'a path': '/mcp',
  'another scheme': 'urn:example:mcp',
  'a script': 'javascript:alert(1)',
  'a fragment': 'https://h.example/mcp#x',
  'an empty fragment': 'https://h.example/mcp#',
  'a user': 'https://h.example@evil.example/mcp',
  'a backslash': 'https://h.example\\@evil.example/mcp',
  'one slash': 'https:/h.example/mcp',
  'no host': 'https:///mcp',
  'a host that is none': 'https://[zz]/mcp',
  'a port that is none': 'https://h.example:99999/mcp',
  'a blank': 'https://h.example/m cp',
  'a line break': 'https://h.example/mcp\n',
  'a quote': 'https://h.example/"mcp',
  'a letter outside of ASCII': 'https://h.example/käse',
  'two thousand characters too many': `https://h.example/${'x'.repeat(2048)}`
}

for (const [name, text] of Object.entries(REFUSED)) {
  t.test(`a resource identifier with ${name} is none`, async (t) => {
    t.equal(canonicalResource(text), null)
    t.equal(isSameResource(text, text), false)
  })
}

t.test('the spellings that clients use name the same resource', async (t) => {
  t.equal(isSameResource('https://h.example/', 'https://h.example'), true)
  t.equal(isSameResource('HTTPS://H.EXAMPLE:443/mcp', 'https://h.example/mcp'), true)
})

t.test('neither a prefix, nor a longer path, nor another query is the same resource', async (t) => {
  for (const other of ['https://h.example', 'https://h.example/mcp/', 'https://h.example/mcp2', 'https://h.example/mcp/x',
    'https://h.example/mcp?x', 'https://h.example/MCP', 'http://h.example/mcp', 'https://h.example:8443/mcp', 'https://evil.example/mcp']) {
    t.equal(isSameResource(other, 'https://h.example/mcp'), false, other)
  }
})

t.test('a resource of the configuration is checked like an issuer', async (t) => {
  t.doesNotThrow(() => { assertResource('https://h.example/mcp') })
  for (const text of ['https://h.example/mcp/', 'http://h.example/mcp', 'https://h.example/mcp?x=1', 'mcp']) {
    t.throws(() => { assertResource(text) }, { name: 'TypeError', message: /^must / })
  }
})

t.test('the requested resource is answered in its canonical form, an empty one counts as omitted', async (t) => {
  t.equal(requestedResource(readForm('resource=https://H.example/')), 'https://h.example')
  t.equal(requestedResource(readForm('resource=')), undefined)
  t.equal(requestedResource(readForm('')), undefined)
})

t.test('the same resource twice is one, two resources are invalid_target', async (t) => {
  t.equal(requestedResource(readForm('resource=https://h.example&resource=https://h.example/')), 'https://h.example')
  t.throws(() => requestedResource(readForm('resource=https://h.example&resource=https://evil.example')),
    { code: 'invalid_target' })
})

t.test('several requested resources are answered once each, in their order', async (t) => {
  const form = readForm('resource=https://b.example&resource=https://A.example/mcp&resource=&resource=https://b.example/')

  t.strictSame(requestedResources(form), ['https://b.example', 'https://a.example/mcp'])
})

t.test('a resource that is no URL, or has a fragment, is invalid_target', async (t) => {
  for (const text of ['resource=mcp', 'resource=https://h.example/%23x', 'resource=https://h.example&resource=x']) {
    t.throws(() => requestedResource(readForm(text)), { code: 'invalid_target' })
  }
})

t.test('whatever goes in, a canonical form is its own canonical form', async () => {
  const parts = fc.array(fc.constantFrom('https://', 'HTTP://', 'h', 'H.e', ':443', ':80', '/', 'mcp', '?', 'x=1', '#', '@', '%41', '[::1]', '..'))
  fc.assert(fc.property(parts, (pieces) => {
    const canonical = canonicalResource(pieces.join(''))
    return canonical === null || (canonicalResource(canonical) === canonical && URL.canParse(canonical))
  }), { numRuns: 2000 })
})
