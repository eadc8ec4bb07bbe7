import t from 'tap'
import { buildEvent } from '../../lib/audit/event.js'

const context = {
  id: 'event-1',
  at: 1_700_000_000,
  tenant: 'default',
  requestId: 'req-1',
  method: 'POST',
  route: '/mcp',
  address: '192.0.2.1'
}

t.test('every member of an event is there, whatever was left out', async (t) => {
  t.strictSame(buildEvent({ type: 'request.completed' }, context), {
    id: 'event-1',
    type: 'request.completed',
    outcome: 'allowed',
    at: 1_700_000_000,
    reason: null,
    subject: null,
    clientId: null,
    tenant: 'default',
    grantId: null,
    resource: null,
    operation: null,
    scopesAsked: [],
    scopesGranted: [],
    requestId: 'req-1',
    method: 'POST',
    route: '/mcp',
    address: '192.0.2.1'
  })
})

t.test('what a part told is in the event', async (t) => {
  const input = {
    type: 'access.denied',
    reason: 'insufficient-scope',
    subject: 'alice',
    clientId: 'client-1',
    grantId: 'grant-1',
    resource: 'https://mcp.example.com/mcp',
    operation: 'tools/call add_note',
    scopesAsked: ['notes:write'],
    scopesGranted: ['notes:read']
  } as const

  t.match(buildEvent(input, context), { ...input, outcome: 'denied' })
})

for (const type of ['consent.denied', 'code.replayed', 'refresh.reused', 'origin.refused'] as const) {
  t.test(`${type} is a denial`, async (t) => {
    t.equal(buildEvent({ type }, context).outcome, 'denied')
  })
}

t.test('text of a request cannot forge a line of a log', async (t) => {
  const event = buildEvent({ type: 'sign-in.failed', subject: 'bob\n{"level":30}' }, { ...context, requestId: 'a\r\nb' })

  t.equal(event.subject, 'bob{"level":30}')
  t.equal(event.requestId, 'ab')
})

t.test('text of a request cannot make an event large', async (t) => {
  const long = 'x'.repeat(1_000_000)
  const event = buildEvent({ type: 'client.refused', clientId: long, operation: long, scopesAsked: [long] },
    { ...context, method: long, requestId: long })

  t.ok(JSON.stringify(event).length < 4000)
})
