import t from 'tap'
import { setUpPage } from '../../lib/pages/set-up-page.js'
import { elementsOf, fieldsOf } from '../helpers/markup.js'
import { setUpModel } from '../helpers/page-models.js'

const inputOf = (page: string, field: string) => elementsOf(page).find(({ attributes }) => attributes.get('name') === field)?.attributes

t.test('the form posts a name, the password twice and the token of the link', async (t) => {
  const page = setUpPage(setUpModel)

  t.match(page, '<form method="post" action="/set-up">')
  t.same(fieldsOf(page), [
    ['csrf', 'the-csrf-token'], ['token', 'the-set-up-token'], ['name', ''], ['password', ''], ['password_again', '']
  ])
})

t.test('both passwords are new ones of the least length', async (t) => {
  const page = setUpPage(setUpModel)

  for (const field of ['password', 'password_again']) {
    t.equal(inputOf(page, field)?.get('autocomplete'), 'new-password')
    t.equal(inputOf(page, field)?.get('minlength'), '12')
  }
  t.equal(inputOf(page, 'password')?.get('aria-describedby'), 'password-hint')
  t.match(page, 'At least 12 characters')
})

t.test('without a least length there is no hint', async (t) => {
  const { minPasswordLength, ...model } = setUpModel

  t.notMatch(setUpPage(model), /class="hint"|minlength/)
})

t.test('a mistake is told, and the name is kept', async (t) => {
  const page = setUpPage({ ...setUpModel, name: 'ada', error: 'The passwords differ.' })

  t.match(page, '<p class="problem" id="problem" role="alert">The passwords differ.</p>')
  t.equal(inputOf(page, 'name')?.get('value'), 'ada')
  t.equal(inputOf(page, 'password')?.get('aria-describedby'), 'problem password-hint')
  t.equal(inputOf(page, 'password_again')?.get('aria-describedby'), 'problem')
})
