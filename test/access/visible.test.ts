import t from 'tap'
import { decide } from '../../lib/access/decide.js'
import { buildPolicy } from '../../lib/access/policy.js'
import { callOf, isVisible } from '../../lib/access/visible.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import type { Component } from '../../types/access.js'
import { principalWith } from '../helpers/guard.js'

const NOW = 1_700_000_000
const policy = buildPolicy({
  model: buildScopeModel({ read: 'Read', write: 'Write' }),
  components: [
    { tool: 'search', scopes: ['read'], tags: ['db'] },
    { tool: 'fresh', scopes: ['read'], assurance: { maxAge: 60 } },
    { tool: 'bound', scopes: ['read'], senderConstrained: true },
    { tool: 'boss', scopes: ['read'], roles: ['boss'] },
    { prompt: 'daily', scopes: ['read'] },
    { resource: 'notes://all', scopes: ['read'] },
    { resource: 'notes://all/secret', scopes: ['write'] },
    { resourceTemplate: 'notes://all/{id}', scopes: ['read'] }
  ]
})
const shows = (scopes: string[], component: Component, more = {}) =>
  isVisible(principalWith(scopes, more), component, { policy, now: NOW })

t.test('a component is used by the call that its kind has', async (t) => {
  const call = (method: string, component: Component) => ({ type: 'message', method, component })

  t.strictSame(callOf({ kind: 'tool', name: 'a' }), call('tools/call', { kind: 'tool', name: 'a' }))
  t.strictSame(callOf({ kind: 'prompt', name: 'a' }), call('prompts/get', { kind: 'prompt', name: 'a' }))
  t.strictSame(callOf({ kind: 'resource', name: 'x:a' }), call('resources/read', { kind: 'resource', name: 'x:a' }))
  t.strictSame(callOf({ kind: 'resourceTemplate', name: 'x:{a}' }), call('completion/complete', { kind: 'resource', name: 'x:{a}' }))
})

const EACH: Component[] = [
  { kind: 'tool', name: 'search' }, { kind: 'prompt', name: 'daily' }, { kind: 'resource', name: 'notes://all' },
  { kind: 'resource', name: 'notes://all/1' }, { kind: 'resourceTemplate', name: 'notes://all/{id}' }
]

for (const component of EACH) {
  t.test(`the ${component.kind} ${component.name} is shown to whoever may use it, and to nobody else`, async (t) => {
    t.equal(shows(['read'], component), true)
    t.equal(shows(['write'], component), false)
    t.equal(shows([], component), false)
  })
}

t.test('what no rule names is not shown', async (t) => {
  t.equal(shows(['read', 'write'], { kind: 'tool', name: 'drop' }), false)
  t.equal(shows(['read', 'write'], { kind: 'resource', name: 'notes://all/{id}' }), false)
  t.equal(shows(['read', 'write'], { kind: 'resourceTemplate', name: 'notes://all/{name}' }), false)
  t.equal(shows(['read', 'write'], { kind: 'prompt', name: 'search' }), false)
})

t.test('a resource that several rules match is shown to whoever all of them allow', async (t) => {
  t.equal(shows(['read'], { kind: 'resource', name: 'notes://all/secret' }), false)
  t.equal(shows(['write'], { kind: 'resource', name: 'notes://all/secret' }), false)
  t.equal(shows(['read', 'write'], { kind: 'resource', name: 'notes://all/secret' }), true)
})

t.test('what would be answered with a challenge is not shown', async (t) => {
  t.equal(shows(['read'], { kind: 'tool', name: 'fresh' }, { authenticatedAt: NOW - 61 }), false)
  t.equal(shows(['read'], { kind: 'tool', name: 'fresh' }, { authenticatedAt: NOW }), true)
  t.equal(shows(['read'], { kind: 'tool', name: 'bound' }), false)
  t.equal(shows(['read'], { kind: 'tool', name: 'bound' }, { confirmation: { jkt: 'x' } }), true)
  t.equal(shows(['read'], { kind: 'tool', name: 'boss' }), false)
})

t.test('what the client filters out is not shown', async (t) => {
  const filter = (tags: ReadonlySet<string>) => tags.has('db')
  const principal = principalWith(['read'])

  t.equal(isVisible(principal, { kind: 'tool', name: 'search' }, { policy, now: NOW, filter }), true)
  t.equal(isVisible(principal, { kind: 'prompt', name: 'daily' }, { policy, now: NOW, filter }), false)
})

t.test('what is shown is what may be called', async (t) => {
  for (const { tool: name } of policy.components()) {
    if (name === undefined) continue
    for (const scopes of [[], ['read'], ['write'], ['read', 'write']]) {
      const component: Component = { kind: 'tool', name }
      const call = { type: 'message', method: 'tools/call', component } as const
      t.equal(shows(scopes, component), decide(principalWith(scopes), call, { policy, now: NOW }).allowed)
    }
  }
})
