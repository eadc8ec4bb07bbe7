import t from 'tap'
import { sayWhenToRetry } from '../../../lib/plugins/support/retry-after.js'
import { buildApp } from '../../helpers/build-app.js'

for (const [status, seconds] of [[429, '60'], [503, '5'], [400, undefined]] as const) {
  t.test(`${status} says ${seconds === undefined ? 'nothing about when to retry' : `to retry after ${seconds} seconds`}`, async (t) => {
    const app = buildApp(t)
    app.get('/', async (_request, reply) => {
      sayWhenToRetry(reply, status)
      return 'x'
    })

    t.equal((await app.inject('/')).headers['retry-after'], seconds)
  })
}

t.test('a limit that has said when to retry is not overruled', async (t) => {
  const app = buildApp(t)
  app.get('/', async (_request, reply) => {
    reply.header('retry-after', '7')
    sayWhenToRetry(reply, 429)
    return 'x'
  })

  t.equal((await app.inject('/')).headers['retry-after'], '7')
})
