import t from 'tap'
import { decide } from '../../lib/access/decide.js'
import { buildPolicy, type Policy } from '../../lib/access/policy.js'
import { callOf } from '../../lib/access/visible.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import type { Component, ComponentRule } from '../../types/access.js'
import { principalWith } from '../helpers/guard.js'

const model = buildScopeModel({ read: 'Read', write: 'Write' })
const scopesOf = (policy: Policy, component: Component) => policy.demandsOf(component)[0]?.scopes
const policyOf = (...components: ComponentRule[]) => buildPolicy({ model, components })

const refused: Record<string, [ComponentRule[], string]> = {
  'a rule that names nothing': [[{ scopes: [] }], 'components.0 '],
  'a rule that names a tool and a prompt': [[{ tool: 'a', prompt: 'a', scopes: [] }], 'components.0 '],
  'a scope that the catalogue does not have': [[{ tool: 'a', scopes: ['read', 'reed'] }], 'components.0.scopes.1 '],
  'a scope in another case': [[{ tool: 'a', scopes: ['Read'] }], 'components.0.scopes.0 '],
  'a scope that only any of names': [[{ tool: 'a', anyScope: ['reed'] }], 'components.0.anyScope.0 '],
  'a tag that is none': [[{ tool: 'a', tags: ['*'] }], 'components.0.tags.0 '],
  'a server that is not there': [[{ tool: 'a', scopes: [], server: 'toString' }], 'components.0.server '],
  'a URI that is not in normal form': [[{ resource: 'notes://a/../b', scopes: [] }], 'components.0.resource must be an absolute URI'],
  'a template that is none': [[{ tool: 'a', scopes: [] }, { resourceTemplate: 'notes://{?a}', scopes: [] }], 'components.1.resourceTemplate must be'],
  'a resource twice': [[{ resource: 'x:a', scopes: [] }, { resource: 'x:a', scopes: [] }], 'components.1 repeats the resource'],
  'a tool twice': [[{ tool: 'a', scopes: [] }, { tool: 'b', scopes: [] }, { tool: 'a', scopes: ['read'] }], 'components.2 '],
  'a template twice': [[{ resourceTemplate: 'x:{a}', scopes: [] }, { resourceTemplate: 'x:{a}', scopes: [] }], 'components.1 repeats']
}

for (const [what, [components, path]] of Object.entries(refused)) {
  t.test(`${what} is refused with its path`, async (t) => {
    let message = ''
    try {
      policyOf(...components)
    } catch (error) {
      if (error instanceof TypeError) message = error.message
    }

    t.ok(message.startsWith(path), message)
  })
}

t.test('a component needs the scopes of its rule', async (t) => {
  const policy = policyOf({ tool: 'add', scopes: ['read', 'write'] }, { resource: 'notes://all', scopes: [] })

  t.same(scopesOf(policy, { kind: 'tool', name: 'add' }), ['read', 'write'])
  t.same(scopesOf(policy, { kind: 'resource', name: 'notes://all' }), [])
})

t.test('a tool and a prompt of one name are two components', async (t) => {
  const policy = policyOf({ tool: 'a', scopes: ['read'] }, { prompt: 'a', scopes: ['write'] })

  t.same(scopesOf(policy, { kind: 'tool', name: 'a' }), ['read'])
  t.same(scopesOf(policy, { kind: 'prompt', name: 'a' }), ['write'])
  t.equal(scopesOf(policy, { kind: 'resource', name: 'a' }), undefined)
})

for (const name of ['Add', 'add ', 'ａdd', 'a\u0301dd', '__proto__', 'constructor', 'toString', '']) {
  t.test(`${JSON.stringify(name)} is not the tool add`, async (t) => {
    const policy = policyOf({ tool: 'add', scopes: [] })

    t.equal(scopesOf(policy, { kind: 'tool', name }), undefined)
  })
}

t.test('what the host does to its options later changes nothing', async (t) => {
  const scopes = ['write']
  const policy = policyOf({ tool: 'add', scopes })

  scopes.pop()

  t.same(scopesOf(policy, { kind: 'tool', name: 'add' }), ['write'])
})

t.test('the tags of a component are its own and those of its server, and all of them are live', async (t) => {
  const policy = buildPolicy({
    model,
    components: [{ tool: 'a', tags: ['own'], server: 'crm' }, { prompt: 'p', scopes: [] }, { resourceTemplate: 'x:{a}', scopes: [], tags: ['r'] },
      { resource: 'x:1', scopes: [], tags: ['one'] }],
    servers: { crm: { tags: ['crm'] }, idle: { tags: ['nobody'] } }
  })

  t.strictSame([...policy.tags], ['own', 'crm', 'r', 'one'])
  t.strictSame([...policy.tagsOf({ kind: 'tool', name: 'a' })], ['own', 'crm'])
  t.strictSame([...policy.tagsOf({ kind: 'prompt', name: 'p' })], [])
  t.strictSame([...policy.tagsOf({ kind: 'resource', name: 'x:1' })], ['one', 'r'])
  t.strictSame([...policy.tagsOf({ kind: 'tool', name: 'b' })], [])
})

t.test('a scope of the catalogue is known, and the scope of a tag that something carries', async (t) => {
  const policy = policyOf({ tool: 'a', tags: ['db'] })

  for (const scope of ['read', 'write', 'tag:db']) t.equal(policy.knows(scope), true, scope)
  for (const scope of ['db', 'tag:', 'tag:DB', 'tag:x', 'Read', '', '__proto__']) t.equal(policy.knows(scope), false, scope)
})

