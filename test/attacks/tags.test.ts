import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { ComponentRule } from '../../types/access.js'
import type { Teardown } from '../helpers/build-app.js'
import { callTool, principalWith, verifierOf } from '../helpers/guard.js'
import { guardedApp } from '../helpers/guarded-app.js'
import { authorize, oauthApp, ticked } from '../helpers/oauth-app.js'

// Scopes that name tags, and filters of clients (mistake 17): neither may reach more than was granted, nor tell more.

const components: readonly ComponentRule[] = [
  { tool: 'search', tags: ['docs'] },
  { tool: 'wipe', scopes: ['admin'], tags: ['docs'], destructive: true },
  { tool: 'plan', server: 'calendar' }
]
const servers = { calendar: { tags: ['calendar'] } }
const verifier = verifierOf(Object.fromEntries([
  ['docs', ['tag:docs']], ['calendar', ['tag:calendar']], ['star', ['tag:*']], ['case', ['tag:DOCS']],
  ['prefix', ['tag:doc']], ['dead', ['tag:nothing']], ['bare', ['docs']]
].map(([name, scopes]) => [name, principalWith([...scopes ?? []])])))

async function listening (t: Teardown) {
  const guarded = await guardedApp(t, { components, servers, verifier })
  await guarded.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = guarded.app.server.address() as AddressInfo
  return { ...guarded, port }
}

async function send (port: number, token: string, tool: string, query = ''): Promise<number> {
  const sent = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: `/mcp${query}`,
    agent: false,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  }).end(JSON.stringify(callTool(tool)))
  const [answer] = await once(sent, 'response')
  answer.resume()
  return answer.statusCode
}

t.test('a tag scope opens what carries the tag, by itself or by its server, and nothing else', async (t) => {
  const { port, handled } = await listening(t)

  t.equal(await send(port, 'docs', 'search'), 200)
  t.equal(await send(port, 'calendar', 'plan'), 200)
  t.equal(await send(port, 'docs', 'plan'), 403)
  t.equal(await send(port, 'calendar', 'search'), 403)
  t.equal(await send(port, 'docs', 'wipe'), 403)
  t.equal(handled.length, 2)
})

for (const token of ['star', 'case', 'prefix', 'dead', 'bare']) {
  t.test(`a token with ${token === 'bare' ? 'a tag that is no scope' : `a tag scope that is ${token}`} reaches nothing`, async (t) => {
    const { port, handled } = await listening(t)

    for (const tool of ['search', 'wipe', 'plan']) t.equal(await send(port, token, tool), 403)
    t.strictSame(handled, [])
  })
}

for (const query of ['?tags=calendar', '?tags=calendar,docs', '?filter=not+docs', '?filter=calendar+or+docs', '?filter=not+nothing']) {
  t.test(`no filter, such as ${query}, reaches what was not granted`, async (t) => {
    const { port, handled } = await listening(t)

    t.equal(await send(port, 'docs', 'plan', query), 403)
    t.equal(await send(port, 'docs', 'wipe', query), 403)
    t.equal(await send(port, 'dead', 'search', query), 403)
    t.strictSame(handled, [])
  })
}

for (const query of ['?tags=docs&tags=calendar', '?tags=docs&%74ags=calendar', '?filter=docs)or(calendar', '?tags=*', '?tags=docs%2C']) {
  t.test(`a filter that could be read in two ways, ${query}, is 400`, async (t) => {
    const { port, handled } = await listening(t)

    t.equal(await send(port, 'docs', 'search', query), 400)
    t.strictSame(handled, [])
  })
}

t.test('components that are replaced are gone with the next request, and so is what their tags opened', async (t) => {
  const { app, port, events } = await listening(t)
  t.equal(await send(port, 'docs', 'search'), 200)

  app.mcpComponents.replace([{ tool: 'search', tags: ['other'] }])

  t.equal(await send(port, 'docs', 'search'), 403)
  t.same(app.mcpComponents.tags, ['other'])
  t.ok(events.some(({ type, operation }) => type === 'configuration.changed' && operation === 'components replaced'))
  t.throws(() => { app.mcpComponents.replace([{ tool: 'search' }]) }, { code: 'MCPS_ERR_INVALID_OPTION' })
  t.equal(await send(port, 'docs', 'search'), 403)
  app.mcpComponents.replace(components)
  t.equal(await send(port, 'docs', 'search'), 200)
})

const routes = { components: [{ tool: 'search', title: 'Search the handbook', tags: ['docs'] }, { tool: 'plan', tags: ['calendar'] }] }

t.test('the consent page says in words what a tag opens', async (t) => {
  const { app } = await oauthApp(t, { routes })

  const page = await authorize(app, { scope: 'tag:docs' })

  t.same(ticked(page).filter(([name]) => name === 'scope'), [['scope', 'tag:docs']])
  t.match(page.body, 'Search the handbook')
  t.notMatch(page.body, 'plan')
})

t.test('a tag that does not exist is left out like every unknown scope, without a word about it', async (t) => {
  const { app } = await oauthApp(t, { routes })

  const [some, none] = [await authorize(app, { scope: 'tag:docs tag:sentinel' }), await authorize(app, { scope: 'tag:sentinel' })]

  t.same(ticked(some).filter(([name]) => name === 'scope'), [['scope', 'tag:docs']])
  t.notMatch(some.body + none.body, 'sentinel')
})

for (const scope of ['tag:', 'tag:*', 'tag:a.b', `tag:${'a'.repeat(51)}`, Array.from({ length: 51 }, (_, n) => `tag:t${n}`).join(' '), 'tag:docs tag:docs']) {
  t.test(`a request for ${scope.slice(0, 30)} is refused by its grammar, whatever exists`, async (t) => {
    const { app } = await oauthApp(t, { routes })

    const page = await authorize(app, { scope })

    t.same(ticked(page).filter(([name]) => name === 'scope'), [])
  })
}

t.test('scopes_supported names the tags that are there, and none where they are not advertised', async (t) => {
  const { app } = await oauthApp(t, { routes })
  const { app: silent } = await oauthApp(t, { routes: { ...routes, advertiseTags: false } })

  for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource']) {
    const { scopes_supported: named } = (await app.inject(path)).json()
    t.ok(['tag:docs', 'tag:calendar'].every((scope) => named.includes(scope)))
    t.notMatch((await silent.inject(path)).body, 'tag:')
  }
})
