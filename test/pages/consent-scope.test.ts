import t from 'tap'
import { consentScopeOf, type ConsentScope } from '../../lib/pages/consent-scope.js'
import { render } from '../../lib/pages/html.js'
import { elementsOf } from '../helpers/markup.js'

const scope: ConsentScope = { name: 'notes:read', title: 'Read your notes', checked: true, components: [] }
const boxOf = (page: string) => elementsOf(page).find(({ name }) => name === 'input')?.attributes

t.test('a scope is a labelled checkbox with the name of the scope as its value', async (t) => {
  const markup = render(consentScopeOf(scope, 3))

  t.same(Object.fromEntries(boxOf(markup) ?? []), {
    type: 'checkbox', id: 'scope-3', name: 'scope', value: 'notes:read', checked: '', 'aria-describedby': 'scope-3-about'
  })
  t.match(markup, '<label for="scope-3"><bdi>Read your notes</bdi></label>')
})

t.test('a scope that is not to be ticked is not ticked', async (t) => {
  t.notOk(boxOf(render(consentScopeOf({ ...scope, checked: false }, 0)))?.has('checked'))
})

t.test('the tools that a scope opens are listed', async (t) => {
  const markup = render(consentScopeOf({ ...scope, components: [{ title: 'List notes', destructive: false }] }, 0))

  t.match(markup, '<li><bdi>List notes</bdi></li>')
})

t.test('a destructive tool says so in words', async (t) => {
  const markup = render(consentScopeOf({ ...scope, components: [{ title: 'Delete a note', destructive: true }] }, 0))

  t.match(markup, /<li class="destructive">.*<bdi>Delete a note<\/bdi> <strong>destructive<\/strong><\/li>/)
})

t.test('a scope is described in the operator\'s words', async (t) => {
  t.match(render(consentScopeOf({ ...scope, description: 'All of <them>.' }, 0)), '<p>All of &lt;them&gt;.</p>')
})

t.test('a scope that opens nothing and has no description says nothing more', async (t) => {
  t.notMatch(render(consentScopeOf(scope, 0)), /<li|<p/)
})
