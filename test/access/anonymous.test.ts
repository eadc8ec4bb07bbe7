import t from 'tap'
import { buildAnonymous } from '../../lib/access/anonymous.js'
import { RESOURCE } from '../helpers/guard.js'

const local = { resource: RESOURCE, tenant: 'default', scopes: ['notes:read', 'tag:docs'], tags: ['docs'] }

t.test('the anonymous principal has what local policy names, and no more', async (t) => {
  t.match(buildAnonymous(local), {
    subject: null,
    clientId: 'anonymous',
    credential: 'anonymous',
    scopes: local.scopes,
    tags: ['docs'],
    roles: [],
    grantId: null,
    expiresAt: null,
    confirmation: null,
    authenticatedAt: null,
    acr: null
  })
  t.match(buildAnonymous({ ...local, roles: ['developer'], subject: 'me' }), { subject: 'me', roles: ['developer'] })
})

t.test('it has no role and no way of signing in unless they are named', async (t) => {
  const { roles, amr, claims } = buildAnonymous(local)

  t.strictSame([roles, amr, claims], [[], [], {}])
})

t.test('no issuer has its name, so that it owns nothing of a user who is called the same', async (t) => {
  t.equal(buildAnonymous({ ...local, subject: 'user-1' }).issuer, 'urn:mcp-security:anonymous')
})

t.test('it can not be changed', async (t) => {
  const principal = buildAnonymous(local)
  const { scopes, tags, roles, amr, claims } = principal

  t.ok([principal, scopes, tags, roles, amr, claims].every(Object.isFrozen))
})
