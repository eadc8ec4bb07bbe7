import t from 'tap'
import { plainDemand } from '../../lib/access/demand.js'
import { buildResources } from '../../lib/access/resources.js'

/** The texts of the rules that a URI has to meet. */
function ruled (...rules: string[]): (uri: string) => string[] {
  const resources = buildResources()
  const texts = new Map(rules.map((text) => [plainDemand([text], false), text]))
  for (const [demand, text] of texts) {
    if (text.includes('{')) resources.addTemplate(text, demand)
    else resources.addUri(text, demand)
  }
  return (uri) => resources.ofUri(uri).map((demand) => texts.get(demand) ?? '')
}

t.test('an exact rule is for its URI and no other', async (t) => {
  const rules = ruled('notes://all', 'notes://Other')

  t.strictSame(rules('notes://all'), ['notes://all'])
  t.strictSame(rules('notes://Other'), ['notes://Other'])
  for (const uri of ['notes://al', 'notes://all/', 'notes://all?x', 'notes://all#x', 'notes://ALL', 'notes://other', 'NOTES://all', 'notes://%61ll',
    'notes://x/../all', 'notes://all ', '', 'all', '__proto__']) {
    t.strictSame(rules(uri), [], uri)
  }
})

t.test('a template is for what it matches', async (t) => {
  const rules = ruled('notes://{id}')

  t.strictSame(rules('notes://1'), ['notes://{id}'])
  t.strictSame(rules('notes://Ab'), ['notes://{id}'])
  t.strictSame(rules('notes://a%2Fb'), ['notes://{id}'])
  t.strictSame(rules('notes://1/2'), [])
  t.strictSame(rules('notes://{id}'), [])
  t.strictSame(rules('notes://a/..'), [])
})

t.test('every rule that matches has to be met', async (t) => {
  const rules = ruled('notes://all', 'notes://{id}', 'notes://{+path}', 'file:///{+path}')

  t.strictSame(rules('notes://all'), ['notes://all', 'notes://{id}', 'notes://{+path}'])
  t.strictSame(rules('notes://1'), ['notes://{id}', 'notes://{+path}'])
  t.strictSame(rules('notes://1/2'), ['notes://{+path}'])
})

t.test('a rule that matches the URI decoded has to be met as well', async (t) => {
  const rules = ruled('notes://{id}', 'notes://secret/key', 'notes://a,b')

  t.strictSame(rules('notes://secret%2Fkey'), ['notes://{id}', 'notes://secret/key'])
  t.strictSame(rules('notes://a%2Cb'), ['notes://{id}', 'notes://a,b'])
  t.strictSame(rules('notes://other%2Fkey'), ['notes://{id}'])
})

t.test('a rule that matches with the authority in another case has to be met as well', async (t) => {
  const rules = ruled('notes://{id}', 'notes://admin', 'notes://Boss/{x}', 'notes://{a}/{b}')

  t.strictSame(rules('notes://ADMIN'), ['notes://{id}', 'notes://admin'])
  t.strictSame(rules('notes://boss/1'), ['notes://{a}/{b}', 'notes://Boss/{x}'])
  t.strictSame(rules('notes://Boss/1'), ['notes://Boss/{x}', 'notes://{a}/{b}'])
})

t.test('a rule that matches when slashes are counted as file systems do has to be met as well', async (t) => {
  const rules = ruled('file:///{+path}', 'file:///etc/passwd', 'file:///etc/ssl/{+key}', 'file:///var/{name}/')

  for (const uri of ['file:////etc/passwd', 'file:///etc//passwd', 'file:///etc/passwd/', 'file:///etc%2Fpasswd', 'file:///etc%5Cpasswd//']) {
    t.strictSame(rules(uri), ['file:///{+path}', 'file:///etc/passwd'], uri)
  }
  t.strictSame(rules('file:///etc//ssl/a/b'), ['file:///{+path}', 'file:///etc/ssl/{+key}'])
  t.strictSame(rules('file:///var/log'), ['file:///{+path}', 'file:///var/{name}/'])
  t.strictSame(rules('file:///etc'), ['file:///{+path}'])
})

