import t from 'tap'
import type { ComponentRule } from '../../../types/access.js'
import { versions } from '../../helpers/fastify-versions.js'
import { bearer, call, callTool } from '../../helpers/guard.js'
import { guardedApp, post } from '../../helpers/guarded-app.js'

const components: readonly ComponentRule[] = [
  { tool: 'search', scopes: ['notes:read'], tags: ['docs', 'fast'] },
  { tool: 'list', scopes: ['notes:read'], tags: ['docs'] },
  { tool: 'plain', scopes: ['notes:read'] },
  { tool: 'delete', scopes: ['notes:write', 'profile'], tags: ['docs'], destructive: true }
]

const passing: Record<string, string> = {
  'one tag': '?tags=docs',
  'one of several tags': '?tags=other,docs',
  'an expression': '?filter=docs%20and%20not%20slow',
  'an expression in the encoding of forms': '?filter=(docs+or+other)+and+fast',
  both: '?tags=fast&filter=docs',
  'other parameters': '?session=1&tags=docs',
  'nothing but a question mark': '?',
  'no parameter of ours': '?Tags=other&FILTER=other'
}

for (const [version, build] of Object.entries(versions)) {
  for (const [what, query] of Object.entries(passing)) {
    t.test(`Fastify ${version}: a tool within ${what} is called`, async (t) => {
      const { app, handled } = await guardedApp(t, { components }, build)

      t.equal((await app.inject(post('reader', callTool('search'), `/mcp${query}`))).statusCode, 200)
      t.equal(handled.length, 1)
    })
  }

  for (const query of ['?tags=other', '?tags=Docs', '?filter=not%20docs', '?tags=docs&filter=slow', '?tags=docs&filter=not docs']) {
    t.test(`Fastify ${version}: a tool outside of ${query} is one that does not exist`, async (t) => {
      const { app, events, handled } = await guardedApp(t, { components }, build)

      const response = await app.inject(post('reader', callTool('search'), `/mcp${query}`))

      t.equal(response.statusCode, 403)
      t.equal(response.headers['www-authenticate'], undefined)
      t.match(response.json(), { error: { code: -32602 } })
      t.strictSame(handled, [])
      t.match(events, [{ type: 'access.denied', reason: 'filtered', operation: 'tools/call search' }])
    })
  }
}

const malformed = [
  '?tags=', '?tags=docs&tags=fast', '?filter=docs&filter=fast', '?tags[]=docs&tags=a b', '?tags=docs,', '?tags=docs,docs',
  '?tags=*', '?filter=', '?filter=docs+and', '?filter=(docs', '?filter=docs)', '?filter=docs+fast', '?tags=%00',
  `?tags=${'a'.repeat(51)}`, `?tags=${Array.from({ length: 51 }, (_, index) => `t${index}`).join(',')}`,
  `?filter=${'('.repeat(40)}docs${')'.repeat(40)}`, `?filter=${'a+or+'.repeat(300)}a`
]

for (const query of malformed) {
  t.test(`${query.slice(0, 40)} is 400, since it might have been meant to take away more`, async (t) => {
    const { app, events, handled } = await guardedApp(t, { components })

    for (let times = 0; times < 2; times++) {
      const response = await app.inject(post('reader', callTool('search', 5), `/mcp${query}`))
      t.equal(response.statusCode, 400)
      t.match(response.json(), { jsonrpc: '2.0', id: 5, error: { code: -32602 } })
    }
    t.strictSame(handled, [])
    t.match(events, [{ type: 'request.refused', reason: 'malformed filter', clientId: 'client-1' }, {}])
  })
}

t.test('a malformed filter is told to nobody without a token', async (t) => {
  const { app } = await guardedApp(t, { components })

  t.equal((await app.inject(post(null, callTool('search'), '/mcp?tags='))).statusCode, 401)
})

t.test('a filter gives nothing that was not granted', async (t) => {
  const { app, handled } = await guardedApp(t, { components })

  for (const query of ['?tags=docs', '?filter=docs+or+not+docs', '?filter=not+nothing']) {
    const response = await app.inject(post('reader', callTool('delete'), `/mcp${query}`))
    t.equal(response.statusCode, 403)
    t.match(response.headers['www-authenticate'], /insufficient_scope/)
    t.equal((await app.inject(post('nobody', callTool('search'), `/mcp${query}`))).statusCode, 403)
    t.equal((await app.inject(post('reader', callTool('unknown'), `/mcp${query}`))).statusCode, 403)
  }
  t.strictSame(handled, [])
})

t.test('a filter takes nothing away that is no component', async (t) => {
  const { app } = await guardedApp(t, { components })

  t.equal((await app.inject(post('reader', call('initialize'), '/mcp?tags=other'))).statusCode, 200)
})

t.test('elsewhere the parameters are the host\'s', async (t) => {
  const { app } = await guardedApp(t, { components })

  t.equal((await app.inject({ url: '/any?tags=', headers: bearer('reader') })).statusCode, 200)
})

t.test('a host may set its own bounds', async (t) => {
  const { app } = await guardedApp(t, { components, tagLimits: { tags: 1, tagLength: 4, duplicates: true } })

  t.equal((await app.inject(post('reader', callTool('search'), '/mcp?tags=docs'))).statusCode, 200)
  t.equal((await app.inject(post('reader', callTool('search'), '/mcp?tags=docs,a'))).statusCode, 400)
  t.equal((await app.inject(post('reader', callTool('search'), '/mcp?tags=docsy'))).statusCode, 400)
})

t.test('a flood of different filters is read right all the while', async (t) => {
  const { app } = await guardedApp(t, { components })

  for (let number = 0; number < 520; number++) {
    const right = number % 2 === 0
    const query = right ? `?tags=docs&n=${number}` : `?tags=other&n=${number}`
    const { statusCode } = await app.inject(post('reader', callTool('search'), `/mcp${query}`))
    if (statusCode !== (right ? 200 : 403)) t.fail(`${query} is ${statusCode}`)
  }
  t.pass()
})

t.test('a long query is read and not remembered', async (t) => {
  const { app } = await guardedApp(t, { components })

  t.equal((await app.inject(post('reader', callTool('search'), `/mcp?tags=docs&n=${'n'.repeat(2000)}`))).statusCode, 200)
})
