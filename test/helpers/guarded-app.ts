import type { FastifyInstance } from 'fastify'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import type { AuditEvent } from '../../types/audit.js'
import type { ScopeGuardOptions } from '../../types/options.js'
import { buildApp, type Teardown } from './build-app.js'
import { bearer, guardOptions } from './guard.js'

export interface GuardedApp {
  readonly app: FastifyInstance
  readonly events: AuditEvent[]
  /** Bodies that reached a handler. */
  readonly handled: unknown[]
}

/** An audited and guarded app: `/mcp`, `/notes` which needs scopes, `/any` and `/watched` which is report-only. */
export async function guardedApp (
  t: Teardown, more: Partial<ScopeGuardOptions> = {}, build: (t: Teardown) => FastifyInstance = buildApp
): Promise<GuardedApp> {
  const app = build(t)
  const events: AuditEvent[] = []
  const handled: unknown[] = []
  const handler = async ({ body }: { body: unknown }) => { handled.push(body ?? null); return 'handled' }
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  await app.register(scopeGuard, guardOptions(more))
  app.post('/mcp', handler)
  app.get('/notes', { config: { mcpSecurity: { scopes: ['notes:read', 'profile'] } } }, handler)
  app.get('/watched', { config: { mcpSecurity: { scopes: ['notes:read', 'profile'], reportOnly: true } } }, handler)
  app.get('/any', handler)
  return { app, events, handled }
}

/** A message to the MCP endpoint; without a token, nobody's. */
export const post = (token: string | null, payload: unknown, url = '/mcp') => ({
  method: 'POST',
  url,
  headers: { ...(token === null ? {} : bearer(token)), 'content-type': 'application/json' },
  payload: JSON.stringify(payload)
} as const)
