import Fastify from 'fastify'
import { sha256 } from '../../lib/crypto/digest.js'
import { oauthRoutes } from '../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../lib/plugins/pkce-store.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { sqliteStore } from '../../lib/stores/sqlite.js'
import { grantRequest } from '../helpers/token-context.js'
import { OPTIONS, RESOURCE, SECRET, STATICS, VERIFIER } from '../helpers/oauth-app.js'
import { HANDLES } from '../stores/sqlite-handles.js'

/**
 * One of several instances on one SQLite file, started by key-rotation.test.ts: makes codes, and when told to start
 * exchanges them at a steady rate, whatever the answers take; says each answer and what it found out about tokens that
 * others were given. Rotates the keys after half of its codes when it is told how long the next one waits.
 */
const [file = '', kind = '', count = '0', rate = '1', after = ''] = process.argv.slice(2)
const TICK_MS = 10

const handle = HANDLES.find(({ name }) => name === kind)?.open(file)
if (handle === undefined) throw new Error(`no handle of kind ${kind}`)
const store = sqliteStore(handle)
handle.exec('pragma synchronous = off')
const app = Fastify()
await app.register(pkceStore, { store, secrets: [SECRET], clients: STATICS, lifetimes: { code: 600 } })
await app.register(scopeGuard, {
  issuer: OPTIONS.issuer, resource: RESOURCE, scopes: OPTIONS.scopes, components: OPTIONS.components ?? []
})
await app.register(oauthRoutes, OPTIONS)
app.post('/mcp', async () => ({ jsonrpc: '2.0', id: 1, result: {} }))
await app.ready()
const { grants, clock, keyring } = app.pkceStore

async function makeCode (): Promise<string> {
  const { grant, handle } = await grants.request({
    ...grantRequest('house'), redirectUri: 'https://house.example/cb?from=as', resource: RESOURCE, codeChallenge: sha256(VERIFIER)
  }, clock())
  const approved = await grants.approve({ handle, subject: grant.subject, scopes: grant.scopes }, clock())
  return approved?.code ?? ''
}

async function exchange (code: string): Promise<void> {
  const from = performance.now()
  const { statusCode, body } = await app.inject({
    method: 'POST',
    url: '/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({
      grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER, resource: RESOURCE
    }).toString()
  })
  const token = statusCode === 200 ? JSON.parse(body).access_token : null
  process.send?.({ exchanged: statusCode, token, tookMs: performance.now() - from })
}

async function verify (token: string): Promise<void> {
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/mcp',
    headers: { authorization: `Bearer ${token}` },
    payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } }
  })
  process.send?.({ verified: statusCode })
}

const codes: string[] = []
while (codes.length < Number(count)) codes.push(await makeCode())
handle.exec('pragma synchronous = normal')

process.on('message', async (told: { start?: true, verify?: string, stop?: true }) => {
  if (told.verify !== undefined) await verify(told.verify)
  if (told.start) {
    let offered = 0
    const from = performance.now()
    const timer = setInterval(() => {
      const due = Math.min(codes.length, Math.floor((performance.now() - from) / 1000 * Number(rate)))
      const isHalf = offered < codes.length / 2 && due >= codes.length / 2
      for (; offered < due; offered += 1) exchange(codes[offered] ?? '')
      if (isHalf && after !== '') keyring.rotate({ after: Number(after) })
      if (offered === codes.length) clearInterval(timer)
    }, TICK_MS)
  }
  if (told.stop) {
    await app.close()
    handle.close()
    process.disconnect()
  }
})
process.send?.({ ready: true })
