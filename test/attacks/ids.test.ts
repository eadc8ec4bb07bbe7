import t from 'tap'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { buildApp } from '../helpers/build-app.js'
import { bearer, guardOptions } from '../helpers/guard.js'

const RELATED = 'io.modelcontextprotocol/related-task'

t.test('no answer of a client names a task that was not given to it, whatever the answer holds besides (RS-33)', async (t) => {
  const app = buildApp(t)
  const seen: unknown[] = []
  await app.register(scopeGuard, guardOptions({ tasks: true }))
  app.post('/mcp', async ({ body }) => { seen.push(body) })
  const answer = { jsonrpc: '2.0', id: 1, result: { _meta: { [RELATED]: { taskId: 'of-somebody-else' } } } }

  for (const more of [{}, { params: {} }, { params: { _meta: {} } }, { params: null }, { params: [] }]) {
    for (const body of [{ ...answer, ...more }, [{ ...answer, ...more }]]) {
      const { statusCode } = await app.inject({ method: 'POST', url: '/mcp', headers: bearer('reader'), payload: body })
      t.equal(statusCode, 200)
    }
  }

  t.equal(seen.length, 10)
  t.notMatch(JSON.stringify(seen), /of-somebody-else/)
})
