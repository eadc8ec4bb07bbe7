import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PlainClient } from '../helpers/oauth-client.js'
import { startReferenceServer, user, type ReferenceServer } from '../helpers/reference-server.js'

// Somebody who wants an account, a session or a consent that is not theirs
// (AS-A12, AS-A14, AS-C2, AS-C6, AS-G1, AS-G3; mistakes 9, 10, 15 and 25).

const SESSION = '__Host-mcp-session'
const BROWSER = '__Host-mcp-browser'

type Fields = Readonly<Record<string, string>>

/** Sends what it is told to, keeps cookies, follows nothing. */
class Visitor {
  readonly cookies = new Map<string, string>()
  readonly server: ReferenceServer
  constructor (server: ReferenceServer) { this.server = server }

  async send (path: string, init: RequestInit = {}, cookie?: string): Promise<Response> {
    const kept = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const { origin } = this.server
    const headers = { cookie: cookie ?? kept, origin, ...Object.fromEntries(new Headers(init.headers)) }
    const answer = await fetch(this.server.origin + path, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      this.cookies.set(name, value)
    }
    return answer
  }

  async post (path: string, fields: Fields | string, headers: Fields = {}): Promise<Response> {
    return await this.send(path, { method: 'POST', body: new URLSearchParams(fields), headers })
  }

  async csrf (path = '/sign-in'): Promise<string> {
    return /name="csrf" value="([^"]+)"/.exec(await (await this.send(path)).text())?.[1] ?? ''
  }

  async signIn (fields: Fields = {}, headers: Fields = {}): Promise<Response> {
    return await this.post('/sign-in', { ...user, csrf: await this.csrf(), ...fields }, headers)
  }

  async isSignedIn (cookie?: string): Promise<boolean> {
    return (await (await this.send('/sign-in', {}, cookie)).text()).includes('You are signed in')
  }
}

