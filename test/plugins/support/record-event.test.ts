import t from 'tap'
import type { AuditEvent } from '../../../types/audit.js'
import { auditHook } from '../../../lib/plugins/audit-hook.js'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import { recordEvent } from '../../../lib/plugins/support/record-event.js'
import { buildApp } from '../../helpers/build-app.js'

t.test('an event reaches the audit hook', async (t) => {
  const app = buildApp(t)
  const events: AuditEvent[] = []
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  app.get('/', async (request) => { recordEvent(request, { type: 'token.issued', subject: 'alice' }) })

  await app.inject('/')

  t.match(events, [{ type: 'token.issued', subject: 'alice', requestId: 'req-1' }])
  t.equal(events.length, 1)
})

t.test('a leniency is counted by its name, whether the audit is there or not', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore, {})
  app.get('/', async (request) => {
    recordEvent(request, { type: 'leniency.used', operation: 'codeRepeat' })
    recordEvent(request, { type: 'leniency.used' })
    recordEvent(request, { type: 'token.issued', operation: 'codeRepeat' })
  })

  await app.inject('/')

  t.equal(app.pkceStore.leniencyUses.counts().codeRepeat, 1)
})

t.test('without the audit hook nothing happens, even when the host has a decorator of that name', async (t) => {
  const app = buildApp(t)
  app.decorateRequest('audit', () => { throw new Error('not ours') })
  app.get('/', async (request) => { recordEvent(request, { type: 'token.issued' }) })

  const response = await app.inject('/')

  t.equal(response.statusCode, 200)
})
