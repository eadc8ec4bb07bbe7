import fc from 'fast-check'
import t from 'tap'
import { decide } from '../../lib/access/decide.js'
import { buildPolicy } from '../../lib/access/policy.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import type { Component, Operation } from '../../types/access.js'
import { COMPONENTS, principalWith, SCOPES } from '../helpers/guard.js'

const model = buildScopeModel(SCOPES)
const policy = buildPolicy({ model, components: COMPONENTS })

const message = (method: string, component: Component | null = null): Operation => ({ type: 'message', method, component })
const tool = (name: string) => message('tools/call', { kind: 'tool', name })
const decideFor = (scopes: readonly string[], operation: Operation) => decide(principalWith(scopes), operation, policy)

t.test('a tool is allowed to whoever has its scopes', async (t) => {
  t.same(decideFor(['notes:read'], tool('search')), { allowed: true, required: ['notes:read'] })
})

t.test('a scope counts with everything that it implies', async (t) => {
  t.ok(decideFor(['notes:write'], tool('search')).allowed)
  t.ok(decideFor(['admin'], tool('delete')).allowed)
})

t.test('all missing scopes are answered at once', async (t) => {
  t.same(decideFor(['notes:read'], tool('delete')), {
    allowed: false,
    reason: 'insufficient-scope',
    required: ['notes:write', 'profile'],
    missing: ['notes:write', 'profile']
  })
})

t.test('a scope is not missing when another one implies it', async (t) => {
  t.match(decideFor(['notes:write'], tool('delete')), { allowed: false, missing: ['profile'] })
})

t.test('a component without scopes is open to every grant', async (t) => {
  t.ok(decideFor(['profile'], tool('whoami')).allowed)
})

t.test('an empty grant does not reach a component without scopes', async (t) => {
  t.match(decideFor([], tool('whoami')), { allowed: false, reason: 'empty-grant', required: [] })
})

t.test('a grant of scopes that only others know is an empty one', async (t) => {
  t.match(decideFor(['openid', 'email'], message('tools/list')), { allowed: false, reason: 'empty-grant' })
})

t.test('an empty grant is told which scopes the tool needs', async (t) => {
  t.match(decideFor([], tool('search')), { reason: 'empty-grant', required: ['notes:read'], missing: ['notes:read'] })
})

t.test('no scope reaches an unknown tool', async (t) => {
  t.same(decideFor(['admin'], tool('drop_tables')), {
    allowed: false, reason: 'unknown-component', required: [], missing: []
  })
})

for (const method of ['initialize', 'ping', 'tools/list', 'resources/list', 'resources/templates/list', 'prompts/list',
  'server/discover', 'logging/setLevel', 'subscriptions/listen', 'notifications/initialized', 'response']) {
  t.test(`${method} is open to every grant`, async (t) => {
    t.ok(decideFor(['profile'], message(method)).allowed)
    t.notOk(decideFor([], message(method)).allowed)
  })
}

for (const method of ['tasks/get', 'tasks/list', 'tasks/cancel', 'tasks/result', 'tools/delete', 'Tools/call',
  'tools/call ', 'admin/shutdown', 'notifications/evil', '', '__proto__', 'constructor', 'tools/call', 'resources/read']) {
  t.test(`${JSON.stringify(method)} without a component is denied to everybody`, async (t) => {
    t.match(decideFor(['admin'], message(method)), { allowed: false, reason: 'unknown-method' })
  })
}

t.test('an unknown method is denied, whatever component it names', async (t) => {
  for (const method of ['tools/delete', 'tools/Call', 'tasks/get', 'ping', 'tools/list', '']) {
    t.match(decideFor(['admin'], message(method, { kind: 'tool', name: 'search' })), { reason: 'unknown-method' })
  }
})

for (const method of ['prompts/get', 'completion/complete']) {
  t.test(`${method} needs the scopes of the prompt`, async (t) => {
    const operation = message(method, { kind: 'prompt', name: 'summary' })

    t.ok(decideFor(['notes:read'], operation).allowed)
    t.match(decideFor(['profile'], operation), { reason: 'insufficient-scope', missing: ['notes:read'] })
  })
}

