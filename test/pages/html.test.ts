import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { html, render } from '../../lib/pages/html.js'
import { unescape } from '../helpers/markup.js'

const anyString = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.array(fc.constantFrom('<', '>', '"', "'", '&', '`', '=', '/', '<!--', ']]>', '</p>', 'p', ' ', '\0', '\ud800')).map((parts) => parts.join(''))
)

const asParsed = (text: string) => text.replace(/\p{Surrogate}|\0/gu, '\uFFFD')

t.test('any string stays text, in text and in an attribute', async (t) => {
  fc.assert(fc.property(anyString, (text) => {
    const [, attribute = '', content = ''] = /^<p title="([^"<>]*)">([^"<>]*)<\/p>$/.exec(render(html`<p title="${text}">${text}</p>`)) ?? []

    return unescape(attribute) === asParsed(text) && unescape(content) === asParsed(text)
  }))
  t.pass('no string broke out')
})

t.test('markup of a template is not escaped again', async (t) => {
  const item = html`<li>${'a & b'}</li>`

  t.equal(render(html`<ul>${[item, item]}</ul>${item}`), '<ul><li>a &amp; b</li><li>a &amp; b</li></ul><li>a &amp; b</li>')
})

t.test('null and false render as nothing, zero as a figure', async (t) => {
  t.equal(render(html`<p>${null}${false}${0}</p>`), '<p>0</p>')
})

t.test('an object that looks like markup is none', async (t) => {
  const forged = JSON.parse('{"markup":"<script>","Symbol(markup)":"<script>"}')

  t.throws(() => html`${forged}`)
})

t.test('a string that says it is markup stays text', async (t) => {
  t.equal(render(html`${String(html`<b>`)}`), '[object Object]')
  t.equal(render(html`${render(html`<b>`)}`), '&lt;b&gt;')
})

t.test('no template leaves the value of an attribute unquoted', async (t) => {
  for (const file of readdirSync('lib/pages')) t.notMatch(readFileSync(`lib/pages/${file}`, 'utf8'), /=\$\{/, file)
})