async function account (server: ReferenceServer, args: readonly string[], password: string): Promise<void> {
  const env = { ...process.env, DATA_DIR: server.dataDirectory }
  const child = spawn(process.execPath, ['dist/examples/reference-server/account.js', ...args], { env, stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(`${password}\n`)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`account exited ${String(code)}`)
}

t.test('attacks on a running server', async (t) => {
  const server = await startReferenceServer(t, { account: false })
  const { origin } = server
  const sentinels = new Set<string>()

  await t.test('ten who send the set-up link at once make one account, and the link is dead', async (t) => {
    const path = new URL(/http\S+\/set-up\?\S+/.exec(server.output())?.[0] ?? '')
    const token = path.searchParams.get('token') ?? ''
    const visitors = Array.from({ length: 10 }, () => new Visitor(server))
    const answers = await Promise.all(visitors.map(async (visitor, index) => await visitor.post('/set-up', {
      token,
      name: `${user.name}${index || ''}`,
      password: user.password,
      password_again: user.password,
      csrf: await visitor.csrf(`/set-up?token=${token}`)
    })))

    t.same(answers.map(({ status }) => status).sort(), [303, ...Array.from({ length: 9 }, () => 404)])
    t.equal((await fetch(path)).status, 404)
    sentinels.add(token)
    await server.addAccount(user.name).catch(() => {})
  })

  const POSTS = {
    'another site': [{}, { origin: 'https://evil.example' }],
    'a sibling host': [{}, { 'sec-fetch-site': 'same-site' }],
    'another port': [{}, { origin: 'http://127.0.0.1:1' }],
    'a sandboxed frame': [{}, { origin: 'null' }],
    'a page without our token': [{ csrf: '' }, {}],
    'a page with a token for nobody': [{ csrf: 'x'.repeat(43) }, {}]
  } as const
  for (const [what, [fields, headers]] of Object.entries(POSTS)) {
    await t.test(`${what} signs nobody in, with everything else right (mistake 10)`, async (t) => {
      const visitor = new Visitor(server)
      t.equal((await visitor.signIn(fields, headers)).status, 403)
      t.notOk(visitor.cookies.has(SESSION))
    })
  }

  await t.test('the token of an attacker\'s own page does not sign a victim in as him', async (t) => {
    const csrf = await new Visitor(server).csrf()
    const victim = new Visitor(server)
    await victim.csrf()

    t.equal((await victim.signIn({ csrf })).status, 403)
  })

  const visitor = new Visitor(server)
  await t.test('a planted session id is not taken over, and ends nowhere else', async (t) => {
    const planted = 'A'.repeat(43)
    visitor.cookies.set(SESSION, planted)
    const answer = await visitor.signIn()

    t.equal(answer.status, 303, 'never 307: it would send the password on')
    t.equal(answer.headers.get('location'), '/sign-in')
    t.not(visitor.cookies.get(SESSION), planted)
    t.notOk(await visitor.isSignedIn(`${SESSION}=${planted}`))
    for (const line of answer.headers.getSetCookie()) t.match(line, /^__Host-.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    for (const value of visitor.cookies.values()) sentinels.add(value)
  })

  await t.test('a cookie that another host tossed is not taken for ours', async (t) => {
    const own = visitor.cookies.get(SESSION) ?? ''
    const spoofs = [`\u00A0${SESSION}=${own}`, `${SESSION}=${own}; ${SESSION}=${'A'.repeat(43)}`, `a=${SESSION}=${own}`,
      `${SESSION.toLowerCase()}=${own}`, `${SESSION}="${own}"`, `${SESSION}=${own}x`]
    for (const spoof of spoofs) t.notOk(await visitor.isSignedIn(spoof), spoof.slice(0, 24))
    t.ok(await visitor.isSignedIn(`${SESSION}=${own}`))
  })

  const AWAY = ['//evil.example', 'https://evil.example/authorize', '/\\evil.example', '\\/evil.example/authorize',
    '/authorize@evil.example', '/authorize.evil', '/authorize/../x', '/authorize/consent', '/authorize%2f..%2fx', '/authorize#x',
    '/authorize?a#x', '/\t/evil.example', '/authorize\r\nset-cookie: a=b', '/authorize?a\r\nx: y', '/authorize?\u00e4',
    ' /authorize', '/AUTHORIZE', '/sign-out', 'javascript:alert(1)', `/authorize?${'a'.repeat(9000)}`]
  await t.test('nobody is sent anywhere but to the authorization endpoint (mistake 15)', async (t) => {
    for (const target of AWAY) {
      const answer = await visitor.send(`/sign-in?return_to=${encodeURIComponent(target)}`)
      t.equal(answer.headers.get('location'), null, JSON.stringify(target.slice(0, 40)))
      t.equal(answer.status, 200)
    }
    const fresh = new Visitor(server)
    t.equal((await fresh.signIn({ return_to: '//evil.example/authorize' })).headers.get('location'), '/sign-in')
    t.equal((await visitor.send('/sign-in?return_to=%2Fauthorize%3Fa%3D%2F%2Fb')).headers.get('location'), '/authorize?a=//b')
  })

  const big = 'a'.repeat(2_000_000)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const PAGES: Readonly<Record<string, readonly [string, RequestInit, number]>> = {
    'the sign-in page': ['/sign-in?x', {}, 200],
    'a link that does not work': ['/set-up?token=x', {}, 404],
    'no link': ['/set-up', {}, 404],
    'another method': ['/sign-in', { method: 'DELETE' }, 405],
    'a page that is only an answer': ['/authorize/consent', {}, 405],
    '2 MB': ['/sign-in', { method: 'POST', headers: form, body: big }, 413],
    '2 MB to sign out': ['/sign-out', { method: 'POST', headers: form, body: big }, 413],
    JSON: ['/sign-in', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"ada"}' }, 415],
    'a repeated name': ['/sign-in', { method: 'POST', headers: form, body: 'name=a&name=b' }, 400],
    'a repeated return_to': ['/sign-in?return_to=a&return_to=b', {}, 400],
    NUL: ['/sign-in', { method: 'POST', headers: form, body: 'name=a%00' }, 400],
    'a lone surrogate': ['/sign-in', { method: 'POST', headers: form, body: 'name=%ED%A0%80' }, 400],
    'bytes that are not UTF-8': ['/set-up', { method: 'POST', headers: form, body: Buffer.from([0x61, 0x3d, 0xff]) }, 400],
    'a thousand fields': ['/sign-in', { method: 'POST', headers: form, body: 'a=1&'.repeat(1000) }, 400],
    'a prototype': ['/sign-in', { method: 'POST', headers: form, body: '__proto__=1&constructor=2' }, 403],
    'an unknown client': ['/authorize?client_id=<script>&redirect_uri=https://evil.example', {}, 400],
    'a consent of nobody': ['/authorize/consent', { method: 'POST', headers: form, body: 'transaction=x&decision=allow' }, 400],
    'a foreign sign-out': ['/sign-out', { method: 'POST', headers: { ...form, origin: 'https://evil.example' } }, 403]
  }
  for (const [what, [path, init, status]] of Object.entries(PAGES)) {
    await t.test(`${what} is a page with ${status}, never framed, cached or sniffed (AS-A14)`, async (t) => {
      const answer = await new Visitor(server).send(path, init)
      const body = await answer.text()

      t.equal(answer.status, status)
      t.match(Object.fromEntries(answer.headers), {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': /^default-src 'none'; style-src 'sha256-\S+'; .*frame-ancestors 'none'; form-action 'self'$/,
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin'
      })
      t.notMatch(body, /<script|evil\.example|\n +at /)
      t.equal(answer.headers.get('location'), null)
    })
  }

  await t.test('a consent is given by nobody but the user, in that browser, on that page, once (mistake 9)', async (t) => {
    const client = new PlainClient(origin)
    await client.register({ client_name: '"><script>alert(1)</script>' })
    const page = await visitor.send(client.authorizationUrl('v'.repeat(43)).href.slice(origin.length))
    const html = await page.text()
    t.notMatch(html, '<script')
    const read = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''
    const fields = { transaction: read('transaction'), csrf: read('csrf'), scope: 'notes:read', decision: 'allow' }
    for (const value of [fields.transaction, fields.csrf]) sentinels.add(value)
    const other = new Visitor(server)
    await server.addAccount('eve')
    await other.signIn({ name: 'eve' })
    const signedOut = new Visitor(server)
    signedOut.cookies.set(BROWSER, visitor.cookies.get(BROWSER) ?? '')
    const sameBrowser = new Visitor(server)
    sameBrowser.cookies.set(BROWSER, visitor.cookies.get(BROWSER) ?? '').set(SESSION, other.cookies.get(SESSION) ?? '')

    const refused = await Promise.all([
      visitor.post('/authorize/consent', { ...fields, csrf: '' }),
      visitor.post('/authorize/consent', { ...fields, csrf: await visitor.csrf() }),
      visitor.post('/authorize/consent', fields, { origin: 'https://evil.example' }),
      visitor.post('/authorize/consent', fields, { 'sec-fetch-site': 'cross-site' }),
      other.post('/authorize/consent', fields),
      sameBrowser.post('/authorize/consent', fields),
      signedOut.post('/authorize/consent', fields)
    ])
    t.same(refused.map(({ status }) => status), [403, 403, 403, 403, 403, 403, 401])

    // A page that is sent twice, by a double click, leads to the same code; any other answer comes too late.
    const answers = await Promise.all(Array.from({ length: 5 }, async () => await visitor.post('/authorize/consent', fields)))
    t.same(answers.map(({ status }) => status), [303, 303, 303, 303, 303])
    t.equal(new Set(answers.map(({ headers }) => headers.get('location'))).size, 1)
    t.equal((await visitor.post('/authorize/consent', { ...fields, decision: 'deny' })).status, 400)
    t.equal((await visitor.post('/authorize/consent', { ...fields, scope: 'notes:write' })).status, 400)
  })

  await t.test('names that exist and names that do not are told apart by nothing, in any spelling (AS-G3)', async (t) => {
    const spellings = (name: string) => [name, name.toUpperCase(), ` ${name} `, name.replace('e', 'ｅ'), name, name]
    const outcome = async (names: readonly string[]) => {
      const outcomes: unknown[] = []
      for (const name of names) {
        const answer = await new Visitor(server).signIn({ name, password: 'wrong wrong wrong' })
        const text = (await answer.text()).replace(/value="[^"]*"/g, '')
        outcomes.push([answer.status, text, [...answer.headers.keys()]])
      }
      return outcomes
    }

    const known = await outcome(spellings('eve'))
    t.same(known, await outcome(spellings('mel')))
    t.same(known.map((one) => Array.isArray(one) && one[0] as unknown), [401, 401, 401, 401, 401, 429])
    t.ok((await new Visitor(server).signIn()).status === 303, 'and nobody else is locked out')
  })

  await t.test('a flood of passwords is refused when it is too much, and hinders nobody else', async (t) => {
    const flood = Promise.all(Array.from({ length: 45 }, async (_, index) =>
      (await new Visitor(server).signIn({ name: `nobody${index}` })).status))
    for (let others = 0; others < 10; others++) {
      const first = await Promise.race([flood, fetch(`${origin}/healthz`)])
      t.match(first, { status: 200 }, 'answered before the flood is')
    }
    t.same(new Set(await flood), new Set([401, 503]))
    t.equal((await new Visitor(server).signIn()).status, 303)
  })

  await t.test('a copy of the cookie is worth nothing after sign-out and after another password', async (t) => {
    const second = new Visitor(server)
    await second.signIn()
    const copies = [visitor, second].map(({ cookies }) => `${SESSION}=${cookies.get(SESSION) ?? ''}`)
    for (const copy of copies) t.ok(await visitor.isSignedIn(copy))

    t.equal((await visitor.post('/sign-out', '')).status, 303)
    t.same(await Promise.all(copies.map(async (copy) => await visitor.isSignedIn(copy))), [false, true])
    await account(server, ['passwd', user.name], 'another three unrelated words')
    t.notOk(await second.isSignedIn(copies[1]))
    t.equal((await second.signIn()).status, 401, 'nor is the old password')
  })

  await t.test('the database and the logs hold nothing of all this, and no private key (mistake 25)', async (t) => {
    await server.stop('SIGTERM')
    const database = readdirSync(server.dataDirectory).filter((name) => name.startsWith('reference.db'))
      .map((name) => readFileSync(join(server.dataDirectory, name), 'latin1')).join('')
    const logs = server.output().replace(/^no accounts yet.*$/m, '')

    t.ok(sentinels.size > 4)
    for (const value of [...sentinels, user.password, 'wrong wrong wrong', 'another three unrelated words']) {
      t.notOk(database.includes(value), 'not in the database')
      t.notOk(logs.includes(value), 'not in the logs')
    }
    // A P-256 key as PKCS #8, PEM or JWK.
    t.notMatch(database, /MIGHAgEA|PRIVATE KEY|"d":"/)
    t.match(database, '"sealed":"', 'the keys are there')
  })
})
