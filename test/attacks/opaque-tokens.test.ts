import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js'
import t from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { PlainClient, readTokens } from '../helpers/oauth-client.js'
import { startReferenceServer, type ReferenceServer } from '../helpers/reference-server.js'

/** Starts the server again, on the same data, with another format of tokens. */
async function switchTo (server: ReferenceServer, accessTokenFormat: 'jwt' | 'opaque'): Promise<void> {
  const file = join(server.dataDirectory, '..', 'configuration.json')
  await server.stop('SIGTERM')
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), accessTokenFormat }))
  await server.start()
}

const server = await startReferenceServer(t, { configuration: { accessTokenFormat: 'opaque' } })
const client = new PlainClient(server.origin)
const tokens = await client.signIn({ scope: 'notes:read' })
const token = tokens.access_token

t.test('an opaque token opens what was granted, and no more', async (t) => {
  t.match(token, /^mcps_at_[\w-]{65}\.[\w-]{43}$/)
  t.equal((await client.callTool(token, 'list_notes')).status, 200)
  const denied = await client.callTool(token, 'add_note', { text: 'x' })
  t.equal(denied.status, 403)
  t.match(extractWWWAuthenticateParams(denied), { error: 'insufficient_scope', scope: /notes:write/ })
})

const [stem = '', tag = ''] = token.split('.')
const other = (text: string, at: number) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)

const forged: Record<string, string> = {
  'the prefix alone': 'mcps_at_',
  'no prefix': token.slice(8),
  'another prefix': token.replace('mcps_at_', 'mcps_rt_'),
  'the prefix in capitals': token.replace('mcps_at_', 'MCPS_AT_'),
  'another grant': other(token, 10),
  'another secret': other(token, 40),
  'another tag': other(token, 80),
  'its last character only in another spelling': token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1),
  'no tag': stem,
  'an empty tag': `${stem}.`,
  'its tag before its stem': `mcps_at_${tag}.${stem.slice(8)}`,
  'a second tag': `${token}.${tag}`,
  padding: `${token}==`,
  'a dot before it': `.${token}`,
  'its digest, as the store holds it': sha256(token),
  'its digest behind the prefix': `mcps_at_${sha256(token)}`,
  'the refresh token': tokens.refresh_token,
  'the refresh token behind the prefix': `mcps_at_${tokens.refresh_token.replace('.', '')}`,
  'a token without end': `mcps_at_${'x'.repeat(7000)}`
}

for (const [name, text] of Object.entries(forged)) {
  t.test(`as an opaque token, ${name} is answered 401 like every other bad token (RS-14, RS-29)`, async (t) => {
    const answer = await client.callTool(text, 'list_notes')

    t.equal(answer.status, 401)
    t.match(extractWWWAuthenticateParams(answer), { error: 'invalid_token' })
  })
}

t.test('two tokens of one grant are good side by side, and a revocation of one ends both at once', async (t) => {
  const mine = new PlainClient(server.origin)
  const first = await mine.signIn({ scope: 'notes:read' })
  const second = await readTokens(await mine.refresh(first.refresh_token))
  for (const { access_token: one } of [first, second]) t.equal((await mine.callTool(one, 'list_notes')).status, 200)

  const revoked = await fetch(`${server.origin}/revoke`, {
    method: 'POST', body: new URLSearchParams({ client_id: mine.clientId, token: first.access_token })
  })

  t.equal(revoked.status, 200)
  for (const { access_token: one } of [first, second]) t.equal((await mine.callTool(one, 'list_notes')).status, 401)
  t.equal((await mine.refresh(second.refresh_token)).status, 400)
  t.equal((await client.callTool(token, 'list_notes')).status, 200)
})

t.test('a repeated refresh answers the very same opaque token', async (t) => {
  const mine = new PlainClient(server.origin)
  const { refresh_token: old } = await mine.signIn({ scope: 'notes:read' })
  const answers = await Promise.all([1, 2, 3].map(async () => await readTokens(await mine.refresh(old))))

  t.equal(new Set(answers.map((answer) => answer.access_token)).size, 1)
})

t.test('after a switch of the format, and back, what was issued before is good until it ends', async (t) => {
  const mine = new PlainClient(server.origin)
  const first = await mine.signIn({ scope: 'notes:read' })
  await switchTo(server, 'jwt')
  const second = await readTokens(await mine.refresh(first.refresh_token))
  t.match(second.access_token, /^ey/)
  for (const { access_token: one } of [first, second, tokens]) t.equal((await mine.callTool(one, 'list_notes')).status, 200)

  await switchTo(server, 'opaque')
  const third = await readTokens(await mine.refresh(second.refresh_token))
  t.match(third.access_token, /^mcps_at_/)
  for (const { access_token: one } of [first, second, third]) t.equal((await mine.callTool(one, 'list_notes')).status, 200)
})
