import t from 'tap'
import { defaultScopesOf } from '../../../lib/plugins/support/default-scopes.js'
import { buildScopeModel } from '../../../lib/protocol/scopes.js'
import { SCOPES } from '../../helpers/guard.js'

const model = buildScopeModel(SCOPES)

t.test('left out, they are the scopes that contain no other one', async (t) => {
  t.same(defaultScopesOf(model), ['notes:read', 'profile'])
})

t.test('the host may choose', async (t) => {
  t.same(defaultScopesOf(model, ['admin']), ['admin'])
})

t.test('a scope outside of the catalogue is refused with its path', async (t) => {
  t.throws(() => defaultScopesOf(model, ['admin', 'typo']), {
    code: 'MCPS_ERR_INVALID_OPTION', message: /^defaultScopes\.1 /
  })
})
