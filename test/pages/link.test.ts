import t from 'tap'
import { render } from '../../lib/pages/html.js'
import { linkTo } from '../../lib/pages/link.js'

const harmless = [
  '/', '/sign-in?again=1', 'https://client.example/cb?a=b&c=d', 'http://127.0.0.1:5000/cb', 'cursor://auth/cb',
  'com.example.app:/cb'
]

for (const href of harmless) {
  t.test(`${href} is linked`, async (t) => {
    const link = linkTo({ href, text: 'Go on' })

    t.match(link === null ? '' : render(link), /<a class="button primary" href="[^"]+">Go on<\/a>/)
  })
}

const harmful = [
  'javascript:alert(1)', 'JavaScript:alert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x',
  'vbscript:x', 'blob:https://h/x', 'file:///etc/passwd', 'about:blank', 'view-source:https://h/',
  '//evil.example/', '/\\evil.example/', 'relative/path', ''
]

for (const href of harmful) {
  t.test(`${JSON.stringify(href)} is left out`, async (t) => {
    t.equal(linkTo({ href, text: 'Go on' }), null)
  })
}

t.test('no link is nothing', async (t) => {
  t.equal(linkTo(undefined), null)
})

t.test('quotes in a URL do not end the attribute', async (t) => {
  const link = linkTo({ href: 'https://h.example/?a="><b>', text: '<b>' })

  t.notMatch(link === null ? '<b>' : render(link), /<b>/)
})
