import t from 'tap'
import { signInPage } from '../../lib/pages/sign-in-page.js'
import { elementsOf, fieldsOf } from '../helpers/markup.js'
import { signInModel } from '../helpers/page-models.js'

const inputOf = (page: string, field: string) => elementsOf(page).find(({ attributes }) => attributes.get('name') === field)?.attributes

t.test('the form posts name and password with what the server gave it', async (t) => {
  const page = signInPage(signInModel)

  t.match(page, '<form method="post" action="/sign-in">')
  t.same(fieldsOf(page), [
    ['csrf', 'the-csrf-token'], ['return_to', '/authorize?client_id=x&state=y'], ['name', ''], ['password', '']
  ])
})

t.test('password managers are told what to fill in', async (t) => {
  const page = signInPage(signInModel)

  t.equal(inputOf(page, 'name')?.get('autocomplete'), 'username')
  t.equal(inputOf(page, 'password')?.get('autocomplete'), 'current-password')
  t.equal(inputOf(page, 'password')?.get('type'), 'password')
})

t.test('the cursor starts in the first field that is empty', async (t) => {
  t.ok(inputOf(signInPage(signInModel), 'name')?.has('autofocus'))
  t.ok(inputOf(signInPage({ ...signInModel, name: 'ada' }), 'password')?.has('autofocus'))
})

t.test('a failed sign-in says so, keeps the name and forgets the password', async (t) => {
  const page = signInPage({ ...signInModel, name: 'ada', error: 'Name or password is not right.' })

  t.match(page, '<p class="problem" id="problem" role="alert">Name or password is not right.</p>')
  t.equal(inputOf(page, 'password')?.get('aria-describedby'), 'problem')
  t.equal(inputOf(page, 'name')?.get('value'), 'ada')
  t.notOk(inputOf(page, 'password')?.has('value'))
})

t.test('a name with markup stays a value', async (t) => {
  const page = signInPage({ ...signInModel, name: '"><script>x</script>' })

  t.equal(inputOf(page, 'name')?.get('value'), '"><script>x</script>')
  t.notMatch(page, '<script')
})
