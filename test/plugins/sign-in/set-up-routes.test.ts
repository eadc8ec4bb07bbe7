import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { memoryStore } from '../../../lib/stores/memory.js'
import { failingStore } from '../../helpers/failing-store.js'
import { fieldsOf } from '../../helpers/markup.js'
import { ISSUER, NAME, PASSWORD, signInApp, visitor } from '../../helpers/sign-in-app.js'

const CHOSEN = { name: NAME, password: PASSWORD, password_again: PASSWORD }

async function linkOf (app: FastifyInstance): Promise<string> {
  const link = await app.mcpSetUpLink() ?? ''
  return link.slice(ISSUER.length)
}

t.test('the link shows a form that makes the first account and signs it in', async (t) => {
  const { app, events } = await signInApp(t)
  const browser = visitor(app)

  const page = await browser.open(await linkOf(app))
  const answer = await browser.submit(page, '/set-up', CHOSEN)

  t.equal(page.statusCode, 200)
  t.match(page.headers, { 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, '/sign-in')
  const user = (await browser.open('/authorize')).json<{ subject: string }>()
  t.match(user, { name: NAME })
  t.match(events, [{ type: 'account.created', outcome: 'allowed', subject: user.subject }])
})

t.test('the link works once, for the page and for the form', async (t) => {
  const { app } = await signInApp(t)
  const link = await linkOf(app)
  const browser = visitor(app)
  const page = await browser.open(link)
  await browser.submit(page, '/set-up', CHOSEN)

  t.equal((await browser.open(link)).statusCode, 404)
  t.equal((await browser.submit(page, '/set-up', { ...CHOSEN, name: 'eve' })).statusCode, 404)
  t.equal(await app.mcpSetUpLink(), null)
})

t.test('of two who send the form at once one makes an account, and the other is told', async (t) => {
  const { app } = await signInApp(t)
  const browser = visitor(app)
  const page = await browser.open(await linkOf(app))

  const answers = await Promise.all(['ada', 'eve'].map((name) => browser.submit(page, '/set-up', { ...CHOSEN, name })))

  t.same(answers.map(({ statusCode }) => statusCode).sort(), [303, 404])
})

t.test('a form that comes a moment after that of somebody else is told that the link does not work', async (t) => {
  const { app } = await signInApp(t, { store: { ...memoryStore(), replace: async () => false } })
  const browser = visitor(app)
  const page = await browser.open(await linkOf(app))

  t.equal((await browser.submit(page, '/set-up', CHOSEN)).statusCode, 404)
})

for (const query of ['', '?token=', '?token=wrong', `?token=${'a'.repeat(43)}`]) {
  t.test(`/set-up${query.slice(0, 15)} opens nothing`, async (t) => {
    const { app } = await signInApp(t)
    await app.mcpSetUpLink()

    const answer = await visitor(app).open(`/set-up${query}`)

    t.equal(answer.statusCode, 404)
    t.match(answer.body, /This link does not work/)
    t.same(fieldsOf(answer.body), [])
  })
}

t.test('the form of a link that ended meanwhile makes nothing', async (t) => {
  const { app, clock } = await signInApp(t)
  const browser = visitor(app)
  const page = await browser.open(await linkOf(app))
  clock.advance(3600)

  t.equal((await browser.submit(page, '/set-up', CHOSEN)).statusCode, 404)
})

const UNFIT = {
  'a name that is none': [{ ...CHOSEN, name: '<b>' }, /account name has/],
  'a short password': [{ ...CHOSEN, password: 'short', password_again: 'short' }, /at least 12/],
  'no password': [{ ...CHOSEN, password: '', password_again: '' }, /at least 12/],
  'two passwords': [{ ...CHOSEN, password_again: 'some other words' }, /not the same/],
  'no name': [{ ...CHOSEN, name: '' }, /account name has/]
} as const

for (const [what, [fields, sentence]] of Object.entries(UNFIT)) {
  t.test(`${what} is answered 400 with the form and a sentence, and the link goes on working`, async (t) => {
    const { app } = await signInApp(t)
    const browser = visitor(app)
    const page = await browser.open(await linkOf(app))

    const again = await browser.submit(page, '/set-up', fields)

    t.equal(again.statusCode, 400)
    t.match(again.body, sentence)
    t.match(Object.fromEntries(fieldsOf(again.body)), { name: fields.name, password: '', password_again: '' })
    t.equal((await browser.submit(again, '/set-up', CHOSEN)).statusCode, 303)
  })
}

t.test('a form that another site sent makes nothing, even with the right link', async (t) => {
  const { app } = await signInApp(t)
  const browser = visitor(app)
  const page = await browser.open(await linkOf(app))

  const answer = await browser.submit(page, '/set-up', CHOSEN, { origin: 'https://evil.example' })

  t.equal(answer.statusCode, 403)
  t.not(await app.mcpSetUpLink(), null)
})

t.test('the token of a form for another link is not taken', async (t) => {
  const { app } = await signInApp(t)
  const browser = visitor(app)
  const before = Object.fromEntries(fieldsOf((await browser.open(await linkOf(app))).body))
  const page = await browser.open(await linkOf(app))

  t.equal((await browser.submit(page, '/set-up', { ...CHOSEN, csrf: before.csrf ?? '' })).statusCode, 403)
})

t.test('a form of a sign-in page is no form of the set-up page', async (t) => {
  const { app } = await signInApp(t)
  const browser = visitor(app)
  const page = await browser.open(await linkOf(app))
  const { csrf = '' } = Object.fromEntries(fieldsOf((await browser.open('/sign-in')).body))

  t.equal((await browser.submit(page, '/set-up', { ...CHOSEN, csrf })).statusCode, 403)
})

t.test('what goes wrong while an account is made is a page without details, and the link goes on working', async (t) => {
  const store = failingStore(memoryStore())
  const { app } = await signInApp(t, { store })
  const browser = visitor(app)
  const link = await linkOf(app)
  const page = await browser.open(link)
  store.failOnce('add', 'before')

  const answer = await browser.submit(page, '/set-up', CHOSEN)

  t.equal(answer.statusCode, 503)
  t.notMatch(answer.body, /before the verb/)
  t.equal((await browser.open(link)).statusCode, 200)
})
