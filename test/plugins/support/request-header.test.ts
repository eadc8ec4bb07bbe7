import t from 'tap'
import { countHeaderLines, setRequestHeader } from '../../../lib/plugins/support/request-header.js'
import { buildApp, type Teardown } from '../../helpers/build-app.js'
import { rawExchange } from '../../helpers/raw-exchange.js'

type Change = (request: Parameters<typeof setRequestHeader>[0]) => void

/** What a handler sees of `x-id` after the change, wherever it may look. */
async function seenAfter (t: Teardown, change: Change, lines: readonly string[]): Promise<unknown> {
  const app = buildApp(t)
  app.addHook('preHandler', (request, _reply, done) => { change(request); done() })
  app.get('/', (request) => ({
    fastify: request.headers['x-id'],
    node: request.raw.headers['x-id'],
    raw: request.raw.rawHeaders.filter((_text, at, all) => all[at - at % 2]?.toLowerCase() === 'x-id'),
    distinct: request.raw.headersDistinct['x-id'],
    other: request.headers['x-other']
  }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { body } = await rawExchange(app.listeningOrigin, ['GET / HTTP/1.1', 'Host: a', 'X-Other: other', ...lines])
  return JSON.parse(body)
}

t.test('a header has another value wherever a handler looks', async (t) => {
  t.same(await seenAfter(t, (request) => { setRequestHeader(request, 'x-id', 'new') }, ['X-Id: old']),
    { fastify: 'new', node: 'new', raw: ['X-Id', 'new'], distinct: ['new'], other: 'other' })
})

t.test('also where a handler has looked before', async (t) => {
  const change: Change = (request) => {
    t.same(request.raw.headersDistinct['x-id'], ['old'])
    setRequestHeader(request, 'x-id', 'new')
  }

  t.match(await seenAfter(t, change, ['x-id: old']), { distinct: ['new'] })
})

t.test('a header that is taken away is gone wherever a handler looks, all its lines', async (t) => {
  t.same(await seenAfter(t, (request) => { setRequestHeader(request, 'x-id', null) }, ['X-Id: old', 'x-ID: older']),
    { raw: [], other: 'other' })
})

t.test('no header is added', async (t) => {
  t.same(await seenAfter(t, (request) => { setRequestHeader(request, 'x-id', 'new') }, []), { raw: [], other: 'other' })
})

t.test('a request that was injected has no distinct headers, and is changed all the same', async (t) => {
  const app = buildApp(t)
  app.get('/', (request) => {
    setRequestHeader(request, 'x-id', 'new')
    return { fastify: request.headers['x-id'] }
  })

  t.same((await app.inject({ url: '/', headers: { 'x-id': 'old' } })).json(), { fastify: 'new' })
})

t.test('every line of a header counts, in whatever case', async (t) => {
  const app = buildApp(t)
  app.get('/', (request) => [countHeaderLines(request, 'x-id'), countHeaderLines(request, 'x-none')])
  await app.listen({ host: '127.0.0.1', port: 0 })

  const { body } = await rawExchange(app.listeningOrigin, ['GET / HTTP/1.1', 'Host: a', 'X-Id: a', 'X-Other: x-id', 'x-id: b'])
  t.same(JSON.parse(body), [2, 0])
})
