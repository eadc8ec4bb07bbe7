import fc from 'fast-check'
import t from 'tap'
import { decide } from '../../lib/access/decide.js'
import { pinOf } from '../../lib/access/pins.js'
import { buildPolicy } from '../../lib/access/policy.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import type { Component, ComponentKind, Operation, TagFilter } from '../../types/access.js'
import type { Principal } from '../../types/principal.js'
import { COMPONENTS, principalWith, SCOPES } from '../helpers/guard.js'

const NOW = 1_700_000_000
const model = buildScopeModel(SCOPES)
const policy = buildPolicy({ model, components: COMPONENTS })

const message = (method: string, component: Component | null = null): Operation => ({ type: 'message', method, component })
const tool = (name: string) => message('tools/call', { kind: 'tool', name })
const decideFor = (scopes: readonly string[], operation: Operation) =>
  decide(principalWith(scopes), operation, { policy, now: NOW })

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

t.test('a pinned grant opens what is destructive when its consent named it, and everything else as ever', async (t) => {
  const pin = pinOf({ kind: 'tool', name: 'delete' }, '')
  const pinned = (consented: string[], scopes: string[], name: string) =>
    decide(principalWith(scopes, { consented }), tool(name), { policy, now: NOW })

  t.ok(pinned([pin], ['admin'], 'delete').allowed)
  t.same(pinned([], ['admin'], 'delete'), {
    allowed: false, reason: 'not-consented', required: ['notes:write', 'profile'], missing: []
  })
  t.match(pinned([pinOf({ kind: 'prompt', name: 'delete' }, '')], ['admin'], 'delete'), { reason: 'not-consented' })
  t.match(pinned([pin], ['notes:read'], 'delete'), { reason: 'insufficient-scope' })
  t.ok(pinned([], ['notes:read'], 'search').allowed)
})

