import t from 'tap'
import { errorPage } from '../../lib/pages/error-page.js'
import { errorModel } from '../helpers/page-models.js'

t.test('an error says what happened, where it is logged and how to go on', async (t) => {
  const page = errorPage(errorModel)

  t.match(page, '<p class="eyebrow">Error 400</p>\n<h1>This request cannot go on</h1>')
  t.match(page, errorModel.message)
  t.match(page, '<code>req-7f3k</code>')
  t.match(page, 'href="/">Go to the start</a>')
})

t.test('an error without reference and link has neither', async (t) => {
  const page = errorPage({ status: 500, title: 'Something went wrong', message: 'Try again later.' })

  t.notMatch(page, /<code>|<a /)
})

t.test('text with markup stays text', async (t) => {
  const page = errorPage({ status: 400, title: '<b>', message: '<i>', requestId: '<u>', site: '<s>' })

  t.notMatch(page, /<[bius]>/)
})
