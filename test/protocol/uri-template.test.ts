import fc from 'fast-check'
import t from 'tap'
import { readUriTemplate } from '../../lib/protocol/uri-template.js'

const matches = (template: string, uri: string) => readUriTemplate(template).matches(uri)

const MATCH: [string, string][] = [
  ['notes://{id}', 'notes://1'],
  ['notes://{id}', 'notes://a%2Fb'],
  ['notes://{id}', 'notes://a:b,c'],
  ['notes://{id}/text', 'notes://1/text'],
  ['notes://{owner}/{id}', 'notes://ann/1'],
  ['notes://{a}-{b}', 'notes://1-2'],
  ['notes://{a}-{b}', 'notes://1-2-3'],
  ['notes://{a}{b}', 'notes://12'],
  ['notes://{id}.{type}', 'notes://a.b.json'],
  ['file:///{+path}', 'file:///a/b/c'],
  ['file:///{+path}', 'file:///a?b#c'],
  ['file:///{+path}/{name}', 'file:///a/b/c'],
  ['file:///{+path}/end', 'file:///end/end/end'],
  ['{+a}x{+b}', 'xxx'],
  ['notes://{user.id}/{_x9}', 'notes://1/2']
]

const NO_MATCH: [string, string][] = [
  ['notes://{id}', 'notes://'],
  ['notes://{id}', 'notes://1/'],
  ['notes://{id}', 'notes://1/2'],
  ['notes://{id}', 'notes://1?x=1'],
  ['notes://{id}', 'notes://1#x'],
  ['notes://{id}', 'xnotes://1'],
  ['notes://{id}', 'note://1'],
  ['notes://{id}/text', 'notes://1/texts'],
  ['notes://{id}/text', 'notes://1/tex'],
  ['notes://{id}/text', 'notes:///text'],
  ['notes://{a}{b}', 'notes://1'],
  ['file:///{+path}', 'file:///'],
  ['file:///{+path}/{name}', 'file:///a'],
  ['{+a}x{+b}', 'xx'],
  ['notes://{id}', 'NOTES://1'],
  ['notes://{id}/', 'notes://1']
]

for (const [template, uri] of MATCH) {
  t.test(`${template} matches ${uri}`, async (t) => { t.equal(matches(template, uri), true) })
}

for (const [template, uri] of NO_MATCH) {
  t.test(`${template} does not match ${uri}`, async (t) => { t.equal(matches(template, uri), false) })
}

const REFUSED = [
  '', 'notes://all', 'notes://{}', 'notes://{+}', 'notes://{a', 'notes://a}', 'notes://{{a}}', 'notes://{a}}',
  'notes://{a,b}', 'notes://{a*}', 'notes://{a:3}', 'notes://{#a}', 'notes://{?a}', 'notes://{a}{?b}', 'notes://{/a}',
  'notes://{ a }', 'notes://{a-b}', 'notes://{.a}', 'notes://{a.}', 'notes://{a..b}', 'notes://{++a}', '}{a}{', 'notes://{é}',
  `x://${'{a}/'.repeat(21)}`
]

for (const template of REFUSED) {
  t.test(`${JSON.stringify(template)} is no template of ours`, async (t) => {
    t.throws(() => readUriTemplate(template), { name: 'TypeError', message: /^must be a URI template with 1 to 20 variables/ })
  })
}

t.test('twenty variables are read', async (t) => {
  t.equal(matches(`x://${'{a}/'.repeat(20)}`, `x://${'1/'.repeat(20)}`), true)
})

t.test('a template keeps its text and shows a sample of what it matches', async (t) => {
  t.match(readUriTemplate('notes://{id}/{+rest}'), { text: 'notes://{id}/{+rest}', sample: 'notes://x/x' })
})

t.test('what stands between the variables can be put through a function', async (t) => {
  const template = readUriTemplate('notes://{id}/A', (literal) => literal.toLowerCase())

  t.equal(template.matches('notes://1/a'), true)
  t.equal(template.matches('notes://1/A'), false)
})

const piece = fc.constantFrom('a', 'b', '/', '-', 'ab', '{x}', '{y}', '{+z}')
const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '-', '?'), maxLength: 10 })

t.test('a template matches what a regular expression of its pieces matches', async () => {
  fc.assert(fc.property(fc.array(piece, { maxLength: 6 }), text, (pieces, uri) => {
    fc.pre(pieces.some((one) => one.startsWith('{')))
    const pattern = pieces.map((one) => one === '{+z}' ? '.+' : one.startsWith('{') ? '[^/?#]+' : one).join('')
    return matches(pieces.join(''), uri) === new RegExp(`^${pattern}$`).test(uri)
  }), { numRuns: 3000 })
})

t.test('a template matches whatever it expands to', async () => {
  const value = fc.string({ minLength: 1, maxLength: 8 }).map(encodeURIComponent)
  fc.assert(fc.property(value, value, (first, second) =>
    matches('notes://{a}/{b}.json', `notes://${first}/${second}.json`) && matches('x:{+a}', `x:${first}/${second}`)))
})
