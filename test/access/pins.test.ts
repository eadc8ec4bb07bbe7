import t from 'tap'
import { pinOf, pinsOpenedBy } from '../../lib/access/pins.js'
import { buildPolicy } from '../../lib/access/policy.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import type { ComponentRule } from '../../types/access.js'

const model = buildScopeModel({ read: 'Read', write: { title: 'Write', implies: ['read'] }, mail: 'Mail' })
const drop: ComponentRule = { tool: 'drop', scopes: ['write'], destructive: true }
const pinsOf = (components: readonly ComponentRule[], asked: readonly string[]) =>
  pinsOpenedBy(asked, { policy: buildPolicy({ model, components }), model })

t.test('a pin says resource, kind and name, and nothing that could be read', async (t) => {
  t.match(pinOf({ kind: 'tool', name: 'drop' }, ''), /^[\w-]{16}$/)
  t.not(pinOf({ kind: 'tool', name: 'drop' }, ''), pinOf({ kind: 'prompt', name: 'drop' }, ''))
  t.not(pinOf({ kind: 'tool', name: 'drop' }, 'https://a.example'), pinOf({ kind: 'tool', name: 'drop' }, 'https://b.example'))
  t.not(pinOf({ kind: 'tool', name: 'drop' }, ''), pinOf({ kind: 'tool', name: 'Drop' }, ''))
})

t.test('only what is destructive is pinned, and only what the scopes open', async (t) => {
  const components = [{ tool: 'list', scopes: ['write'] }, drop]

  t.strictSame(pinsOf(components, ['write']), [pinOf({ kind: 'tool', name: 'drop' }, '')])
  t.strictSame(pinsOf(components, ['read', 'mail']), [])
  t.strictSame(pinsOf(components, []), [])
})

t.test('what needs several scopes is pinned when all are there', async (t) => {
  const components = [{ prompt: 'both', scopes: ['read', 'mail'], destructive: true }]

  t.strictSame(pinsOf(components, ['read', 'mail']), [pinOf({ kind: 'prompt', name: 'both' }, '')])
  t.strictSame(pinsOf(components, ['mail']), [])
})

t.test('what is open to everybody is pinned with any scope', async (t) => {
  t.strictSame(pinsOf([{ tool: 'wipe', scopes: [], destructive: true }], ['mail']), [pinOf({ kind: 'tool', name: 'wipe' }, '')])
})

t.test('a tag opens nothing that is destructive, so it pins nothing', async (t) => {
  t.strictSame(pinsOf([{ ...drop, tags: ['x'] }], ['tag:x']), [])
})
