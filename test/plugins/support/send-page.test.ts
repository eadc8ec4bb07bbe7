import t from 'tap'
import { sendPage } from '../../../lib/plugins/support/send-page.js'
import { buildApp } from '../../helpers/build-app.js'

t.test('a page goes out with its status and the headers of a page', async (t) => {
  const app = buildApp(t)
  app.get('/', async (_request, reply) => sendPage(reply, { status: 403, html: '<p>no' }))
  const { statusCode, headers, body } = await app.inject('/')
  t.equal(statusCode, 403)
  t.equal(body, '<p>no')
  t.match(headers, { 'content-type': 'text/html; charset=utf-8', 'x-frame-options': 'DENY', 'cache-control': 'no-store' })
  t.match(headers['content-security-policy'], /form-action 'self'$/)
})

t.test('its form may lead where it says', async (t) => {
  const app = buildApp(t)
  app.get('/', async (_request, reply) => sendPage(reply, { status: 200, html: '', formActions: ['https://c.example/cb'] }))
  t.match((await app.inject('/')).headers['content-security-policy'], /form-action 'self' https:\/\/c\.example$/)
})
