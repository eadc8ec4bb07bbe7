import t from 'tap'
import { fieldOf, hiddenFieldsOf, problemOf, type Field } from '../../lib/pages/field.js'
import { html, render, type Html } from '../../lib/pages/html.js'
import { elementsOf } from '../helpers/markup.js'

const field: Field = { name: 'password', label: 'Password', type: 'password', autocomplete: 'new-password', wrong: false }
const inputOf = (markup: Html) => elementsOf(render(markup)).find(({ name }) => name === 'input')?.attributes

t.test('a field is required, named and labelled', async (t) => {
  const markup = fieldOf(field)

  t.match(render(markup), '<label for="password">Password</label>')
  t.same(Object.fromEntries(inputOf(markup) ?? []), {
    id: 'password',
    name: 'password',
    type: 'password',
    autocomplete: 'new-password',
    required: '',
    autocapitalize: 'none',
    autocorrect: 'off',
    spellcheck: 'false'
  })
})

t.test('a hint describes its field', async (t) => {
  const markup = fieldOf({ ...field, hint: 'Long' })

  t.equal(inputOf(markup)?.get('aria-describedby'), 'password-hint')
  t.match(render(markup), '<p class="hint" id="password-hint">Long</p>')
})

t.test('a problem describes the fields of its form', async (t) => {
  const input = inputOf(fieldOf({ ...field, hint: 'Long', wrong: true }))

  t.equal(input?.get('aria-invalid'), 'true')
  t.equal(input?.get('aria-describedby'), 'problem password-hint')
  t.equal(render(html`${problemOf('Try <again>')}`), '<p class="problem" id="problem" role="alert">Try &lt;again&gt;</p>')
})

t.test('no problem is nothing', async (t) => {
  t.equal(problemOf(undefined), null)
})

t.test('value, length and focus are given when asked for', async (t) => {
  const input = inputOf(fieldOf({ ...field, value: '"ada"', minLength: 12, autofocus: true }))

  t.equal(input?.get('value'), '"ada"')
  t.equal(input?.get('minlength'), '12')
  t.ok(input?.has('autofocus'))
})

t.test('hidden fields carry their values byte for byte', async (t) => {
  const [hidden] = hiddenFieldsOf({ return_to: '/a?b=c&d="e"' })

  t.equal(hidden && inputOf(hidden)?.get('value'), '/a?b=c&d="e"')
})
