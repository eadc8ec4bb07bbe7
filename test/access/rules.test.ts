import t from 'tap'
import { assertRule, assertServers, componentOf, tagsOfRule } from '../../lib/access/rules.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import { TAG_LIMITS } from '../../lib/protocol/tags.js'
import type { ComponentRule, Servers } from '../../types/access.js'

const model = buildScopeModel({ read: 'Read', write: 'Write' }, () => new Set(['live']))
const SERVERS: Servers = { crm: { tags: ['crm', 'eu'] }, bare: { tags: [] } }
const check = (rule: ComponentRule) => {
  assertRule(rule, { tags: tagsOfRule(rule, SERVERS, 'rule'), model, limits: TAG_LIMITS, path: 'rule' })
}

const KINDS = 'tool, prompt, resource, resourceTemplate'
const BAD_NAMES: [string, ComponentRule][] = [
  ['nothing', { scopes: [] }],
  ['a tool and a prompt', { tool: 'a', prompt: 'a' }],
  ['a resource and a template', { resource: 'x:a', resourceTemplate: 'x:{a}' }],
  ['all four', { tool: 'a', prompt: 'a', resource: 'x:a', resourceTemplate: 'x:{a}' }]
]

for (const [what, rule] of BAD_NAMES) {
  t.test(`a rule that names ${what} is refused`, async (t) => {
    t.throws(() => componentOf(rule, 'rule'), { name: 'TypeError', message: `rule must name exactly one of ${KINDS}` })
  })
}

t.test('a rule is for the component that it names', async (t) => {
  t.same(componentOf({ tool: 'a' }, ''), { kind: 'tool', name: 'a' })
  t.same(componentOf({ prompt: 'a' }, ''), { kind: 'prompt', name: 'a' })
  t.same(componentOf({ resource: 'x:a' }, ''), { kind: 'resource', name: 'x:a' })
  t.same(componentOf({ resourceTemplate: 'x:{a}' }, ''), { kind: 'resourceTemplate', name: 'x:{a}' })
})

t.test('a component carries its own tags and those of its server', async (t) => {
  t.strictSame([...tagsOfRule({ tool: 'a', tags: ['own', 'eu'], server: 'crm' }, SERVERS, '')], ['own', 'eu', 'crm'])
  t.strictSame([...tagsOfRule({ tool: 'a', server: 'crm' }, SERVERS, '')], ['crm', 'eu'])
  t.strictSame([...tagsOfRule({ tool: 'a', tags: ['own'] }, SERVERS, '')], ['own'])
  t.strictSame([...tagsOfRule({ tool: 'a' }, SERVERS, '')], [])
})

t.test('a server that is not there is refused, also by a name that every object has', async (t) => {
  for (const server of ['crn', 'CRM', 'toString', '__proto__', 'constructor']) {
    t.throws(() => tagsOfRule({ tool: 'a', server }, SERVERS, 'rule'), { message: 'rule.server is not in servers' })
  }
})

t.test('the tags of a server are held to the limits', async (t) => {
  t.doesNotThrow(() => { assertServers(SERVERS, TAG_LIMITS) })
  t.throws(() => { assertServers({ ok: { tags: [] }, bad: { tags: ['a', '*'] } }, TAG_LIMITS) }, {
    name: 'TypeError', message: 'servers.bad.tags.1 must be 1 to 50 letters, digits, _ and -'
  })
  t.throws(() => { assertServers({ s: { tags: ['abc'] } }, { ...TAG_LIMITS, tagLength: 2 }) }, { message: /^servers\.s\.tags\.0 must be 1 to 2 / })
})

