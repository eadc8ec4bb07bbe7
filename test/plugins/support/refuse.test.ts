import t from 'tap'
import type { FastifyContextConfig } from 'fastify'
import { refuse } from '../../../lib/plugins/support/refuse.js'
import { buildApp, type Teardown } from '../../helpers/build-app.js'

const refusal = { status: 429, code: 'too_many_requests', description: 'Too many requests', title: 'Slow down' } as const

async function refusedAt (t: Teardown, config: FastifyContextConfig) {
  const app = buildApp(t)
  app.get('/', { config }, async (request, reply) => refuse(request, reply, refusal))
  return await app.inject('/')
}

t.test('a client of a guarded route is told in JSON-RPC', async (t) => {
  const response = await refusedAt(t, {})

  t.equal(response.statusCode, 429)
  t.same(response.json(), { jsonrpc: '2.0', error: { code: -32000, message: 'Too many requests' }, id: null })
  t.match(response.headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
})

t.test('a client of an open route is told in the words of OAuth', async (t) => {
  const response = await refusedAt(t, { mcpSecurity: { public: true } })

  t.equal(response.statusCode, 429)
  t.same(response.json(), { error: 'too_many_requests', error_description: 'Too many requests' })
  t.match(response.headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
})

t.test('a person gets a page', async (t) => {
  const response = await refusedAt(t, { mcpSecurity: { public: true }, mcpPage: true })

  t.equal(response.statusCode, 429)
  t.match(response.headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
  t.match(response.body, /<h1>Slow down<\/h1>/)
  t.match(response.body, /req-1/)
})
