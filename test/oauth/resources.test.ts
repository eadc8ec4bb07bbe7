import t from 'tap'
import { resourcesOf, targetOf } from '../../lib/oauth/resources.js'
import { buildContext, RESOURCE } from '../helpers/token-context.js'

const BILLS = 'https://mcp.example/bills'
const { resources } = buildContext({ furtherResources: [BILLS] })
const one = { resource: RESOURCE, scopes: ['read', `${RESOURCE}#write`] }
const both = { resource: RESOURCE, furtherResources: [BILLS], scopes: ['read', `${RESOURCE}#write`, `${BILLS}#pay`] }

t.test('a grant for one resource needs no choice and keeps all of its scopes', async (t) => {
  for (const requested of [undefined, RESOURCE]) {
    t.match(targetOf(one, requested, resources), { resource: { resource: RESOURCE }, scopes: one.scopes })
  }
})

t.test('a token of a grant for several carries what the chosen resource offers', async (t) => {
  t.strictSame(resourcesOf(both), [RESOURCE, BILLS])
  t.match(targetOf(both, RESOURCE, resources), { resource: { resource: RESOURCE }, scopes: ['read', `${RESOURCE}#write`] })
  t.match(targetOf(both, BILLS, resources), { resource: { resource: BILLS }, scopes: ['read', `${BILLS}#pay`] })
})

const refused: Record<string, () => unknown> = {
  'no choice among several': () => targetOf(both, undefined, resources),
  'a resource of the server that the grant does not have': () => targetOf(one, BILLS, resources),
  'a resource of nobody': () => targetOf(both, 'https://evil.example', resources),
  'a resource at which nothing was granted': () => targetOf({ ...both, scopes: [`${BILLS}#pay`] }, RESOURCE, resources),
  'a resource that is not served any more': () => targetOf(both, BILLS, new Map([...resources].slice(0, 1)))
}

for (const [what, ask] of Object.entries(refused)) {
  t.test(`${what} is refused as invalid_target`, async (t) => { t.throws(ask, { code: 'invalid_target' }) })
}
