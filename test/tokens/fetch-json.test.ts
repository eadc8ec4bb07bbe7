import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { fetchJson, fetchText } from '../../lib/tokens/fetch-json.js'
import type { Teardown } from '../helpers/build-app.js'

async function serve (t: Teardown, listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return { url, what: 'the key set', fetch, timeoutMs: 5000 }
}

const json = { 'content-type': 'application/json' }
const secret = 'a-secret-of-the-answer'

const failures: Record<string, RequestListener> = {
  'a 500': (_request, response) => { response.writeHead(500, json).end('{}') },
  'a 404 in JSON': (_request, response) => { response.writeHead(404, json).end('{}') },
  'a 204': (_request, response) => { response.writeHead(204, json).end() },
  'a 206': (_request, response) => { response.writeHead(206, json).end('{}') },
  'a 401': (_request, response) => { response.writeHead(401, { ...json, 'www-authenticate': 'Basic' }).end(`{"${secret}":1}`) },
  'a page': (_request, response) => { response.writeHead(200, { 'content-type': 'text/html' }).end('{}') },
  'no type': (_request, response) => { response.writeHead(200).end('{}') },
  'a type that begins like JSON': (_request, response) => { response.writeHead(200, { 'content-type': 'application/jsonp' }).end('{}') },
  'half a document': (_request, response) => { response.writeHead(200, json).end(`{"a":"${secret}`) },
  'an empty answer': (_request, response) => { response.writeHead(200, json).end() },
  'a large answer': (_request, response) => { response.writeHead(200, json).end(`"${'x'.repeat(262_144)}"`) },
  'an answer that breaks off': (_request, response) => {
    response.writeHead(200, { ...json, 'content-length': '100' }).write('{}')
    response.destroy()
  }
}

for (const [name, listener] of Object.entries(failures)) {
  t.test(`${name} is as good as no answer`, async (t) => {
    const source = await serve(t, listener)

    const error: unknown = await fetchJson(source, { method: 'GET' }).catch((error: unknown) => error)

    t.ok(error instanceof StoreUnavailableError)
    t.match(error, { message: `the key set cannot be had from ${new URL(source.url).origin}`, cause: Error })
    t.notMatch(JSON.stringify([error, String(error), String(error instanceof Error && error.cause)]), secret)
  })
}

t.test('a redirect is not followed', async (t) => {
  const paths: (string | undefined)[] = []
  const source = await serve(t, ({ url }, response) => {
    paths.push(url)
    response.writeHead(302, { ...json, location: '/other' }).end('{}')
  })

  await t.rejects(fetchJson(source, { method: 'GET' }), StoreUnavailableError)
  t.strictSame(paths, ['/'])
})

t.test('nobody who listens is as good as no answer', async (t) => {
  const source = { url: 'http://127.0.0.1:1/', what: 'the key set', fetch, timeoutMs: 5000 }

  await t.rejects(fetchJson(source, { method: 'GET' }), StoreUnavailableError)
})

t.test('an answer that does not begin, or does not end, is given up in time', async (t) => {
  const silent = await serve(t, () => {})
  const endless = await serve(t, (_request, response) => { response.writeHead(200, json).write('[') })

  for (const source of [silent, endless]) {
    await t.rejects(fetchJson({ ...source, timeoutMs: 100 }, { method: 'GET' }), { cause: { name: 'TimeoutError' } })
  }
})

for (const type of ['application/json', 'application/jwk-set+json; charset=utf-8', 'Application/JSON;charset=UTF-8']) {
  t.test(`a document of the type ${type} is read, in whatever pieces it comes`, async (t) => {
    const text = Buffer.from('{"a":"\u00e4"}')
    const source = await serve(t, (_request, response) => {
      response.writeHead(200, { 'content-type': type }).write(text.subarray(0, 7))
      response.end(text.subarray(7))
    })

    t.strictSame(await fetchJson(source, { method: 'GET' }), { a: '\u00e4' })
  })
}

t.test('an answer of the largest size is read', async (t) => {
  const source = await serve(t, (_request, response) => { response.writeHead(200, json).end(`"${'x'.repeat(262_142)}"`) })

  t.equal(String(await fetchJson(source, { method: 'GET' })).length, 262_142)
})

t.test('method, headers and body are sent, and JSON is asked for', async (t) => {
  const source = await serve(t, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { method, headers: { accept, authorization } } = request
    response.writeHead(200, json).end(JSON.stringify({ method, accept, authorization, body }))
  })

  t.strictSame(await fetchJson(source, { method: 'POST', headers: { authorization: 'Basic x' }, body: 'a=1' }), {
    method: 'POST', accept: 'application/json', authorization: 'Basic x', body: 'a=1'
  })
})

t.test('text counts when it is of exactly the type that was asked for', async (t) => {
  const types = ['application/x+jwt', 'Application/X+JWT; charset=utf-8']
  const others = ['application/json', 'application/jwt', 'application/x+jwtx', 'text/application/x+jwt', '']
  let type = ''
  let asked: string | undefined
  const source = await serve(t, ({ headers }, response) => {
    asked = headers.accept
    response.writeHead(200, { 'content-type': type }).end('a.b.c')
  })

  for (type of types) t.equal(await fetchText(source, { method: 'GET' }, 'application/x+jwt'), 'a.b.c')
  for (type of others) await t.rejects(fetchText(source, { method: 'GET' }, 'application/x+jwt'), StoreUnavailableError)
  t.equal(asked, 'application/x+jwt')
})
