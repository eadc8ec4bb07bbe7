import t from 'tap'
import type { AuditEvent } from '../../../types/audit.js'
import { auditHook } from '../../../lib/plugins/audit-hook.js'
import { StoreUnavailableError } from '../../../lib/stores/errors.js'
import { serveBelow } from '../../../lib/plugins/support/documents.js'
import { versions } from '../../helpers/fastify-versions.js'

const BASE = '/.well-known/thing'
const DOCUMENTS = new Map([[BASE, '{"at":"root"}'], [`${BASE}/mcp`, '{"at":"path"}']])
const JSON_TYPE = 'application/json; charset=utf-8'

for (const [version, build] of Object.entries(versions)) {
  t.test(`Fastify ${version}: what is there is served, with and without a slash, for an hour`, async (t) => {
    const app = build(t)
    serveBelow(app, BASE, DOCUMENTS)

    for (const [path, at] of [['', 'root'], ['/', 'root'], ['/mcp', 'path'], ['/mcp/', 'path'], ['/mcp?x=1', 'path']]) {
      const answer = await app.inject(`${BASE}${path}`)
      t.match(answer, { statusCode: 200, headers: { 'content-type': JSON_TYPE, 'cache-control': 'public, max-age=3600' } })
      t.same(answer.json(), { at })
    }
    t.match(await app.inject({ method: 'HEAD', url: BASE }), { statusCode: 200, body: '' })
  })

  t.test(`Fastify ${version}: what is not there is a 404 in JSON that nobody may keep, and the audit hears of it`, async (t) => {
    const app = build(t)
    const events: AuditEvent[] = []
    await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
    serveBelow(app, BASE, DOCUMENTS)

    for (const path of ['/other', '/mcp/more', '//mcp', `/${'x'.repeat(500)}`, '/%00', '/mcp%2Fx']) {
      const answer = await app.inject(`${BASE}${path}`)
      t.match(answer, { statusCode: 404, headers: { 'content-type': JSON_TYPE, 'cache-control': 'no-store' } }, path)
      t.equal(answer.json().error, 'invalid_request')
    }
    const refusals = events.filter(({ type }) => type === 'request.refused')
    t.strictSame(refusals.map(({ reason }) => reason), Array(6).fill('no such document'))
  })

  t.test(`Fastify ${version}: preflights are answered and other methods refused`, async (t) => {
    const app = build(t)
    serveBelow(app, BASE, DOCUMENTS)

    t.match(await app.inject({ method: 'OPTIONS', url: BASE }), { statusCode: 204, headers: { 'access-control-allow-origin': '*' } })
    t.match(await app.inject({ method: 'POST', url: `${BASE}/mcp`, payload: {} }), {
      statusCode: 405, headers: { allow: 'GET, HEAD, OPTIONS', 'cache-control': 'no-store' }
    })
  })
}

t.test('what goes wrong elsewhere is said in JSON, and in the log when it is our fault', async (t) => {
  const lines: string[] = []
  const build = versions.newest ?? (() => { throw new Error('no Fastify') })
  const app = build(t, { logger: { level: 'error', stream: { write (line: string) { lines.push(line) } } } })
  app.addHook('onRequest', async () => { throw new StoreUnavailableError('down') })
  serveBelow(app, BASE, DOCUMENTS)

  const answer = await app.inject(BASE)

  t.match(answer, { statusCode: 503, headers: { 'retry-after': '5', 'cache-control': 'no-store', 'content-type': JSON_TYPE } })
  t.equal(answer.json().error, 'temporarily_unavailable')
  t.equal(lines.length, 1)
})
