import t from 'tap'
import { isNameOfClient, isOperatorsClient, limitScopes } from '../../lib/oauth/client-scopes.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import { addClient, buildContext, REDIRECT, START } from '../helpers/token-context.js'

const model = buildScopeModel({
  'notes:read': 'Read your notes',
  'notes:write': { title: 'Change your notes', implies: ['notes:read'] },
  admin: 'Everything'
})
const redirectUris = [REDIRECT]
const context = buildContext({
  statics: [
    { clientId: 'limited', redirectUris, scope: 'notes:write' },
    { clientId: 'free', redirectUris },
    { clientId: 'job', secret: 'a-secret-of-thirty-two-characters-or-more', grantTypes: ['client_credentials'], scope: 'admin' }
  ]
})

async function limit (clientId: string, asked: readonly string[]) {
  const client = await context.clients.find(clientId, START)
  if (client === null) throw new Error('the client is gone')
  return limitScopes(client, asked, model)
}

t.test('a limited client gets what its limit contains or implies', async (t) => {
  t.same(await limit('limited', ['admin', 'notes:read', 'notes:write']), ['notes:read', 'notes:write'])
  t.same(await limit('limited', ['notes:read']), ['notes:read'])
})

t.test('a limited client that asks for nothing within its limit is refused', async (t) => {
  await t.rejects(limit('limited', ['admin']), { code: 'invalid_scope' })
})

t.test('without a limit everything may be asked for', async (t) => {
  t.same(await limit('free', ['admin']), ['admin'])
})

t.test('what a client registered by itself is no limit', async (t) => {
  const { client } = await addClient(context, { scope: 'notes:read' })

  t.same(await limit(client.clientId, ['notes:write']), ['notes:write'])
})

t.test('the operator answers for the clients that were configured or made at run time, and for no other', async (t) => {
  const { client } = await addClient(context)

  t.ok(isOperatorsClient({ ...client, origin: 'static' }))
  t.ok(isOperatorsClient({ ...client, origin: 'admin' }))
  t.notOk(isOperatorsClient({ ...client, origin: 'document' }))
  t.notOk(isOperatorsClient(client))
})

t.test('a name is a client\'s when that may act for itself, and no document is fetched to know it (RFC 9068 §5)', async (t) => {
  const asked: string[] = []
  const clients = {
    find: async (clientId: string, now: number) => {
      asked.push(clientId)
      return await context.clients.find(clientId, now)
    }
  }
  const isName = async (subject: string) => await isNameOfClient(subject, { clients, now: START })
  const { client } = await addClient(context)

  t.ok(await isName('job'))
  for (const name of ['free', 'alice', client.clientId, 'https://evil.example/client', 'a b']) t.notOk(await isName(name))
  t.strictSame(asked, ['job', 'free', 'alice', client.clientId])
})
