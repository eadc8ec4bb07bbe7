import t from 'tap'
import { noticePage } from '../../lib/pages/notice-page.js'
import { noticeModel } from '../helpers/page-models.js'

t.test('a notice says one thing and links on, naming where to', async (t) => {
  const page = noticePage(noticeModel)

  t.match(page, '<h1>Nothing was allowed</h1>')
  t.match(page, 'The link leads to <bdi>localhost:54321</bdi>.')
  t.match(page, 'href="http://localhost:54321/callback?error=access_denied">Return to the application</a>')
})

t.test('a notice without link and destination has neither', async (t) => {
  const page = noticePage({ title: 'Signed out', message: 'You can close this page.' })

  t.notMatch(page, /<a |leads to/)
})

t.test('a script in place of a link is left out', async (t) => {
  const page = noticePage({ ...noticeModel, link: { href: 'javascript:alert(1)', text: 'Go' } })

  t.notMatch(page, /javascript|<a /)
})
