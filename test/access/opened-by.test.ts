import t from 'tap'
import { isOpenedBy } from '../../lib/access/opened-by.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import type { ComponentRule } from '../../types/access.js'

const model = buildScopeModel({
  read: 'Read', write: { title: 'Write', implies: ['read'] }, mail: 'Mail', chat: 'Chat'
}, () => new Set(['x', 'y']))
const opened = (rule: Omit<ComponentRule, 'tool'>, scope: string, asked: string[] = [scope]) =>
  isOpenedBy({ tool: 'a', ...rule }, { scope, asked, model, tags: rule.tags ?? [] })

t.test('a component stands under its scope and under what contains it', async (t) => {
  t.equal(opened({ scopes: ['read'] }, 'read'), true)
  t.equal(opened({ scopes: ['read'] }, 'write'), true)
  t.equal(opened({ scopes: ['write'] }, 'read'), false)
  t.equal(opened({ scopes: ['read'] }, 'mail', ['mail', 'read']), false)
})

t.test('a component of several scopes stands under each of them, when all are asked for', async (t) => {
  const rule = { scopes: ['read', 'mail'] }

  t.equal(opened(rule, 'read', ['read', 'mail']), true)
  t.equal(opened(rule, 'mail', ['write', 'mail']), true)
  t.equal(opened(rule, 'read', ['read']), false)
})

t.test('a component without scopes stands under every scope', async (t) => {
  t.equal(opened({ scopes: [] }, 'mail'), true)
  t.equal(opened({ scopes: [], destructive: true }, 'mail'), true)
})

t.test('a component that any of several scopes opens stands under those that are asked for', async (t) => {
  const rule = { anyScope: ['mail', 'read'] }

  t.equal(opened(rule, 'mail'), true)
  t.equal(opened(rule, 'write'), true)
  t.equal(opened(rule, 'chat'), false)
  t.equal(opened(rule, 'chat', ['chat', 'mail']), false)
  t.equal(opened({ scopes: [], anyScope: ['mail'] }, 'chat'), false)
  t.equal(opened({ scopes: ['read'], anyScope: ['mail'] }, 'mail', ['mail']), false)
  t.equal(opened({ scopes: ['read'], anyScope: ['mail'] }, 'read', ['read']), false)
  t.equal(opened({ scopes: ['read'], anyScope: ['mail', 'chat'] }, 'read', ['read', 'chat']), true)
})

t.test('a component stands under the scope of each of its tags', async (t) => {
  t.equal(opened({ tags: ['x', 'y'] }, 'tag:y'), true)
  t.equal(opened({ tags: ['x'] }, 'tag:y'), false)
  t.equal(opened({ tags: ['x'] }, 'read'), false)
  t.equal(opened({ scopes: ['write'], tags: ['x'] }, 'tag:x'), true)
})

t.test('a destructive component does not stand under its tags', async (t) => {
  const rule = { scopes: ['write'], tags: ['x'], destructive: true }

  t.equal(opened(rule, 'tag:x'), false)
  t.equal(opened(rule, 'tag:x', ['tag:x', 'write']), false)
  t.equal(opened(rule, 'write', ['tag:x', 'write']), true)
})