for (const method of ['resources/read', 'resources/subscribe', 'resources/unsubscribe', 'subscriptions/listen']) {
  t.test(`${method} needs the scopes of the resource`, async (t) => {
    const operation = message(method, { kind: 'resource', name: 'notes://all' })

    t.ok(decideFor(['notes:read'], operation).allowed)
    t.match(decideFor(['profile'], operation), { reason: 'insufficient-scope', missing: ['notes:read'] })
    t.match(decideFor(['admin'], message(method, { kind: 'resource', name: 'notes://ALL' })), { reason: 'unknown-component' })
  })
}

t.test('a route needs its own scopes', async (t) => {
  t.ok(decideFor(['admin'], { type: 'route', scopes: ['profile'] }).allowed)
  t.ok(decideFor(['profile'], { type: 'route', scopes: [] }).allowed)
  t.match(decideFor(['profile'], { type: 'route', scopes: ['notes:read'] }), { missing: ['notes:read'] })
})

t.test('a route that asks for a scope nobody defined is closed to everybody', async (t) => {
  t.match(decideFor(['admin', 'typo'], { type: 'route', scopes: ['typo'] }), { allowed: false, missing: ['typo'] })
})

const scopes = fc.uniqueArray(fc.oneof(fc.constantFrom(...model.names), fc.string({ maxLength: 8 })), { maxLength: 6 })
const known = fc.constantFrom<Operation>(
  ...COMPONENTS.flatMap(({ tool, prompt, resource }) => [
    ...(tool === undefined ? [] : [message('tools/call', { kind: 'tool', name: tool })]),
    ...(prompt === undefined ? [] : [message('prompts/get', { kind: 'prompt', name: prompt })]),
    ...(resource === undefined ? [] : [message('resources/read', { kind: 'resource', name: resource })])
  ]),
  message('tools/list'), message('ping')
)
const anyComponent = fc.record({
  kind: fc.constantFrom('tool', 'prompt', 'resource'), name: fc.oneof(fc.string(), fc.constantFrom('search', 'delete'))
})
const operation = fc.oneof(
  known,
  fc.record({ type: fc.constant('message'), method: fc.string(), component: fc.option(anyComponent) }),
  fc.record({ type: fc.constant('route'), scopes })
)

t.test('removing a scope never opens anything, adding one never closes anything', async () => {
  fc.assert(fc.property(scopes, fc.string({ maxLength: 8 }), fc.constantFrom(...model.names), operation,
    (granted, strange, more, wanted) => {
      const before = decideFor(granted, wanted).allowed
      for (const wider of [[...granted, strange], [...granted, more], [more, ...granted]]) {
        if (before && !decideFor(wider, wanted).allowed) return false
      }
      return granted.every((_, index) => before || !decideFor(granted.toSpliced(index, 1), wanted).allowed)
    }), { numRuns: 2000 })
})

t.test('an empty grant reaches nothing', async () => {
  fc.assert(fc.property(operation, (wanted) => !decideFor([], wanted).allowed))
})

t.test('a tool that no rule names is denied to everybody', async () => {
  const names = new Set(COMPONENTS.map(({ tool }) => tool))
  fc.assert(fc.property(scopes, fc.string(), (granted, name) =>
    names.has(name) || !decideFor(granted, tool(name)).allowed))
})

t.test('what is missing is required, and having it too is enough', async () => {
  fc.assert(fc.property(scopes, known, (granted, wanted) => {
    const decision = decideFor(granted, wanted)
    if (decision.allowed) return true
    if (!decision.missing.every((scope) => decision.required.includes(scope))) return false
    return decideFor([...granted, ...decision.missing, 'profile'], wanted).allowed
  }))
})

t.test('what a principal may do does not depend on the order of its scopes', async () => {
  fc.assert(fc.property(scopes, operation, (granted, wanted) =>
    decideFor(granted, wanted).allowed === decideFor(granted.toReversed(), wanted).allowed))
})
