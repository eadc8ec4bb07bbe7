import t from 'tap'
import { buildComponentIndex } from '../../lib/access/component-index.js'
import { plainDemand } from '../../lib/access/demand.js'
import type { Component } from '../../types/access.js'

const demand = plainDemand(['read'], false)
const EACH: Component[] = [
  { kind: 'tool', name: 'x:a' }, { kind: 'prompt', name: 'x:a' }, { kind: 'resource', name: 'x:a' },
  { kind: 'resourceTemplate', name: 'x:{a}' }
]

for (const component of EACH) {
  t.test(`a ${component.kind} is found as what it is`, async (t) => {
    const index = buildComponentIndex()

    index.add(component, demand)

    t.strictSame(index.find(component), [demand])
    for (const { kind } of EACH) {
      if (kind !== component.kind && component.kind !== 'resourceTemplate') t.strictSame(index.find({ kind, name: 'x:a' }), [])
    }
  })
}

t.test('a template is for the URIs that it matches, and neither tool nor prompt', async (t) => {
  const index = buildComponentIndex()
  index.add({ kind: 'resourceTemplate', name: 'x:{a}' }, demand)

  t.strictSame(index.find({ kind: 'resource', name: 'x:1' }), [demand])
  t.strictSame(index.find({ kind: 'resourceTemplate', name: 'x:1' }), [])
  t.strictSame(index.find({ kind: 'tool', name: 'x:1' }), [])
})

t.test('what was never added is not found, whatever every object has', async (t) => {
  const index = buildComponentIndex()

  for (const name of ['__proto__', 'constructor', 'toString', '']) {
    for (const { kind } of EACH) t.strictSame(index.find({ kind, name }), [])
  }
})
