import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { Agent } from 'node:https'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { fetchPublicJson, PublicFetchError, type LookupAll } from '../../lib/tokens/public-fetch.js'
import { certificate, json, NAME, resolver, serveDocuments } from '../helpers/document-server.js'

const refusedFor = (reason: string) => ({ name: 'PublicFetchError', reason })

t.test('answers the document and how long it may be kept', async (t) => {
  const { url, options } = await serveDocuments(t, json({ a: 1 }, { 'cache-control': 'max-age=600' }))
  t.strictSame(await fetchPublicJson(url(), options), { document: { a: 1 }, cacheControl: 'max-age=600' })
})

t.test('takes every JSON type', async (t) => {
  const { url, options } = await serveDocuments(t, json([], { 'content-type': 'application/client+json; charset=utf-8' }))
  t.strictSame(await fetchPublicJson(url(), options), { document: [], cacheControl: '' })
})

t.test('shows no credentials and asks for no compression (PX-13)', async (t) => {
  const { url, options } = await serveDocuments(t, (request, response) => { json(request.headers)(request, response) })
  const { document } = await fetchPublicJson(url(), options)
  t.strictSame(Object.keys(document as object).sort(), ['accept', 'accept-encoding', 'connection', 'host'])
  t.match(document, { 'accept-encoding': 'identity' })
})

t.test('connects to nobody whose address is not public (PX-11)', async (t) => {
  let connections = 0
  const sink = createTcpServer(() => { connections += 1 }).listen(0, '127.0.0.1')
  await once(sink, 'listening')
  t.teardown(() => { sink.close() })
  const { port } = sink.address() as AddressInfo

  for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '0177.0.0.1', '127.1']) {
    await t.rejects(fetchPublicJson(new URL(`https://${host}:${port}/`)), refusedFor('an address that is not public'), host)
  }
  for (const addresses of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['127.0.0.1', '8.8.8.8'], ['::ffff:127.0.0.1'], ['169.254.169.254']]) {
    await t.rejects(fetchPublicJson(new URL(`https://${NAME}:${port}/`), { lookup: resolver(addresses) }),
      refusedFor('an address that is not public'), addresses.join())
  }
  t.equal(connections, 0)
})

t.test('a name is resolved once, so it cannot flip between the check and the connection (PX-11)', async (t) => {
  const { url, options } = await serveDocuments(t, json({}))
  const lookup = resolver(['127.0.0.1'], ['10.0.0.1'])
  await fetchPublicJson(url(), { ...options, lookup })
  t.equal(lookup.asked(), 1)
})

t.test('a resolver that answers one address is asked for all of them', async (t) => {
  const { url, options } = await serveDocuments(t, json({}))
  const { cert } = await certificate
  await fetchPublicJson(url(), { ...options, agent: new Agent({ ca: cert, autoSelectFamily: false }) })
  t.pass()
})

t.test('a name without an address is no answer', async (t) => {
  await t.rejects(fetchPublicJson(new URL(`https://${NAME}/`), { lookup: resolver([]) }), refusedFor('no address'))
  const failing: LookupAll = (_hostname, _options, callback) => { callback(new Error('down'), []) }
  await t.rejects(fetchPublicJson(new URL(`https://${NAME}/`), { lookup: failing }), refusedFor('no answer'))
})

t.test('a name that the system cannot resolve is no answer, and no more than that', async (t) => {
  await t.rejects(fetchPublicJson(new URL('https://nobody.invalid/')), refusedFor('no answer'))
})

t.test('only https without a user, on ports where web servers are (PX-10)', async (t) => {
  for (const url of ['http://client.example/', 'ftp://client.example/', 'https://me@client.example/', 'https://:x@client.example/']) {
    await t.rejects(fetchPublicJson(new URL(url), { lookup: resolver(['8.8.8.8']) }), refusedFor('not an https URL'), url)
  }
  await t.rejects(fetchPublicJson(new URL('https://client.example:25/')), refusedFor('a port that is not served'))
})

t.test('redirects are not followed, and nothing but 200 counts (PX-12)', async (t) => {
  for (const status of [201, 204, 206, 301, 302, 307, 308, 400, 404, 500]) {
    const { url, options, seen } = await serveDocuments(t, (_request, response) => {
      response.writeHead(status, { location: '/elsewhere', 'content-type': 'application/json' }).end(status === 204 ? undefined : '{}')
    })
    await t.rejects(fetchPublicJson(url(), options), refusedFor('a status other than 200'), String(status))
    t.strictSame(seen, ['/client.json'])
  }
})

t.test('other types, broken texts and compressed ones are refused (PX-13)', async (t) => {
  const table: ReadonlyArray<readonly [string, RequestListener]> = [
    ['not of a JSON type', json({}, { 'content-type': 'text/html' })],
    ['not of a JSON type', (_request, response) => { response.end('{}') }],
    ['not JSON', (_request, response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('{') }],
    ['not JSON', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.from([0x22, 0xff, 0x22]))
    }],
    ['compressed', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync('{}'))
    }]
  ]
  for (const [reason, listener] of table) {
    const { url, options } = await serveDocuments(t, listener)
    await t.rejects(fetchPublicJson(url(), options), refusedFor(reason))
  }
})

t.test('reads no more than the bound, whatever the length says (PX-13)', async (t) => {
  const fits = JSON.stringify('x'.repeat(5118))
  const { url, options } = await serveDocuments(t, json('x'.repeat(5118)))
  t.equal(JSON.stringify((await fetchPublicJson(url(), options)).document), fits)

  let sent = 0
  const endless = await serveDocuments(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const more = (): void => { while (sent < 50_000_000 && !response.destroyed && response.write(' '.repeat(1024))) sent += 1024 }
    response.on('drain', more)
    more()
  })
  await t.rejects(fetchPublicJson(endless.url(), endless.options), refusedFor('too large'))
  t.ok(sent < 50_000_000)
})

t.test('a server that is too slow is given up, before and inside of its answer (PX-13)', async (t) => {
  const silent = await serveDocuments(t, () => {})
  await t.rejects(fetchPublicJson(silent.url(), { ...silent.options, timeoutMs: 50 }), refusedFor('too slow'))
  const stuck = await serveDocuments(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  })
  await t.rejects(fetchPublicJson(stuck.url(), { ...stuck.options, timeoutMs: 500 }), refusedFor('too slow'))
})

t.test('a server that switches protocols is no answer', async (t) => {
  const { url, options } = await serveDocuments(t, (_request, response) => {
    response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  await t.rejects(fetchPublicJson(url(), options), refusedFor('no answer'))
})

t.test('a certificate of nobody we know is no answer', async (t) => {
  const { url, options: { lookup, isAllowed } } = await serveDocuments(t, json({}))
  await t.rejects(fetchPublicJson(url(), { ...(lookup && { lookup }), ...(isAllowed && { isAllowed }) }), refusedFor('no answer'))
})

t.test('its error says nothing of where it was', async (t) => {
  const error = new PublicFetchError('no answer')
  t.equal(error.message, 'a document of somebody else: no answer')
})
