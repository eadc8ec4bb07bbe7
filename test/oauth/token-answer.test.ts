import { decodeJwt } from 'jose'
import t from 'tap'
import { buildTokenBody } from '../../lib/oauth/token-answer.js'
import { buildContext, openFamily, RESOURCE, START } from '../helpers/token-context.js'

const context = buildContext()
const { grantId } = await openFamily(context)
const grant = await context.grants.find(grantId, START)
if (grant === null) throw new Error('the grant is gone')

t.test('the answer is what clients parse: no null, a number of seconds, the scope always', async (t) => {
  const body = JSON.parse(buildTokenBody({ grant, scopes: ['notes:read'], refreshToken: 'r', context, now: START }))

  t.strictSame({ ...body, access_token: 'a' }, {
    access_token: 'a', token_type: 'Bearer', expires_in: 900, scope: 'notes:read', refresh_token: 'r'
  })
  t.match(decodeJwt(body.access_token), { aud: RESOURCE, scope: 'notes:read', exp: START + 900 })
})

t.test('without a refresh token there is no such member', async (t) => {
  const body = JSON.parse(buildTokenBody({ grant, scopes: ['notes:read'], refreshToken: null, context, now: START }))

  t.notOk(Object.hasOwn(body, 'refresh_token'))
})

t.test('an access token does not outlive its grant', async (t) => {
  const ending = { ...grant, endsAt: START + 100 }
  const body = JSON.parse(buildTokenBody({ grant: ending, scopes: ['s'], refreshToken: null, context, now: START }))

  t.equal(body.expires_in, 100)
  t.equal(decodeJwt(body.access_token).exp, START + 100)
})
