import t from 'tap'
import { answerPreflights, openToOrigins } from '../../../lib/plugins/support/open-cors.js'
import { buildApp } from '../../helpers/build-app.js'

t.test('errors are as open as answers', async (t) => {
  const app = buildApp(t)
  app.addHook('onRequest', openToOrigins)
  app.get('/', async () => { throw new Error('no') })
  const answer = await app.inject('/')
  t.match(answer, { statusCode: 500, headers: { 'access-control-allow-origin': '*', 'access-control-expose-headers': /www-authenticate/ } })
})

t.test('a preflight is answered for every origin, and never lets cookies along', async (t) => {
  const app = buildApp(t)
  answerPreflights(app, '/token')
  const answer = await app.inject({ method: 'OPTIONS', url: '/token', headers: { origin: 'https://page.example' } })
  t.match(answer, { statusCode: 204, headers: { 'access-control-allow-origin': '*', 'access-control-allow-methods': /POST/ } })
  t.notOk('access-control-allow-credentials' in answer.headers)
})
