import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PlainClient, readTokens } from '../helpers/oauth-client.js'
import { startReferenceServer, user } from '../helpers/reference-server.js'

for (const accessTokenFormat of ['jwt', 'opaque']) {
  t.test(`no log, event, error body or database file holds a secret with ${accessTokenFormat} tokens (mistake 25)`, async (t) => {
    const configuration = { accessTokenFormat, lifetimes: { refreshRepeat: 30 } }
    const server = await startReferenceServer(t, { configuration })
    const client = new PlainClient(server.origin)
    const registration = await client.register({ token_endpoint_auth_method: 'client_secret_post' })
    const registered = await registration.json() as { client_secret: string }
    const state = 'sentinel-state-0123456789'
    const authorized = await client.authorize({ state, scope: 'notes:write' })
    const secret = { client_secret: registered.client_secret }
    const tokens = await readTokens(await client.token({
      ...secret, grant_type: 'authorization_code', code: authorized.code, code_verifier: authorized.verifier, redirect_uri: client.redirectUri
    }))
    const next = await readTokens(await client.token({ ...secret, grant_type: 'refresh_token', refresh_token: tokens.refresh_token }))
    await client.callTool(next.access_token, 'add_note', { text: 'sentinel-note-text' })
    const sentinels: Record<string, string> = {
      code: authorized.code,
      verifier: authorized.verifier,
      'client secret': registered.client_secret,
      'access token': tokens.access_token,
      'refreshed access token': next.access_token,
      'refresh token': tokens.refresh_token,
      'rotated refresh token': next.refresh_token,
      password: user.password,
      ...Object.fromEntries(client.browser.cookies.map(([name, value]) => [`cookie ${name}`, value]))
    }
    t.ok(Object.keys(sentinels).length > 9, 'the browser has cookies')

    const bodies = await Promise.all([
      client.token({ ...secret, grant_type: 'authorization_code', code: authorized.code, code_verifier: authorized.verifier }),
      client.token({ ...secret, grant_type: 'refresh_token', refresh_token: `${next.refresh_token}x` }),
      client.token({ ...secret, grant_type: tokens.access_token }),
      fetch(`${server.origin}/authorize?client_id=${client.clientId}&redirect_uri=https://evil.example/${authorized.code}`),
      client.call(`${next.access_token}x`, 'tools/list'),
      client.callTool(next.access_token, authorized.code)
    ].map(async (answer) => await (await answer).text()))
    await client.token({ ...secret, grant_type: 'refresh_token', refresh_token: next.refresh_token })
    await server.stop('SIGTERM')

    const files = readdirSync(server.dataDirectory).filter((name) => name.startsWith('reference.db'))
    t.ok(files.length > 0)
    const database = files.map((name) => readFileSync(join(server.dataDirectory, name), 'latin1')).join('')
    for (const [what, value] of Object.entries(sentinels)) {
      t.notOk(server.output().includes(value), `logs and events hold no ${what}`)
      t.notOk(bodies.some((body) => body.includes(value)), `error bodies hold no ${what}`)
      t.notOk(database.includes(value), `the database holds no ${what}`)
      const secretPart = value.split('.').at(-1) ?? ''
      if (secretPart.length > 20) t.notOk(database.includes(secretPart), `nor the last part of the ${what}`)
    }
    t.notOk(server.output().includes(state), 'logs hold no state')
    t.notOk(server.output().includes('sentinel-note-text'), 'logs hold no argument')
  })
}
