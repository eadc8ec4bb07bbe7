import t from 'tap'
import { askScopes, demandOf, plainDemand } from '../../lib/access/demand.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import type { ComponentRule } from '../../types/access.js'

const model = buildScopeModel({
  read: 'Read', write: { title: 'Write', implies: ['read'] }, admin: { title: 'All', implies: ['write'] }, mail: 'Mail', chat: 'Chat'
})
const plain = { tags: new Set<string>(), senderConstrained: false, pin: 'p' }
const ask = (rule: Omit<ComponentRule, 'tool'>, granted: string[]) =>
  askScopes(demandOf({ tool: 'a', ...rule }, { ...plain, tags: new Set(rule.tags) }), granted, model)

t.test('all scopes are needed, and all that are missing are told at once', async (t) => {
  t.strictSame(ask({ scopes: ['read', 'mail'] }, []), { required: ['read', 'mail'], missing: ['read', 'mail'] })
  t.strictSame(ask({ scopes: ['read', 'mail'] }, ['write']), { required: ['read', 'mail'], missing: ['mail'] })
  t.strictSame(ask({ scopes: ['read', 'mail'] }, ['mail', 'read']), { required: ['read', 'mail'], missing: [] })
  t.strictSame(ask({ scopes: [] }, []), { required: [], missing: [] })
})

t.test('of any of several scopes the one that is held counts, else the first is asked for', async (t) => {
  t.strictSame(ask({ anyScope: ['mail', 'chat'] }, ['read']), { required: ['mail'], missing: ['mail'] })
  t.strictSame(ask({ anyScope: ['mail', 'chat'] }, ['chat']), { required: ['chat'], missing: [] })
  t.strictSame(ask({ anyScope: ['mail', 'read'] }, ['admin']), { required: ['read'], missing: [] })
})

t.test('any of several scopes is needed besides all of the others', async (t) => {
  const rule = { scopes: ['write'], anyScope: ['mail', 'chat'] }

  t.strictSame(ask(rule, ['chat']), { required: ['write', 'chat'], missing: ['write'] })
  t.strictSame(ask(rule, ['admin']), { required: ['write', 'mail'], missing: ['mail'] })
  t.strictSame(ask(rule, ['read']), { required: ['write', 'mail'], missing: ['write', 'mail'] })
  t.strictSame(ask(rule, ['chat', 'write']), { required: ['write', 'chat'], missing: [] })
})

t.test('a scope that is both needed and one of any is asked for once', async (t) => {
  t.strictSame(ask({ scopes: ['mail'], anyScope: ['mail'] }, []), { required: ['mail'], missing: ['mail'] })
})

t.test('a tag scope opens a component instead of its scopes', async (t) => {
  const rule = { scopes: ['write', 'mail'], anyScope: ['chat'], tags: ['x', 'y'] }

  t.strictSame(ask(rule, ['tag:y']), { required: ['tag:y'], missing: [] })
  t.strictSame(ask(rule, ['tag:z', 'y', 'tag:', 'tag:Y']), { required: ['write', 'mail', 'chat'], missing: ['write', 'mail', 'chat'] })
  t.strictSame(ask(rule, ['admin', 'mail', 'chat']), { required: ['write', 'mail', 'chat'], missing: [] })
})

t.test('where only tags open a component, the first is asked for', async (t) => {
  t.strictSame(ask({ tags: ['x', 'y'] }, ['admin']), { required: ['tag:x'], missing: ['tag:x'] })
  t.strictSame(ask({ tags: ['x', 'y'] }, ['tag:y']), { required: ['tag:y'], missing: [] })
})

t.test('a destructive component needs its scopes, whatever tags were granted', async (t) => {
  const rule = { scopes: ['write'], tags: ['x'], destructive: true }

  t.strictSame(ask(rule, ['tag:x']), { required: ['write'], missing: ['write'] })
  t.strictSame(ask(rule, ['tag:x', 'admin']), { required: ['write'], missing: [] })
  t.strictSame(ask({ anyScope: ['mail'], tags: ['x'], destructive: true }, ['tag:x']), { required: ['mail'], missing: ['mail'] })
})

t.test('a demand holds what its rule says, and nothing for what it leaves out', async (t) => {
  const tags = new Set(['x'])
  const rule = {
    tool: 'a', scopes: ['read'], anyScope: ['mail'], tags: ['x'], roles: ['boss'], assurance: { maxAge: 1 }
  }

  t.strictSame(demandOf(rule, { tags, senderConstrained: true, pin: 'p' }), {
    rule, tags, scopes: ['read'], anyScope: ['mail'], tagScopes: ['tag:x'], roles: ['boss'], assurance: { maxAge: 1 }, senderConstrained: true, pin: null
  })
  t.strictSame(demandOf({ tool: 'a', scopes: [] }, plain), {
    rule: { tool: 'a', scopes: [] }, tags: new Set(), scopes: [], anyScope: null, tagScopes: [], roles: null, assurance: null, senderConstrained: false, pin: null
  })
  t.match(demandOf({ tool: 'a', anyScope: ['mail'] }, { ...plain, tags }), { scopes: [] })
  t.match(demandOf({ tool: 'a' }, { ...plain, tags }), { scopes: null })
  t.match(demandOf({ tool: 'a', scopes: [], destructive: true }, plain), { pin: 'p' })
})

t.test('what no rule names asks for its scopes and no more', async (t) => {
  t.strictSame(plainDemand(['read'], true), {
    rule: null, tags: new Set(), scopes: ['read'], anyScope: null, tagScopes: [], roles: null, assurance: null, senderConstrained: true, pin: null
  })
})
