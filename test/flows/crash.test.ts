import t from 'tap'
import { PlainClient, readTokens, type Tokens } from '../helpers/oauth-client.js'
import { startReferenceServer, type ReferenceServer } from '../helpers/reference-server.js'

const ROUNDS = 6

/** Kills the server `delayMs` after `work` began, restarts it, and answers what `work` came to (null: no answer). */
async function killDuring<T> (server: ReferenceServer, delayMs: number, work: () => Promise<T>): Promise<T | null> {
  const answer = work().catch(() => null)
  await new Promise((resolve) => { setTimeout(resolve, delayMs) })
  await server.stop('SIGKILL')
  const result = await answer
  await server.start()
  return result
}

const isAlive = async (client: PlainClient, tokens: Tokens): Promise<boolean> =>
  (await client.callTool(tokens.access_token, 'whoami')).status === 200

t.test('a kill during refresh loses no acknowledged token, and the client goes on', { timeout: 120_000 }, async (t) => {
  const server = await startReferenceServer(t)
  const client = new PlainClient(server.origin)
  let tokens = await client.signIn()

  for (let round = 0; round < ROUNDS; round++) {
    const presented = tokens.refresh_token
    const answered = await killDuring(server, round * 3, async () => await readTokens(await client.refresh(presented)))

    if (answered !== null) t.ok(await isAlive(client, answered), `round ${round}: what was acknowledged holds`)
    const again = await readTokens(await client.refresh(presented))
    if (answered !== null) t.strictSame(again, answered, `round ${round}: a repeat gets the very same answer`)
    t.ok(await isAlive(client, again))
    tokens = again
  }
})

t.test('a kill during sign-in, consent and exchange loses nothing acknowledged, and the client goes on', { timeout: 120_000 }, async (t) => {
  const server = await startReferenceServer(t)
  const before = await new PlainClient(server.origin).signIn()

  for (let round = 0; round < ROUNDS; round++) {
    const client = new PlainClient(server.origin)
    const answered = await killDuring(server, round * 25, async () => await client.signIn())

    if (answered !== null) t.ok(await isAlive(client, answered), `round ${round}: what was acknowledged holds`)
    if (client.clientId === '') await client.register()
    t.ok(await isAlive(client, await client.signIn()), `round ${round}: the same client goes on`)
  }
  t.ok(await isAlive(new PlainClient(server.origin), before), 'and the first grant is still alive')
})
