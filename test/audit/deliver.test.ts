import t from 'tap'
import { deliver, logEvent } from '../../lib/audit/deliver.js'
import { buildEvent } from '../../lib/audit/event.js'

const context = { id: 'event-1', at: 0, tenant: 'default', requestId: 'req-1', method: null, route: null, address: null }
const allowed = buildEvent({ type: 'token.issued' }, context)
const denied = buildEvent({ type: 'token.refused' }, context)

function collectLog () {
  const lines: Array<{ level: string, fields: object, message: string }> = []
  const at = (level: string) => (fields: object, message: string) => { lines.push({ level, fields, message }) }
  return { lines, info: at('info'), warn: at('warn'), error: at('error') }
}

t.test('what was allowed is logged at info, what was denied at warn', async (t) => {
  const log = collectLog()

  logEvent(allowed, log)
  logEvent(denied, log)

  t.same(log.lines, [
    { level: 'info', fields: { mcpAudit: allowed }, message: 'token.issued' },
    { level: 'warn', fields: { mcpAudit: denied }, message: 'token.refused' }
  ])
})

t.test('a sink gets the event', async (t) => {
  const log = collectLog()
  const events: unknown[] = []

  deliver(allowed, (event) => { events.push(event) }, log)

  t.same(events, [allowed])
  t.same(log.lines, [])
})

const failure = new Error('the disk is full')
const FAILING = {
  'a sink that throws': () => { throw failure },
  'a sink that rejects': async () => { throw failure },
  'a sink that rejects later': async () => { await Promise.resolve(); throw failure }
}

for (const [name, sink] of Object.entries(FAILING)) {
  t.test(`${name} is logged under the request's id and harms nobody`, async (t) => {
    const log = collectLog()

    t.doesNotThrow(() => { deliver(allowed, sink, log) })
    await new Promise((resolve) => { setImmediate(resolve) })

    t.match(log.lines, [{ level: 'error', fields: { err: failure, auditEventId: 'event-1', requestId: 'req-1' } }])
    t.equal(log.lines.length, 1)
  })
}
