import t from 'tap'
import { buildPolicy } from '../../lib/access/policy.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import type { ComponentRule } from '../../types/access.js'

const model = buildScopeModel({ read: 'Read', write: 'Write' })
const policyOf = (...components: ComponentRule[]) => buildPolicy({ model, components })

const refused: Record<string, [ComponentRule[], string]> = {
  'a rule that names nothing': [[{ scopes: [] }], 'components.0 '],
  'a rule that names a tool and a prompt': [[{ tool: 'a', prompt: 'a', scopes: [] }], 'components.0 '],
  'a scope that the catalogue does not have': [[{ tool: 'a', scopes: ['read', 'reed'] }], 'components.0.scopes.1 '],
  'a scope in another case': [[{ tool: 'a', scopes: ['Read'] }], 'components.0.scopes.0 '],
  'a tool twice': [[{ tool: 'a', scopes: [] }, { tool: 'b', scopes: [] }, { tool: 'a', scopes: ['read'] }], 'components.2 ']
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

  t.same(policy.scopesOf({ kind: 'tool', name: 'add' }), ['read', 'write'])
  t.same(policy.scopesOf({ kind: 'resource', name: 'notes://all' }), [])
})

t.test('a tool and a prompt of one name are two components', async (t) => {
  const policy = policyOf({ tool: 'a', scopes: ['read'] }, { prompt: 'a', scopes: ['write'] })

  t.same(policy.scopesOf({ kind: 'tool', name: 'a' }), ['read'])
  t.same(policy.scopesOf({ kind: 'prompt', name: 'a' }), ['write'])
  t.equal(policy.scopesOf({ kind: 'resource', name: 'a' }), undefined)
})

for (const name of ['Add', 'add ', 'ａdd', 'a\u0301dd', '__proto__', 'constructor', 'toString', '']) {
  t.test(`${JSON.stringify(name)} is not the tool add`, async (t) => {
    const policy = policyOf({ tool: 'add', scopes: [] })

    t.equal(policy.scopesOf({ kind: 'tool', name }), undefined)
  })
}

t.test('what the host does to its options later changes nothing', async (t) => {
  const scopes = ['write']
  const policy = policyOf({ tool: 'add', scopes })

  scopes.pop()

  t.same(policy.scopesOf({ kind: 'tool', name: 'add' }), ['write'])
})
