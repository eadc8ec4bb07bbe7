import t from 'tap'
import { pathOf, resourceMetadataPaths, resourceMetadataUrl, serverMetadataPaths } from '../../lib/protocol/well-known.js'

t.test('the path of a resource is inserted, and the root answers as well', async (t) => {
  t.strictSame(resourceMetadataPaths('https://h.example/mcp'),
    ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource'])
})

t.test('a resource without path has one place', async (t) => {
  for (const resource of ['https://h.example', 'https://h.example/']) {
    t.strictSame(resourceMetadataPaths(resource), ['/.well-known/oauth-protected-resource'])
  }
})

t.test('a query plays no part in the path', async (t) => {
  t.equal(resourceMetadataPaths('https://h.example/a/mcp?x=1')[0], '/.well-known/oauth-protected-resource/a/mcp')
})

t.test('the path of an issuer is inserted, and the root answers as well', async (t) => {
  t.strictSame(serverMetadataPaths('https://h.example/t1'),
    ['/.well-known/oauth-authorization-server/t1', '/.well-known/oauth-authorization-server'])
  t.strictSame(serverMetadataPaths('http://localhost:3000'), ['/.well-known/oauth-authorization-server'])
})

t.test('the URL for the challenge is the first of the places, on the origin of the resource', async (t) => {
  t.equal(resourceMetadataUrl('https://h.example/mcp'), 'https://h.example/.well-known/oauth-protected-resource/mcp')
  t.equal(resourceMetadataUrl('http://127.0.0.1:3000'), 'http://127.0.0.1:3000/.well-known/oauth-protected-resource')
})

t.test('a query of the resource stays behind the inserted path', async (t) => {
  t.equal(resourceMetadataUrl('https://h.example/mcp?x=1'), 'https://h.example/.well-known/oauth-protected-resource/mcp?x=1')
})

t.test('a path that is only the slash after the host is none', async (t) => {
  t.equal(pathOf('https://h.example/'), '')
  t.equal(pathOf('https://h.example/a/'), '/a/')
})