t.test('a rule with a slash at its end has to be met without it as well', async (t) => {
  const rules = ruled('x:{+all}', 'x:dir/')

  t.strictSame(rules('x:dir'), ['x:{+all}', 'x:dir/'])
  t.strictSame(rules('x:dir/'), ['x:dir/', 'x:{+all}'])
})

t.test('what matches whatever the query or fragment is has to be allowed without them as well', async (t) => {
  const rules = ruled('x:{+all}', 'x:a', 'x:b/{id}')

  for (const uri of ['x:a?b', 'x:a#b', 'x:a?', 'x:a/?b']) t.strictSame(rules(uri), ['x:{+all}', 'x:a'], uri)
  t.strictSame(rules('x:b/1?c'), ['x:{+all}', 'x:b/{id}'])
  t.strictSame(rules('x:a%3Fb'), ['x:{+all}'])
})

t.test('a rule that names its query or fragment is a rule of its own', async (t) => {
  const rules = ruled('x:{id}', 'x:find?q={q}', 'x:find#{part}', 'x:find?all')

  t.strictSame(rules('x:find?q=a'), ['x:find?q={q}'])
  t.strictSame(rules('x:find#a'), ['x:find#{part}'])
  t.strictSame(rules('x:find?all'), ['x:find?all'])
  t.strictSame(rules('x:find'), ['x:{id}'])
})

t.test('what a template has encoded matches what a URI has not, once both are decoded', async (t) => {
  const rules = ruled('notes://x%2F{id}', 'notes://{+all}')

  t.strictSame(rules('notes://x/1'), ['notes://{+all}', 'notes://x%2F{id}'])
  t.strictSame(rules('notes://x%2F1'), ['notes://x%2F{id}', 'notes://{+all}'])
})

t.test('two rules for one URI in two spellings both have to be met', async (t) => {
  const rules = ruled('notes://A', 'notes://a')

  t.strictSame(rules('notes://A'), ['notes://A', 'notes://a'])
  t.strictSame(rules('notes://a'), ['notes://a', 'notes://A'])
})

t.test('a match after decoding alone opens nothing', async (t) => {
  t.strictSame(ruled('notes://a/b')('notes://a%2Fb'), [])
  t.strictSame(ruled('notes://{x}/{y}')('notes://a%2Fb'), [])
})

t.test('a template is found by its very text', async (t) => {
  const resources = buildResources()
  const demand = plainDemand([], false)
  resources.addTemplate('notes://{id}', demand)

  t.equal(resources.ofTemplate('notes://{id}')[0], demand)
  t.strictSame(resources.ofTemplate('notes://{name}'), [])
  t.strictSame(resources.ofTemplate('notes://1'), [])
  t.strictSame(resources.ofTemplate('__proto__'), [])
})

const BAD = ['all', 'Notes://all', 'notes://a/../b', 'notes://%61', 'https://h.example', '']
for (const uri of BAD) {
  t.test(`a rule for ${JSON.stringify(uri)} is refused, since no request could match it`, async (t) => {
    t.throws(() => ruled(uri), { name: 'TypeError', message: 'must be an absolute URI in normal form' })
  })
}

t.test('a rule for a template that no URI could match is refused', async (t) => {
  for (const template of ['{a}', '/{a}', 'Notes://{a}', 'notes://../{a}', 'notes://%61{a}', 'notes://a b{a}', 'x:{a}/..']) {
    t.throws(() => ruled(template), { name: 'TypeError', message: 'must begin with a scheme and be in normal form' }, template)
  }
  t.throws(() => ruled('notes://{?a}'), { name: 'TypeError', message: /^must be a URI template/ })
})
