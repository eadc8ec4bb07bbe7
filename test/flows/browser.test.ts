import { createServer } from 'node:http'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { Page } from 'playwright-core'
import { launchChromium, withoutChromium } from '../helpers/chromium.js'
import { PlainClient, readTokens } from '../helpers/oauth-client.js'
import { startReferenceServer, user } from '../helpers/reference-server.js'

const VERIFIER = 'v'.repeat(43)

/** A client's own web server: answers the URL with which the browser came back. */
async function listenForCallback (t: Test): Promise<{ redirectUri: string, called: Promise<URL> }> {
  const server = createServer()
  t.teardown(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const called = new Promise<URL>((resolve) => {
    server.on('request', (request, response) => {
      response.end('back at the client')
      if (request.url?.startsWith('/callback') === true) resolve(new URL(request.url, origin))
    })
  })
  return { redirectUri: `${origin}/callback`, called }
}

/** Tabs until the element that the selector finds has the focus. */
async function tabTo (page: Page, selector: string): Promise<void> {
  for (let press = 0; press < 40; press++) {
    await page.keyboard.press('Tab')
    if (await page.locator(selector).and(page.locator(':focus')).count() > 0) return
  }
  throw new Error(`the keyboard does not reach ${selector}`)
}

t.test('a person signs in and consents by keyboard alone, with JavaScript off', { skip: withoutChromium, timeout: 120_000 }, async (t) => {
  const server = await startReferenceServer(t)
  const { redirectUri, called } = await listenForCallback(t)
  const client = new PlainClient(server.origin)
  await client.register({ redirect_uris: [redirectUri] })
  const browser = await launchChromium(t)
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
  const complaints: string[] = []
  page.on('console', (message) => { complaints.push(message.text()) })

  await page.goto(client.authorizationUrl(VERIFIER, { redirect_uri: redirectUri, scope: 'notes:write', state: 'xyz' }).href)
  // As a person does: the page puts the focus there when it is shown, and complains when that is elsewhere by then.
  await page.waitForSelector('input[name="name"]:focus')
  await page.keyboard.type(user.name)
  await tabTo(page, 'input[name="password"]')
  await page.keyboard.type(user.password)
  await page.keyboard.press('Enter')
  await page.waitForSelector('input[name="transaction"]', { state: 'attached' })
  t.match(await page.locator('main').innerText(), /Delete a note/)
  await tabTo(page, 'button[value="allow"]')
  await page.keyboard.press('Enter')
  const back = await called

  t.equal(back.searchParams.get('state'), 'xyz')
  const tokens = await readTokens(await client.token({
    grant_type: 'authorization_code', code: back.searchParams.get('code') ?? '', code_verifier: VERIFIER, redirect_uri: redirectUri
  }))
  t.equal(tokens.scope, 'notes:write')
  t.strictSame(complaints, [], 'no content security policy is violated')
})

t.test('a person who unticks every scope has denied', { skip: withoutChromium, timeout: 120_000 }, async (t) => {
  const server = await startReferenceServer(t)
  const { redirectUri, called } = await listenForCallback(t)
  const client = new PlainClient(server.origin)
  await client.register({ redirect_uris: [redirectUri] })
  const browser = await launchChromium(t)
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage()

  await page.goto(client.authorizationUrl(VERIFIER, { redirect_uri: redirectUri }).href)
  await page.fill('input[name="name"]', user.name)
  await page.fill('input[name="password"]', user.password)
  await page.keyboard.press('Enter')
  await page.waitForSelector('input[name="transaction"]', { state: 'attached' })
  await page.locator('input[name="scope"]').uncheck()
  await page.click('button[value="allow"]')

  t.equal((await called).searchParams.get('error'), 'access_denied')
})

t.test('a first start is set up in the browser, without a default password', { skip: withoutChromium, timeout: 120_000 }, async (t) => {
  const server = await startReferenceServer(t, { account: false })
  const link = /http:\/\/\S+\/set-up\?token=\S+/.exec(server.output())?.[0] ?? ''
  const browser = await launchChromium(t)
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage()

  await page.goto(link)
  await page.fill('input[name="name"]', 'grace')
  await page.fill('input[name="password"]', user.password)
  await page.fill('input[name="password_again"]', user.password)
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => !url.search.includes('token='))

  const client = new PlainClient(server.origin)
  await client.register()
  const tokens = await readTokens(await client.exchange(await client.authorize({}, { name: 'grace', password: user.password })))
  t.equal((await client.callTool(tokens.access_token, 'whoami')).status, 200)
  t.equal((await page.goto(link))?.status(), 404, 'the link works once')
})
