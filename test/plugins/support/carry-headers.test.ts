import { Writable } from 'node:stream'
import t from 'tap'
import { carryHeaders } from '../../../lib/plugins/support/carry-headers.js'
import { buildApp, type Teardown } from '../../helpers/build-app.js'
import { versions } from '../../helpers/fastify-versions.js'
import type { RouteHandlerMethod } from 'fastify'

const WRITERS: Readonly<Record<string, RouteHandlerMethod>> = {
  'a hijacked reply with writeHead': async (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: x\n\n')
  },
  'a hijacked reply with a status message': async (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, 'Fine', ['content-type', 'text/event-stream']).end('data: x\n\n')
  },
  'a hijacked reply with setHeader': async (_request, reply) => {
    reply.hijack()
    reply.raw.setHeader('content-type', 'text/event-stream')
    reply.raw.write('data: x\n')
    reply.raw.end('\n')
  },
  'a hijacked reply with nothing but an end': async (_request, reply) => {
    reply.hijack()
    reply.raw.setHeader('content-type', 'text/event-stream')
    reply.raw.end('data: x\n\n')
  },
  'a reply that is written to without being hijacked': async (_request, reply) => {
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.end('data: x\n\n')
  },
  'a reply that Fastify sends': async (_request, reply) => reply.type('text/event-stream').send('data: x\n\n')
}

for (const [version, build] of Object.entries(versions)) {
  for (const [name, handler] of Object.entries(WRITERS)) {
    t.test(`${name} keeps headers that were set before, once, on ${version}`, async (t) => {
      const app = build(t)
      app.addHook('onRequest', async (_request, reply) => { reply.header('x-early', 'yes') })
      carryHeaders(app)
      app.get('/', handler)
      const origin = await app.listen({ port: 0, host: '127.0.0.1' })

      const response = await fetch(origin)

      t.equal(response.status, 200)
      t.equal(response.headers.get('x-early'), 'yes')
      t.match(response.headers.get('content-type'), /^text\/event-stream/)
      t.equal(await response.text(), 'data: x\n\n')
    })
  }
}

function carrying (t: Teardown) {
  const app = buildApp(t)
  app.addHook('onRequest', async (_request, reply) => { reply.headers({ 'cache-control': 'no-store', 'x-gone': undefined }) })
  carryHeaders(app)
  return app
}

t.test('what the handler writes wins, whatever its case', async (t) => {
  const app = carrying(t)
  app.get('/head', async (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'Cache-Control': 'no-cache' }).end()
  })
  app.get('/set', async (_request, reply) => {
    reply.hijack()
    reply.raw.setHeader('Cache-Control', 'no-cache')
    reply.raw.end()
  })

  t.equal((await app.inject('/head')).headers['cache-control'], 'no-cache')
  t.equal((await app.inject('/set')).headers['cache-control'], 'no-cache')
})

t.test('what a handler sets on the reply before it hijacks is carried over too', async (t) => {
  const app = carrying(t)
  app.get('/', async (_request, reply) => {
    reply.header('mcp-session-id', 'abc').header('cache-control', 'no-cache')
    reply.hijack()
    reply.raw.end()
  })

  t.match((await app.inject('/')).headers, { 'mcp-session-id': 'abc', 'cache-control': 'no-cache' })
})

t.test('a header that Fastify took off again does not come back', async (t) => {
  const app = carrying(t)
  app.get('/', async (_request, reply) => reply.removeHeader('cache-control').send('ok'))

  t.notOk('cache-control' in (await app.inject('/')).headers)
})

t.test('an answer that Fastify sends is spared the slow headers of reply.raw', async (t) => {
  const app = carrying(t)
  const names = new Promise<string[]>((resolve) => {
    app.addHook('onResponse', async (_request, reply) => { resolve(reply.raw.getHeaderNames()) })
  })
  app.get('/', async () => 'ok')
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })

  const response = await fetch(origin)

  t.equal(response.headers.get('cache-control'), 'no-store')
  t.same(await names, [])
})

t.test('asking twice, in a scope and in one within it, changes nothing', async (t) => {
  const app = carrying(t)
  await app.register(async (scope) => {
    carryHeaders(scope)
    scope.get('/', async (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200).end('ok')
    })
  })

  t.match(await app.inject('/'), { statusCode: 200, headers: { 'cache-control': 'no-store' } })
})

t.test('somebody else who stands before writeHead is still asked', async (t) => {
  const app = carrying(t)
  const asked: string[] = []
  app.addHook('onRequest', async (_request, { raw }) => {
    const { writeHead } = raw
    raw.writeHead = (...args: unknown[]) => {
      asked.push('early')
      return Reflect.apply(writeHead, raw, args)
    }
  })
  app.get('/', async (_request, reply) => {
    reply.hijack()
    reply.raw.end('ok')
  })

  const response = await app.inject('/')

  t.same(asked, ['early'])
  t.equal(response.headers['cache-control'], 'no-store')
})

t.test('a stream that the handler pipes to the raw response keeps its bytes', async (t) => {
  const app = carrying(t)
  app.get('/', async (_request, reply) => {
    reply.hijack()
    const sink: Writable = reply.raw
    sink.write('a')
    sink.end('b')
  })

  t.match(await app.inject('/'), { body: 'ab', headers: { 'cache-control': 'no-store' } })
})