const GOOD: [string, ComponentRule][] = [
  ['no scope', { tool: 'a', scopes: [] }],
  ['a destructive tool without scope', { tool: 'a', scopes: [], destructive: true }],
  ['any of several scopes', { tool: 'a', anyScope: ['read', 'write'] }],
  ['a destructive tool with any of several scopes', { tool: 'a', anyScope: ['read'], destructive: true }],
  ['only a tag', { tool: 'a', tags: ['x'] }],
  ['only the tag of its server', { tool: 'a', server: 'crm' }],
  ['tags that are no list of anything', { tool: 'a', scopes: ['read'], tags: [] }],
  ['each kind of assurance', { tool: 'a', scopes: [], assurance: { maxAge: 0, acr: ['a'], amr: ['b'] } }],
  ['maxAge alone', { tool: 'a', scopes: [], assurance: { maxAge: 1 } }],
  ['acr alone', { tool: 'a', scopes: [], assurance: { acr: ['a'] } }],
  ['amr alone', { tool: 'a', scopes: [], assurance: { amr: ['a'] } }],
  ['arguments in headers', { tool: 'a', scopes: [], headers: { Region: 'region' } }],
  ['two arguments in headers', { tool: 'a', scopes: [], headers: { Region: 'region', Zone: 'zone' } }],
  ['a role', { tool: 'a', scopes: [], roles: ['boss'] }]
]

for (const [what, rule] of GOOD) {
  t.test(`a rule with ${what} is one`, async (t) => { t.doesNotThrow(() => { check(rule) }) })
}

const BAD: [string, ComponentRule, string][] = [
  ['a scope that the catalogue does not have', { tool: 'a', scopes: ['read', 'x'] }, 'rule.scopes.1 is not a scope of the catalogue'],
  ['the scope of a tag, which may go away', { tool: 'a', scopes: ['tag:live'] }, 'rule.scopes.0 is not a scope of the catalogue'],
  ['an unknown scope among any', { tool: 'a', scopes: [], anyScope: ['x'] }, 'rule.anyScope.0 is not a scope of the catalogue'],
  ['a tag that is none', { tool: 'a', scopes: [], tags: ['tag:x'] }, 'rule.tags.0 must be 1 to 50 letters, digits, _ and -'],
  ['a tag of 51 characters', { tool: 'a', scopes: [], tags: ['x'.repeat(51)] }, 'rule.tags.0 must be 1 to 50 letters, digits, _ and -'],
  ['any of no scopes', { tool: 'a', scopes: ['read'], anyScope: [] }, 'rule.anyScope must not be empty'],
  ['any of no roles', { tool: 'a', scopes: [], roles: [] }, 'rule.roles must not be empty'],
  ['an assurance of nothing', { tool: 'a', scopes: [], assurance: {} }, 'rule.assurance must have maxAge, acr or amr'],
  ['any of no acr', { tool: 'a', scopes: [], assurance: { acr: [] } }, 'rule.assurance.acr must not be empty'],
  ['all of no amr', { tool: 'a', scopes: [], assurance: { amr: [] } }, 'rule.assurance.amr must not be empty'],
  ['a negative age', { tool: 'a', scopes: [], assurance: { maxAge: -1 } }, 'rule.assurance.maxAge must be a whole number of seconds, 0 or more'],
  ['an age that is no number', { tool: 'a', scopes: [], assurance: { maxAge: NaN } }, 'rule.assurance.maxAge must be a whole number of seconds, 0 or more'],
  ['half a second', { tool: 'a', scopes: [], assurance: { maxAge: 0.5 } }, 'rule.assurance.maxAge must be a whole number of seconds, 0 or more'],
  ['arguments of a prompt in headers', { prompt: 'a', scopes: ['read'], headers: { A: 'a' } },
    'rule.headers cannot be given but for a tool: nothing else mirrors arguments'],
  ['a header that cannot be', { tool: 'a', scopes: ['read'], headers: { 'A B': 'a' } },
    'rule.headers.A B must be what may stand behind Mcp-Param- in a header'],
  ['one header twice', { tool: 'a', scopes: ['read'], headers: { A: 'a', a: 'b' } },
    'rule.headers must not name one header twice'],
  ['nothing that opens it', { tool: 'a' }, 'rule must have scopes, anyScope or tags: nothing opens it'],
  ['no tag, of a server that has none', { tool: 'a', tags: [], server: 'bare' }, 'rule must have scopes, anyScope or tags: nothing opens it'],
  ['only a tag, though destructive', { tool: 'a', tags: ['x'], destructive: true }, 'rule must have scopes or anyScope: it is destructive, so no tag opens it']
]

for (const [what, rule, message] of BAD) {
  t.test(`a rule with ${what} is refused with its path`, async (t) => {
    t.throws(() => { check(rule) }, { name: 'TypeError', message })
  })
}
