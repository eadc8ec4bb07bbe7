import t from 'tap'
import { buildSenderConstraint } from '../../lib/access/sender-constraint.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import { TAG_LIMITS } from '../../lib/protocol/tags.js'
import type { ComponentRule, SenderConstraint } from '../../types/access.js'

const model = buildScopeModel({ read: 'Read', write: { title: 'Write', implies: ['read'] }, admin: { title: 'All', implies: ['write'] } })
const constraintOf = (constraint: SenderConstraint) => buildSenderConstraint(constraint, model, TAG_LIMITS)
const bindsRule = (constraint: SenderConstraint, rule: ComponentRule) =>
  constraintOf(constraint).ofRule(rule, new Set(rule.tags))

t.test('true binds everything', async (t) => {
  t.equal(bindsRule(true, { tool: 'a', scopes: [] }), true)
  t.equal(bindsRule(true, { tool: 'a', scopes: [], senderConstrained: false }), true)
  t.equal(constraintOf(true).ofScopes([]), true)
})

t.test('false binds what says so itself, and nothing else', async (t) => {
  t.equal(bindsRule(false, { tool: 'a', scopes: [] }), false)
  t.equal(bindsRule(false, { tool: 'a', scopes: [], senderConstrained: true }), true)
  t.equal(constraintOf(false).ofScopes(['admin']), false)
})

t.test('a scope binds what asks for it, or for a scope that contains it', async (t) => {
  const write = { scopes: ['write'] }

  t.equal(bindsRule(write, { tool: 'a', scopes: ['read', 'write'] }), true)
  t.equal(bindsRule(write, { tool: 'a', scopes: ['admin'] }), true)
  t.equal(bindsRule(write, { tool: 'a', anyScope: ['read', 'write'] }), true)
  t.equal(bindsRule(write, { tool: 'a', scopes: ['read'] }), false)
  t.equal(bindsRule(write, { tool: 'a', scopes: [], tags: ['write'] }), false)
  t.equal(constraintOf(write).ofScopes(['admin']), true)
  t.equal(constraintOf(write).ofScopes(['read']), false)
})

t.test('one of several scopes is enough to bind', async (t) => {
  t.equal(bindsRule({ scopes: ['admin', 'read'] }, { tool: 'a', scopes: ['read'] }), true)
  t.equal(bindsRule({ scopes: ['admin', 'write'] }, { tool: 'a', scopes: ['read'] }), false)
})

t.test('a tag binds what carries it', async (t) => {
  const money = { tags: ['other', 'money'] }

  t.equal(bindsRule(money, { tool: 'a', scopes: ['read'], tags: ['money'] }), true)
  t.equal(bindsRule(money, { tool: 'a', scopes: ['read'], tags: ['Money'] }), false)
  t.equal(bindsRule(money, { tool: 'a', scopes: ['read'] }), false)
  t.equal(constraintOf(money).ofScopes(['admin']), false)
})

t.test('a rule that binds itself stays bound beside named scopes and tags', async (t) => {
  t.equal(bindsRule({ tags: ['money'] }, { tool: 'a', scopes: [], senderConstrained: true }), true)
})

const REFUSED: [string, SenderConstraint, RegExp][] = [
  ['names nothing', {}, /^requireSenderConstraint must name scopes or tags/],
  ['names nothing in two lists', { scopes: [], tags: [] }, /^requireSenderConstraint must name scopes or tags/],
  ['names a scope that the catalogue does not have', { scopes: ['read', 'reed'] }, /^requireSenderConstraint\.scopes\.1 is not a scope/],
  ['names the scope of a tag', { scopes: ['tag:a'] }, /^requireSenderConstraint\.scopes\.0 is not a scope/],
  ['names a tag that is none', { tags: ['a', 'b c'] }, /^requireSenderConstraint\.tags\.1 must be 1 to 50 letters/]
]

for (const [what, constraint, message] of REFUSED) {
  t.test(`a constraint that ${what} is refused`, async (t) => {
    t.throws(() => constraintOf(constraint), { name: 'TypeError', message })
  })
}
