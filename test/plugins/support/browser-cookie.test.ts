import t from 'tap'
import { readBrowserId } from '../../../lib/plugins/support/browser-cookie.js'
import { buildApp, type Teardown } from '../../helpers/build-app.js'

function open (t: Teardown) {
  const app = buildApp(t)
  app.get('/', async (request, reply) => readBrowserId(request, reply))
  return async (cookie?: string) => await app.inject({ url: '/', headers: cookie === undefined ? {} : { cookie } })
}

t.test('a browser that comes for the first time gets an id of 128 bits, each another one', async (t) => {
  const visit = open(t)
  const [one, two] = [await visit(), await visit()]

  t.match(one.body, /^[\w-]{22}$/)
  t.match(one.cookies, [{ name: '__Host-mcp-browser', value: one.body, secure: true, httpOnly: true, sameSite: 'Lax', path: '/' }])
  t.not(one.body, two.body)
})

t.test('a browser that has an id keeps it', async (t) => {
  const visit = open(t)
  const { body } = await visit()

  const again = await visit(`__Host-mcp-browser=${body}`)

  t.equal(again.body, body)
  t.same(again.cookies, [])
})

for (const value of ['', 'short', 'a'.repeat(23), 'a'.repeat(8000), 'aaaaaaaaaaaaaaaaaaaaa!']) {
  t.test(`an id that we cannot have given (${value.length} characters) is replaced`, async (t) => {
    const { body, cookies } = await open(t)(`__Host-mcp-browser=${value}`)

    t.match(body, /^[\w-]{22}$/)
    t.not(body, value)
    t.equal(cookies.length, 1)
  })
}