t.test('tags are held to the limits, and those of servers too', async (t) => {
  const tagLimits = { scopeLength: 100, tagLength: 2, tags: 1, duplicates: false }

  t.throws(() => buildPolicy({ model, tagLimits, components: [{ tool: 'a', tags: ['abc'] }] }), { message: /^components\.0\.tags\.0 / })
  t.throws(() => buildPolicy({ model, tagLimits, components: [], servers: { s: { tags: ['abc'] } } }), { message: /^servers\.s\.tags\.0 / })
  t.throws(() => buildPolicy({ model, tagLimits, components: [], requireSenderConstraint: { tags: ['abc'] } }), { message: /^requireSenderConstraint\./ })
  t.ok(buildPolicy({ model, components: [{ tool: 'a', tags: ['x'.repeat(50)] }] }))
  t.throws(() => buildPolicy({ model, components: [{ tool: 'a', tags: ['x'.repeat(51)] }] }))
})

t.test('a rule is answered as it was given', async (t) => {
  const rule = { tool: 'a', scopes: ['read'], headers: { Region: 'region' }, title: 'A' }
  const policy = policyOf(rule, { resourceTemplate: 'x:{a}', scopes: [] })

  t.strictSame(policy.ruleOf({ kind: 'tool', name: 'a' }), rule)
  t.strictSame(policy.ruleOf({ kind: 'resource', name: 'x:1' }), { resourceTemplate: 'x:{a}', scopes: [] })
  t.equal(policy.ruleOf({ kind: 'tool', name: 'b' }), undefined)
  t.strictSame(policy.components(), [rule, { resourceTemplate: 'x:{a}', scopes: [] }])
  t.equal(policy.model, model)
})

t.test('the sender constraint of the whole resource reaches components, methods and routes', async (t) => {
  const bound = buildPolicy({ model, components: [{ tool: 'a', scopes: [] }], requireSenderConstraint: true })
  const free = policyOf({ tool: 'a', scopes: [] }, { tool: 'b', scopes: [], senderConstrained: true })

  t.match(bound.demandsOf({ kind: 'tool', name: 'a' }), [{ senderConstrained: true }])
  t.match(bound.demandsOfScopes([]), [{ senderConstrained: true, scopes: [] }])
  t.match(bound.demandsOfScopes(['read']), [{ senderConstrained: true, scopes: ['read'] }])
  t.match(free.demandsOf({ kind: 'tool', name: 'a' }), [{ senderConstrained: false }])
  t.match(free.demandsOf({ kind: 'tool', name: 'b' }), [{ senderConstrained: true }])
  t.match(free.demandsOfScopes([]), [{ senderConstrained: false, scopes: [] }])
})

t.test('a constraint for a scope reaches the routes that ask for it', async (t) => {
  const policy = buildPolicy({ model, components: [{ tool: 'a', tags: ['db'] }], requireSenderConstraint: { scopes: ['write'], tags: ['db'] } })

  t.match(policy.demandsOfScopes(['write']), [{ senderConstrained: true }])
  t.match(policy.demandsOfScopes(['read']), [{ senderConstrained: false }])
  t.match(policy.demandsOfScopes([]), [{ senderConstrained: false }])
  t.match(policy.demandsOf({ kind: 'tool', name: 'a' }), [{ senderConstrained: true, tags: new Set(['db']) }])
})

t.test('tasks are closed unless the policy opens them', async (t) => {
  t.equal(policyOf().tasks, false)
  t.equal(buildPolicy({ model, components: [], tasks: true }).tasks, true)
})

t.test('what the host does later to rules, tags and assurance changes nothing', async (t) => {
  const rule = { tool: 'a', scopes: [] as string[], roles: ['boss'], assurance: { maxAge: 60 } }
  const policy = policyOf(rule)

  rule.roles.push('everybody')
  rule.assurance.maxAge = 1e9

  t.match(policy.demandsOf({ kind: 'tool', name: 'a' }), [{ roles: ['boss'], assurance: { maxAge: 60 } }])
  t.match(decide(principalWith(['read'], { roles: ['everybody'] }), callOf({ kind: 'tool', name: 'a' }), { policy, now: 0 }),
    { reason: 'insufficient-role' })
})

t.test('what the host does later to its servers and tasks changes nothing', async (t) => {
  const tasks = { list: false }
  const servers = { crm: { tags: ['crm'] } }
  const policy = buildPolicy({ model, components: [{ tool: 'a', server: 'crm' }], servers, tasks })

  tasks.list = true
  servers.crm.tags.push('more')

  t.strictSame(policy.tasks, { list: false })
  t.strictSame([...policy.tags], ['crm'])
})

t.test('what asks for no scope is one demand, made once', async (t) => {
  const policy = policyOf()

  t.equal(policy.demandsOfScopes([]), policy.demandsOfScopes([]))
  t.strictSame(policy.demandsOfScopes([])[0]?.scopes, [])
})

t.test('a refusal that was found deeper inside keeps what was said there', async (t) => {
  t.throws(() => policyOf({ resource: 'notes', scopes: [] }), {
    name: 'TypeError',
    message: 'components.0.resource must be an absolute URI in normal form',
    cause: { name: 'TypeError', message: 'must be an absolute URI in normal form' }
  })
})
