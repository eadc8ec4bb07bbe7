import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { answerBodyErrors } from '../../../lib/plugins/scope-guard/body-errors.js'
import { versions } from '../../helpers/fastify-versions.js'

type Route = (body: unknown) => unknown

function withRoute (app: FastifyInstance, handler: Route = () => 'handled'): FastifyInstance {
  app.decorateRequest('mcpAuth', null)
  app.setErrorHandler((error, _request, reply) => reply.code(418).send({ host: String(error) }))
  app.post('/mcp', { bodyLimit: 100, errorHandler: answerBodyErrors }, async (request) => handler(request.body))
  return app
}

const json = { 'content-type': 'application/json' }
const unreadable = {
  XML: [{ 'content-type': 'application/xml' }, '<a/>', 415, -32000],
  'a form': [{ 'content-type': 'application/x-www-form-urlencoded' }, 'a=b', 415, -32000],
  'a type that is none': [{ 'content-type': 'json' }, '{}', 415, -32000],
  'half of a JSON text': [json, '{"a":', 400, -32700],
  'no JSON text at all': [json, '', 400, -32700],
  '__proto__ in the JSON': [json, '{"__proto__":{"a":1}}', 400, -32700],
  'more bytes than the limit': [json, `"${'x'.repeat(200)}"`, 413, -32000]
} as const

for (const [version, build] of Object.entries(versions)) {
  for (const [what, [headers, payload, status, code]] of Object.entries(unreadable)) {
    t.test(`${what} is answered ${status} in JSON-RPC (Fastify ${version})`, async (t) => {
      const app = withRoute(build(t))

      const response = await app.inject({ method: 'POST', url: '/mcp', headers, payload })

      t.equal(response.statusCode, status)
      t.match(response.json(), { jsonrpc: '2.0', id: null, error: { code, message: String } })
      t.notMatch(response.body, /__proto__|position|stack/)
    })
  }

  t.test(`what a handler throws goes to the host's error handler (Fastify ${version})`, async (t) => {
    const app = withRoute(build(t), () => { throw new Error('of the host') })

    const response = await app.inject({ method: 'POST', url: '/mcp', payload: {} })

    t.equal(response.statusCode, 418)
    t.same(response.json(), { host: 'Error: of the host' })
  })

  t.test(`a SyntaxError of a handler is not taken for a bad body (Fastify ${version})`, async (t) => {
    const app = withRoute(build(t), () => JSON.parse('{'))

    const response = await app.inject({ method: 'POST', url: '/mcp', payload: {} })

    t.equal(response.statusCode, 418)
  })
}
