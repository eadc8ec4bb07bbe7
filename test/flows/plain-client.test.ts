import t from 'tap'
import { PlainClient, readTokens, type Tokens } from '../helpers/oauth-client.js'
import { startReferenceServer } from '../helpers/reference-server.js'

// One server for all tests that leave it as it is: each start costs a second.
const shared = await startReferenceServer(t)

t.test('a client of revision 2025-03-26, without metadata and resource, signs in and calls a tool', async (t) => {
  const client = new PlainClient(shared.origin)

  const tokens = await client.signIn()
  const answer = await client.callTool(tokens.access_token, 'whoami')

  t.equal(answer.status, 200)
  t.match(await answer.text(), /notes:read/)
  const [, payload = ''] = tokens.access_token.split('.')
  t.match(JSON.parse(Buffer.from(payload, 'base64url').toString()), { aud: `${shared.origin}/mcp`, iss: shared.origin })
})

t.test('the code comes back with the exact state and the issuer (AS-A9, AS-A10)', async (t) => {
  const client = new PlainClient(shared.origin)
  await client.register()

  const { redirect } = await client.authorize({ state: 'a b+c%20&é' })

  t.equal(redirect.searchParams.get('state'), 'a b+c%20&é')
  t.strictSame(redirect.searchParams.getAll('iss'), [shared.origin])
})

t.test('of twenty identical code exchanges at once exactly one is answered 200 (AS-T16)', async (t) => {
  const client = new PlainClient(shared.origin)
  await client.register()
  const authorized = await client.authorize()

  const answers = await Promise.all(Array.from({ length: 20 }, async () => await client.exchange(authorized)))

  const winners = answers.filter(({ status }) => status === 200)
  t.equal(winners.length, 1)
  t.equal(answers.filter(({ status }) => status === 400).length, 19)
  const [winner] = winners
  if (winner === undefined) return
  t.equal((await client.callTool((await readTokens(winner)).access_token, 'whoami')).status, 200, 'the winner keeps its tokens')
})

t.test('two hundred identical refreshes at once have one successor and equal bodies', async (t) => {
  const client = new PlainClient(shared.origin)
  const { refresh_token: first } = await client.signIn()

  const answers = await Promise.all(Array.from({ length: 200 }, async () => await client.refresh(first)))

  t.ok(answers.every(({ status }) => status === 200))
  const bodies = new Set(await Promise.all(answers.map(async (answer) => await answer.text())))
  t.equal(bodies.size, 1)
  const [body = ''] = bodies
  t.equal((await client.refresh((JSON.parse(body) as Tokens).refresh_token)).status, 200)
})

t.test('the token before the last, after the window, ends its family and no other one', async (t) => {
  const server = await startReferenceServer(t, { configuration: { lifetimes: { refreshRepeat: 1 } } })
  const client = new PlainClient(server.origin)
  const other = await client.signIn()
  const first = await client.signIn()
  const second = await readTokens(await client.refresh(first.refresh_token))
  const third = await readTokens(await client.refresh(second.refresh_token))
  await new Promise((resolve) => { setTimeout(resolve, 2100) })

  const replay = await client.refresh(second.refresh_token)

  t.match(await replay.json(), { error: 'invalid_grant' })
  t.match(await (await client.refresh(third.refresh_token)).json(), { error: 'invalid_grant' }, 'the family is dead')
  t.equal((await client.callTool(third.access_token, 'whoami')).status, 401)
  t.equal((await client.refresh(other.refresh_token)).status, 200, 'another family of the same user is alive')
})

t.test('accounts, clients, grants and notes survive a restart', async (t) => {
  const server = await startReferenceServer(t)
  const client = new PlainClient(server.origin)
  const tokens = await client.signIn({ scope: 'notes:write' })
  await client.callTool(tokens.access_token, 'add_note', { text: 'Buy milk' })

  t.equal(await server.stop('SIGTERM'), 0, 'it drains and exits 0')
  await server.start()

  t.match(await (await client.callTool(tokens.access_token, 'list_notes')).text(), /Buy milk/)
  t.equal((await client.refresh(tokens.refresh_token)).status, 200)
})

t.test('a user sees no note of another one', async (t) => {
  await shared.addAccount('grace', 'another long password')
  const ada = new PlainClient(shared.origin)
  const grace = new PlainClient(shared.origin)
  const adas = await ada.signIn({ scope: 'notes:write' })
  await grace.register()
  const graces = await readTokens(await grace.exchange(
    await grace.authorize({ scope: 'notes:write' }, { name: 'grace', password: 'another long password' })))
  await ada.callTool(adas.access_token, 'add_note', { text: 'secret plan' })

  t.notMatch(await (await grace.callTool(graces.access_token, 'list_notes')).text(), /secret plan/)
})
