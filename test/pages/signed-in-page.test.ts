import t from 'tap'
import { signedInPage } from '../../lib/pages/signed-in-page.js'
import { fieldsOf } from '../helpers/markup.js'

const model = { user: 'ada', signOutAction: '/sign-out', site: 'Notes' }

t.test('it says who is signed in, and lets them sign out', async (t) => {
  const page = signedInPage(model)

  t.match(page, '<h1>You are signed in as <bdi>ada</bdi></h1>')
  t.match(page, '<form method="post" action="/sign-out">')
  t.same(fieldsOf(page), [])
})

t.test('without a site it shows the mark alone', async (t) => {
  t.notMatch(signedInPage({ user: 'ada', signOutAction: '/sign-out' }), 'class="site"')
})

t.test('a hostile name stays a short text', async (t) => {
  const page = signedInPage({ ...model, user: '\u202e<script>' + 'W'.repeat(10_000) })

  t.notMatch(page, /<script|\u202e/)
  t.ok(page.length < signedInPage(model).length + 200)
})
