// What is measured: each function starts one server and answers its port and a good token.
import Fastify from 'fastify'
import { join } from 'node:path'
import { fileSink } from './file-sink.js'
import { library } from './library.js'
import { ORIGIN } from './modes.js'
import { issueTokens } from './tokens.js'

const issuer = 'http://127.0.0.1:8080'
const at = { issuer, resource: `${issuer}/mcp` }
const access = {
  ...at,
  scopes: { 'notes:read': 'Read your notes', 'notes:write': { title: 'Change your notes', implies: ['notes:read'] } },
  components: [{ tool: 'search_notes', scopes: ['notes:read'] }]
}
const ENDLESS = { general: { max: 1_000_000_000, window: 60 } }

/** The route that everything is measured against. */
export const answer = (id) => ({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'found nothing' }] } })
export function route (app, more = {}) {
  app.post('/mcp', more, async (request) => answer(request.body?.id))
}

export async function listen (app) {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}

async function guardedApp (options = {}) {
  const { pkceStore } = await library('plugins/pkce-store.js')
  const { scopeGuard } = await library('plugins/scope-guard.js')
  const app = Fastify()
  await app.register(pkceStore)
  await app.register(scopeGuard, { ...access, ...options })
  route(app)
  return app
}

async function umbrellaApp (options) {
  const { mcpSecurity } = await library('index.js')
  const app = Fastify()
  await app.register(mcpSecurity, {
    ...access,
    signIn: async () => null,
    securityHeaders: { hstsMaxAge: 31_536_000 },
    originGuard: { origins: [ORIGIN] },
    rateLimits: ENDLESS,
    audit: false,
    ...options
  })
  route(app)
  return app
}

const served = async (app, count = 1) => ({ port: await listen(app), tokens: await issueTokens(app, at, count) })

export async function bare () {
  const app = Fastify()
  route(app)
  return { port: await listen(app), tokens: ['none'] }
}

export const guarded = async () => await served(await guardedApp())
export const guardedMany = async ({ count }) => await served(await guardedApp(), count)
/** Remembers far fewer tokens than come in turn, so that each is one that it has not seen. */
export const forgetful = async ({ count }) => await served(await guardedApp({ rememberedTokens: 100 }), count)
export const umbrella = async () => await served(await umbrellaApp())
export const limited = async ({ count }) => await served(await umbrellaApp({ rateLimits: {} }), count)
export const audited = async ({ folder }) =>
  await served(await umbrellaApp({ audit: { log: false, sink: fileSink(join(folder, 'audit.jsonl')) } }))
