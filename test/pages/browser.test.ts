import axe from 'axe-core'
import fc from 'fast-check'
import type { BrowserContextOptions, ConsoleMessage, Locator, Page } from 'playwright-core'
import t from 'tap'
import { html, render } from '../../lib/pages/html.js'
import { launchChromium, withoutChromium } from '../helpers/chromium.js'
import { elementsOf } from '../helpers/markup.js'
import { pages, serveClient, servePages } from '../helpers/page-server.js'

const PHONE = { width: 360, height: 740 }
const DESKTOP = { width: 1280, height: 800 }

/** What the keyboard is at, in words; how its place is outlined; what axe has against the page. */
const FOCUSED = '(document.activeElement.labels?.[0] ?? document.activeElement).textContent'
const OUTLINE = 'getComputedStyle(document.activeElement.closest(".scope") ?? document.activeElement).outlineStyle'
const VIOLATIONS = `axe.run({ resultTypes: ['violations'] })
  .then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))`

/** What the page broke of its own policy, or failed to load. */
function complaintsOf (page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message: ConsoleMessage) => { complaints.push(message.text()) })
  page.on('pageerror', (error) => { complaints.push(error.message) })
  return complaints
}

async function middleOf (target: Locator): Promise<[number, number]> {
  const { x = 0, y = 0, width = 0, height = 0 } = await target.boundingBox() ?? {}
  return [x + width / 2, y + height / 2]
}

const isViolation = (message: ConsoleMessage) => message.text().includes('Content Security Policy')

