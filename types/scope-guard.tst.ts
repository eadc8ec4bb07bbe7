import type { AuthInfo as SdkAuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { describe, expect, test } from 'tstyche'
import { scopeGuard, type AuthInfo, type Principal } from '../lib/plugins/scope-guard.js'

declare const app: FastifyInstance
declare const request: FastifyRequest

const scopes = { 'notes:read': 'Read your notes' }

describe('scopeGuard', () => {
  test('request.mcpAuth is a principal, or null on a public route', () => {
    expect(request.mcpAuth).type.toBe<Principal | null>()
    expect<Principal['scopes']>().type.toBe<readonly string[]>()
  })

  test('request.raw.auth is what the MCP SDK reads', () => {
    expect(request.raw.auth).type.toBe<AuthInfo | undefined>()
    expect<AuthInfo>().type.toBe<SdkAuthInfo>()
  })

  test('issuer, resource and scopes are needed', () => {
    expect(app.register).type.toBeCallableWith(scopeGuard, { issuer: 'https://h', resource: 'https://h/mcp', scopes })
    expect(app.register).type.not.toBeCallableWith(scopeGuard, { issuer: 'https://h', resource: 'https://h/mcp' })
    expect(app.register).type.not.toBeCallableWith(scopeGuard, { issuer: 'https://h', scopes })
  })

  test('a route says in its config what it needs', () => {
    const handler = async () => 'x'
    expect(app.get).type.toBeCallableWith('/', { config: { mcpSecurity: { scopes: ['notes:read'] } } }, handler)
    expect(app.get).type.toBeCallableWith('/', { config: { mcpSecurity: { public: true } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { mcpSecurity: { public: 'yes' } } }, handler)
  })
})
