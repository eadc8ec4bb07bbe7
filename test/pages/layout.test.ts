import t from 'tap'
import { html } from '../../lib/pages/html.js'
import { layout } from '../../lib/pages/layout.js'
import { elementsOf } from '../helpers/markup.js'

const main = html`<h1>Hello</h1>`

t.test('a page has a language, a title, a viewport and its landmarks', async (t) => {
  const page = layout({ title: 'Sign in', site: 'Notes', main })

  t.match(page, /^<!doctype html>\n<html lang="en">/)
  t.match(page, '<title>Sign in · Notes</title>')
  t.match(page, '<meta name="viewport" content="width=device-width, initial-scale=1">')
  t.match(page, /<header>.*<bdi>Notes<\/bdi>.*<\/header>\n<main><h1>Hello<\/h1><\/main>/)
})

t.test('a page without a site shows the mark alone', async (t) => {
  const page = layout({ title: 'Sign in', site: undefined, main })

  t.match(page, '<title>Sign in</title>')
  t.notMatch(page, 'class="site"')
})

t.test('who is signed in stands under the page, so that its own form comes first', async (t) => {
  const page = layout({ title: 'Sign in', site: 'Notes', aside: html`<p>ada</p>`, main })

  t.match(page, /<\/main>\n<footer><p>ada<\/p><\/footer>/)
})

t.test('a page runs and fetches nothing', async (t) => {
  const elements = elementsOf(layout({ title: 'Sign in', site: 'Notes', main }))

  t.notOk(elements.some(({ name }) => ['script', 'img', 'iframe', 'object', 'base'].includes(name)))
  t.notOk(elements.some(({ attributes }) => attributes.has('style') || attributes.has('src')))
  t.ok(elements.filter(({ name }) => name === 'link').every(({ attributes }) => attributes.get('href')?.startsWith('data:')))
})