t.test('the pages in Chromium', { skip: withoutChromium }, async (t) => {
  const browser = await launchChromium(t)
  const client = await serveClient(t)
  const server = await servePages(t, { formActions: [`${client.origin}/callback`], location: `${client.origin}/callback` })
  t.beforeEach(() => { server.posts.length = 0 })

  async function open (path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    await page.goto(server.origin + path)
    return page
  }

  const close = async (page: Page) => { await page.context().close() }

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const viewport of [PHONE, DESKTOP]) {
      t.test(`axe finds nothing wrong on any page, ${colorScheme}, ${viewport.width} px`, async (t) => {
        const page = await open('/error', { colorScheme, viewport })
        const complaints = complaintsOf(page)

        for (const path of pages.keys()) {
          await page.goto(server.origin + path)
          await page.evaluate(axe.source)
          t.same(await page.evaluate(VIOLATIONS), [], path)
        }

        t.same(complaints, [], 'no page breaks its own policy')
        await close(page)
      })
    }
  }

  t.test('no page scrolls sideways at 320 px', async (t) => {
    const page = await open('/error', { viewport: { width: 320, height: 640 } })

    for (const path of pages.keys()) {
      await page.goto(server.origin + path)
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), 320, path)
    }
    await close(page)
  })

  t.test('whatever can be clicked is at least 44 px high', async (t) => {
    const page = await open('/error', { viewport: PHONE })

    for (const path of pages.keys()) {
      await page.goto(server.origin + path)
      for (const target of await page.locator('a, button, .field input, .scope').all()) {
        const { height = 0 } = await target.boundingBox() ?? {}
        t.ok(height >= 44, `${path} ${await target.innerText()} ${height}`)
      }
    }
    await close(page)
  })

  t.test('a person signs in by keyboard, without JavaScript', async (t) => {
    const page = await open('/sign-in', { javaScriptEnabled: false })

    await page.keyboard.type('ada')
    await page.keyboard.press('Tab')
    await page.keyboard.type('a long password')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${client.origin}/callback`)

    t.same(server.posts.map(({ fields }) => fields), [[
      ['csrf', 'the-csrf-token'], ['return_to', '/authorize?client_id=x&state=y'], ['name', 'ada'], ['password', 'a long password']
    ]])
    await close(page)
  })

  t.test('a person unticks a scope and allows the rest by keyboard, without JavaScript', async (t) => {
    const page = await open('/consent', { javaScriptEnabled: false })
    const focused: unknown[] = []

    for (const key of ['Read your notes', 'Change your notes', 'Deny', 'Allow']) {
      await page.keyboard.press('Tab')
      focused.push(await page.evaluate(FOCUSED))
      if (key === 'Change your notes') await page.keyboard.press('Space')
    }
    await page.keyboard.press('Enter')
    await page.waitForURL(`${client.origin}/callback`)

    t.same(focused, ['Read your notes', 'Change your notes', 'Deny', 'Allow'])
    t.same(server.posts.map(({ fields }) => fields), [[
      ['transaction', 'the-handle'], ['csrf', 'the-csrf-token'], ['scope', 'notes:read'], ['decision', 'allow']
    ]])
    await close(page)
  })

  t.test('a person types the code of a device by keyboard, without JavaScript', async (t) => {
    const page = await open('/device', { javaScriptEnabled: false })

    await page.keyboard.type('wdjb mjht')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${client.origin}/callback`)

    t.same(server.posts.map(({ fields }) => fields), [[['csrf', 'the-csrf-token'], ['user_code', 'wdjb mjht']]])
    await close(page)
  })

  t.test('Enter in a checkbox denies', async (t) => {
    const page = await open('/consent', { javaScriptEnabled: false })

    await page.getByLabel('Read your notes').press('Enter')
    await page.waitForURL(`${client.origin}/callback`)

    t.same(server.posts.flatMap(({ fields }) => fields).at(-1), ['decision', 'deny'])
    await close(page)
  })

  t.test('a click anywhere on a scope ticks and unticks it', async (t) => {
    const page = await open('/consent', { viewport: { width: 1280, height: 1600 } })
    const box = page.getByLabel('Change your notes')

    await page.mouse.click(...await middleOf(page.getByText('Includes reading them.')))
    t.equal(await box.isChecked(), false)
    await box.check()

    t.equal(await box.isChecked(), true)
    await close(page)
  })

  t.test('the keyboard\'s place is outlined on every stop', async (t) => {
    const page = await open('/error')

    for (const path of ['/consent', '/sign-in', '/notice']) {
      await page.goto(server.origin + path)
      for (const stop of await page.locator('a, button, input:not([type=hidden])').all()) {
        await page.keyboard.press('Tab')
        await stop.focus()
        t.equal(await page.evaluate(OUTLINE), 'solid', path)
      }
    }
    await close(page)
  })

  t.test('a form names our origin to us, and nothing to the client', async (t) => {
    const page = await open('/consent')
    client.referrers.length = 0

    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${client.origin}/callback`)

    t.same(server.posts.map(({ origin }) => origin), [server.origin])
    t.same(client.referrers, [undefined])
    await close(page)
  })

  t.test('a redirect to an origin that the policy does not name is stopped', async (t) => {
    const elsewhere = await servePages(t, { formActions: ['https://client.example/cb'], location: `${client.origin}/callback` })
    const page = await open('/consent')
    await page.goto(`${elsewhere.origin}/consent`)

    const [violation] = await Promise.all([
      page.waitForEvent('console', isViolation),
      page.getByRole('button', { name: 'Allow' }).click()
    ])

    t.match(violation.text(), 'form-action')
    t.equal(page.url(), `${elsewhere.origin}/consent`)
    await close(page)
  })

  t.test('a callback that goes on to another origin is stopped unless the policy names that, too', async (t) => {
    const hopping = await serveClient(t, `${client.origin}/callback`)
    const location = `${hopping.origin}/hop`
    const narrow = await servePages(t, { formActions: [location], location })
    const wide = await servePages(t, { formActions: [location, 'http:'], location })
    const page = await open('/consent')

    await page.goto(`${narrow.origin}/consent`)
    await Promise.all([page.waitForEvent('console', isViolation), page.getByRole('button', { name: 'Allow' }).click()])
    await page.goto(`${wide.origin}/consent`)
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${client.origin}/callback`)

    t.equal(await page.title(), 'Back at the client')
    await close(page)
  })

  t.test('a client that opened the page in a window gets that window back', async (t) => {
    const page = await open('/consent')
    await page.goto(client.origin)

    const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(`void open('${server.origin}/consent')`)])
    await popup.getByRole('button', { name: 'Allow' }).click()
    await popup.waitForURL(`${client.origin}/callback`)

    t.equal(await popup.evaluate('window.opener !== null'), true)
    await close(page)
  })

  t.test('no other site can frame a page', async (t) => {
    const page = await open('/consent')
    await page.goto(client.origin)

    const [message] = await Promise.all([
      page.waitForEvent('console', isViolation),
      page.evaluate(`document.body.append(Object.assign(document.createElement('iframe'), { src: '${server.origin}/consent' }))`)
    ])

    t.match(message.text(), 'frame-ancestors')
    await close(page)
  })

  t.test('a hostile name adds no element and runs nothing', async (t) => {
    const page = await open('/consent-hostile')

    const expected = elementsOf(pages.get('/consent-hostile') ?? '').map(({ name }) => name)
    const names = await page.evaluate('[...document.querySelectorAll("*")].map((element) => element.localName)')

    t.same(names, expected)
    t.notOk(expected.some((name) => ['script', 'img', 'b', 'i'].includes(name)))
    t.match(await page.title(), /^Allow access\?/)
    await close(page)
  })

  t.test('a real parser reads back every string as it was', async (t) => {
    const page = await open('/error')
    const texts = fc.sample(fc.string({ unit: 'binary' }), 200).map((text) => text.replaceAll('\0', '\uFFFD'))
    const markup = texts.map((text) => render(html`<p title="${text}">${text}</p>`))

    const read = await page.evaluate(`${JSON.stringify(markup)}.map((text) => {
      const { body } = new DOMParser().parseFromString(text, 'text/html')
      return [body.childNodes.length, body.firstChild.childElementCount, body.firstChild.title, body.firstChild.textContent]
    })`)

    t.same(read, texts.map((text) => [1, 0, text, text]))
    await close(page)
  })
})