t.test('of several rules that match a URI each destructive one has to be in the consent', async (t) => {
  const rules = [
    { resource: 'notes://all/1', scopes: ['notes:read'], destructive: true },
    { resourceTemplate: 'notes://all/{id}', scopes: ['notes:read'], destructive: true }
  ]
  const read = (consented: string[]) => decide(
    principalWith(['notes:read'], { consented }), message('resources/read', { kind: 'resource', name: 'notes://all/1' }),
    { policy: buildPolicy({ model, components: rules }), now: NOW }
  ).allowed
  const pins = [pinOf({ kind: 'resource', name: 'notes://all/1' }, ''), pinOf({ kind: 'resourceTemplate', name: 'notes://all/{id}' }, '')]

  t.equal(read(pins), true)
  for (const pin of pins) t.equal(read([pin]), false)
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

const rich = buildPolicy({
  model,
  components: [
    { tool: 'any', scopes: ['profile'], anyScope: ['notes:read', 'notes:write'] },
    { tool: 'tagged', tags: ['db', 'crm'] },
    { tool: 'both', scopes: ['notes:write'], tags: ['db'] },
    { tool: 'drop', scopes: ['notes:write'], tags: ['db'], destructive: true },
    { tool: 'backend', server: 'crm' },
    { tool: 'boss', scopes: ['notes:read'], roles: ['boss', 'owner'] },
    { tool: 'fresh', scopes: ['notes:read'], assurance: { maxAge: 300, acr: ['gold'] } },
    { tool: 'bound', scopes: ['notes:read'], senderConstrained: true },
    { tool: 'all', scopes: ['notes:read'], roles: ['boss'], assurance: { amr: ['otp'] }, senderConstrained: true, tags: ['db'] },
    { prompt: 'tagged', tags: ['db'] },
    { resourceTemplate: 'notes://{owner}/{id}', scopes: ['notes:read'], tags: ['db'] },
    { resourceTemplate: 'notes://boss/{id}', scopes: ['profile'], tags: ['crm'], assurance: { maxAge: 60 } },
    { resource: 'notes://boss/key', anyScope: ['admin'], roles: ['boss'] }
  ],
  servers: { crm: { tags: ['crm'] } }
})
const richly = (who: Principal, operation: Operation, filter?: TagFilter | null) =>
  decide(who, operation, { policy: rich, now: NOW, ...(filter === undefined ? {} : { filter }) })
const resource = (name: string, method = 'resources/read') => message(method, { kind: 'resource', name })

t.test('any of several scopes opens, besides those that are all needed', async (t) => {
  t.same(richly(principalWith(['profile', 'notes:write']), tool('any')), { allowed: true, required: ['profile', 'notes:read'] })
  t.same(richly(principalWith(['profile']), tool('any')), {
    allowed: false, reason: 'insufficient-scope', required: ['profile', 'notes:read'], missing: ['notes:read']
  })
})

t.test('the scope of a tag opens what carries the tag, itself or by its server', async (t) => {
  t.same(richly(principalWith(['tag:crm']), tool('tagged')), { allowed: true, required: ['tag:crm'] })
  t.ok(richly(principalWith(['tag:crm']), tool('backend')).allowed)
  t.ok(richly(principalWith(['tag:db']), tool('both')).allowed)
  t.ok(richly(principalWith(['tag:db']), message('prompts/get', { kind: 'prompt', name: 'tagged' })).allowed)
  t.ok(richly(principalWith(['tag:db']), message('tools/list')).allowed)
})

t.test('the scope of another tag opens nothing, and no wildcard does', async (t) => {
  for (const scope of ['tag:crm', 'tag:DB', 'tag:*', 'tag:', 'db', 'tag:db*', 'tag:db ']) {
    t.notOk(richly(principalWith([scope, 'profile']), tool('both')).allowed, scope)
  }
})

t.test('a tag that nothing carries is no grant', async (t) => {
  t.match(richly(principalWith(['tag:other']), message('tools/list')), { reason: 'empty-grant' })
})

t.test('a destructive tool is not opened by its tag', async (t) => {
  t.match(richly(principalWith(['tag:db']), tool('drop')), { reason: 'insufficient-scope', missing: ['notes:write'] })
  t.ok(richly(principalWith(['tag:db', 'notes:write']), tool('drop')).allowed)
})

t.test('any of the roles is needed besides the scopes', async (t) => {
  t.match(richly(principalWith(['notes:read']), tool('boss')), { reason: 'insufficient-role', required: ['notes:read'], missing: [] })
  t.match(richly(principalWith(['notes:read'], { roles: ['Boss'] }), tool('boss')), { reason: 'insufficient-role' })
  t.match(richly(principalWith(['profile'], { roles: ['owner'] }), tool('boss')), { reason: 'insufficient-scope' })
  t.ok(richly(principalWith(['notes:read'], { roles: ['x', 'owner'] }), tool('boss')).allowed)
})

t.test('what a sign-in lacks is answered with what the rule wants of it', async (t) => {
  const who = { acr: 'gold', authenticatedAt: NOW - 300 }

  t.ok(richly(principalWith(['notes:read'], who), tool('fresh')).allowed)
  t.same(richly(principalWith(['notes:read'], { ...who, acr: 'tin' }), tool('fresh')), {
    allowed: false,
    reason: 'insufficient-authentication',
    required: ['notes:read'],
    missing: [],
    assurance: { maxAge: 300, acr: ['gold'] }
  })
  t.match(richly(principalWith(['notes:read'], { ...who, authenticatedAt: NOW - 301 }), tool('fresh')), { reason: 'insufficient-authentication' })
})

t.test('a sender-constrained tool needs a credential that is bound', async (t) => {
  t.same(richly(principalWith(['notes:read']), tool('bound')), {
    allowed: false, reason: 'not-sender-constrained', required: ['notes:read'], missing: []
  })
  t.ok(richly(principalWith(['notes:read'], { confirmation: { jkt: 'x' } }), tool('bound')).allowed)
})

t.test('a resource that wants every credential bound wants it for lists and routes too', async (t) => {
  const bound = buildPolicy({ model, components: COMPONENTS, requireSenderConstraint: true })
  for (const operation of [message('tools/list'), tool('whoami'), { type: 'route', scopes: [] }] as const) {
    t.match(decide(principalWith(['admin']), operation, { policy: bound, now: NOW }), { reason: 'not-sender-constrained' })
    t.ok(decide(principalWith(['admin'], { confirmation: { jkt: 'x' } }), operation, { policy: bound, now: NOW }).allowed)
  }
})

t.test('what no step-up can mend is told first', async (t) => {
  const bad = { roles: [], amr: [], confirmation: null }
  const out: TagFilter = (tags) => tags.has('nothing')
  const steps: [Principal, TagFilter | null, string | undefined][] = [
    [principalWith([], bad), out, 'empty-grant'],
    [principalWith(['profile'], bad), out, 'filtered'],
    [principalWith(['profile'], bad), null, 'insufficient-role'],
    [principalWith(['profile'], { ...bad, roles: ['boss'] }), null, 'insufficient-scope'],
    [principalWith(['notes:read'], { ...bad, roles: ['boss'] }), null, 'not-sender-constrained'],
    [principalWith(['notes:read'], { roles: ['boss'], confirmation: { jkt: 'x' } }), null, 'insufficient-authentication'],
    [principalWith(['notes:read'], { roles: ['boss'], confirmation: { jkt: 'x' }, amr: ['otp'] }), null, undefined]
  ]
  for (const [who, filter, reason] of steps) {
    const decision = richly(who, tool('all'), filter)
    t.equal(decision.allowed ? undefined : decision.reason, reason)
  }
})

t.test('a filter takes away what it is not true of, and tells what would be needed', async (t) => {
  const db: TagFilter = (tags) => tags.has('db')

  t.ok(richly(principalWith(['tag:crm', 'notes:write']), tool('both'), db).allowed)
  t.same(richly(principalWith(['tag:crm']), tool('backend'), db), {
    allowed: false, reason: 'filtered', required: ['tag:crm'], missing: []
  })
  t.match(richly(principalWith(['admin']), tool('boss'), db), { reason: 'filtered' })
})

t.test('a filter gives nothing, whatever it says', async (t) => {
  t.notOk(richly(principalWith(['profile']), tool('both'), () => true).allowed)
})

t.test('a filter is about components: methods and routes stay as they are', async (t) => {
  t.ok(richly(principalWith(['profile']), message('tools/list'), () => false).allowed)
  t.ok(richly(principalWith(['profile']), { type: 'route', scopes: ['profile'] }, () => false).allowed)
})

t.test('a filter sees the tags of every rule that matches a URI', async (t) => {
  const who = principalWith(['admin'])
  const seen = (filter: TagFilter) => richly(who, resource('notes://boss/1'), filter).allowed

  t.ok(seen((tags) => tags.has('db') && tags.has('crm')))
  t.notOk(seen((tags) => !tags.has('crm')))
})

t.test('every rule that matches a URI has to allow it, and all scopes are told at once', async (t) => {
  t.ok(richly(principalWith(['notes:read']), resource('notes://ann/1')).allowed)
  t.same(richly(principalWith(['tag:other', 'tag:db']), resource('notes://boss/key')), {
    allowed: false, reason: 'insufficient-role', required: ['admin', 'tag:db', 'profile'], missing: ['admin', 'profile']
  })
  t.match(richly(principalWith(['notes:read'], { roles: ['boss'] }), resource('notes://boss/key')),
    { reason: 'insufficient-scope', required: ['admin', 'notes:read', 'profile'], missing: ['admin', 'profile'] })
  t.match(richly(principalWith(['admin'], { authenticatedAt: 0 }), resource('notes://boss/1')),
    { reason: 'insufficient-authentication', required: ['notes:read', 'profile'], missing: [], assurance: { maxAge: 60 } })
  t.ok(richly(principalWith(['admin'], { roles: ['boss'] }), resource('notes://boss/key')).allowed)
})

for (const method of ['resources/read', 'resources/subscribe', 'resources/unsubscribe', 'subscriptions/listen']) {
  t.test(`${method} reaches what a template matches, and never the template itself`, async (t) => {
    t.ok(richly(principalWith(['notes:read']), resource('notes://ann/1', method)).allowed)
    t.match(richly(principalWith(['admin']), resource('notes://{owner}/{id}', method)), { reason: 'unknown-component' })
    t.match(richly(principalWith(['admin']), resource('notes://ann/../boss', method)), { reason: 'unknown-component' })
  })
}

t.test('a completion names a resource or a template by its text', async (t) => {
  const completes = (name: string) => richly(principalWith(['notes:read']), resource(name, 'completion/complete'))

  t.ok(completes('notes://ann/1').allowed)
  t.ok(completes('notes://{owner}/{id}').allowed)
  t.match(completes('notes://boss/{id}'), { reason: 'insufficient-scope', missing: ['profile'] })
  t.match(completes('notes://{owner}/{name}'), { reason: 'unknown-component' })
})

t.test('a completion of a prompt is never one of a template', async (t) => {
  t.match(richly(principalWith(['admin']), message('completion/complete', { kind: 'prompt', name: 'notes://{owner}/{id}' })),
    { reason: 'unknown-component' })
})

t.test('a method reaches components of its own kinds only', async (t) => {
  const reaches: Record<string, ComponentKind[]> = {
    'tools/call': ['tool'],
    'prompts/get': ['prompt'],
    'resources/read': ['resource'],
    'resources/subscribe': ['resource'],
    'resources/unsubscribe': ['resource'],
    'subscriptions/listen': ['resource'],
    'completion/complete': ['prompt', 'resource']
  }
  const same = 'x:a'
  const policy = buildPolicy({
    model,
    components: [{ tool: same, scopes: [] }, { prompt: same, scopes: [] }, { resource: same, scopes: [] }, { resourceTemplate: 'x:{a}', scopes: [] }]
  })
  for (const [method, kinds] of Object.entries(reaches)) {
    for (const kind of ['tool', 'prompt', 'resource', 'resourceTemplate'] as const) {
      const name = kind === 'resourceTemplate' ? 'x:{a}' : same
      const decision = decide(principalWith(['admin']), message(method, { kind, name }), { policy, now: NOW })
      if (kinds.includes(kind)) t.equal(decision.allowed, true, `${method} ${kind}`)
      else t.match(decision, { reason: 'unknown-component' }, `${method} ${kind}`)
    }
  }
})

t.test('tasks are open to every grant where the policy opens them', async (t) => {
  const open = buildPolicy({ model, components: [], tasks: true })
  for (const method of ['tasks/get', 'tasks/cancel', 'tasks/result', 'tasks/update']) {
    t.ok(decide(principalWith(['profile']), message(method), { policy: open, now: NOW }).allowed, method)
    t.match(decide(principalWith([]), message(method), { policy: open, now: NOW }), { reason: 'empty-grant' })
    t.match(decide(principalWith(['admin']), message(method), { policy, now: NOW }), { reason: 'unknown-method' })
  }
  for (const method of ['tasks/list', 'tasks/evil']) {
    t.match(decide(principalWith(['admin']), message(method), { policy: open, now: NOW }), { reason: 'unknown-method' })
  }
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

t.test('the methods of tasks are open where their ids are bound, their list only where the host lists one\'s own', async (t) => {
  const openWith = (tasks: boolean | { list: boolean }, method: string): boolean => {
    const policy = buildPolicy({ model, components: COMPONENTS, tasks })
    return decide(principalWith(['profile']), message(method), { policy, now: 0, filter: null }).allowed
  }
  for (const method of ['tasks/get', 'tasks/result', 'tasks/update', 'tasks/cancel']) {
    t.equal(openWith(false, method), false)
    for (const tasks of [true, { list: false }, { list: true }]) t.equal(openWith(tasks, method), true)
  }
  for (const tasks of [false, true, { list: false }]) t.equal(openWith(tasks, 'tasks/list'), false)
  t.equal(openWith({ list: true }, 'tasks/list'), true)
  t.equal(openWith(true, 'tasks/delete'), false)
})

t.test('one rule of several that wants a bound credential is enough', async (t) => {
  const policy = buildPolicy({
    model,
    components: [{ resource: 'x:1', scopes: [] }, { resourceTemplate: 'x:{a}', scopes: [], senderConstrained: true }]
  })

  t.match(decide(principalWith(['admin']), resource('x:1'), { policy, now: NOW }), { reason: 'not-sender-constrained' })
})

t.test('what one rule asks for is answered as it is, without a copy for each decision', async (t) => {
  const scopes = policy.demandsOf({ kind: 'tool', name: 'delete' })[0]?.scopes

  t.equal(decideFor(['admin'], tool('delete')).required, scopes)
})

t.test('the list of tasks is open only where the policy says so by name', async (t) => {
  const open = (list: boolean) => buildPolicy({ model, components: [], tasks: { list } })

  t.ok(decide(principalWith(['profile']), message('tasks/list'), { policy: open(true), now: NOW }).allowed)
  t.match(decide(principalWith(['admin']), message('tasks/list'), { policy: open(false), now: NOW }), { reason: 'unknown-method' })
})

t.test('the clock is read where the age of a sign-in counts, and nowhere else', async (t) => {
  const components = [
    { tool: 'plain', scopes: ['notes:read'] },
    { tool: 'fresh', scopes: ['notes:read'], assurance: { maxAge: 300 } }
  ]
  const timed = buildPolicy({ model, components })
  let reads = 0
  const now = (): number => { reads += 1; return NOW }
  const who = (authenticatedAt: number) => principalWith(['notes:read'], { authenticatedAt })
  t.ok(decide(who(NOW), tool('plain'), { policy: timed, now }).allowed)
  t.equal(reads, 0)
  t.ok(decide(who(NOW - 300), tool('fresh'), { policy: timed, now }).allowed)
  t.notOk(decide(who(NOW - 301), tool('fresh'), { policy: timed, now }).allowed)
  t.equal(reads, 2)
})
