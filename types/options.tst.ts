import type { Static } from '@sinclair/typebox'
import { expect, test } from 'tstyche'
import type { configurationSchema, schemas } from '../lib/options.js'
import type { AuditHookOptions } from './audit.js'
import type {
  AccountsOptions, CorsOptions, McpSecurityOptions, OAuthRoutesOptions, OriginGuardOptions, OwnVerifierOptions,
  PkceStoreOptions, RateLimitsSetup, ScopeGuardOptions, SecurityHeadersOptions, SignInOptions
} from './options.js'

type Checked<K extends keyof typeof schemas> = Static<(typeof schemas)[K]>

test('the schema and the documented interface of each part say the same', () => {
  expect<Checked<'pkceStore'>>().type.toBeAssignableTo<PkceStoreOptions>()
  expect<PkceStoreOptions>().type.toBeAssignableTo<Checked<'pkceStore'>>()
  expect<Checked<'oauthRoutes'>>().type.toBeAssignableTo<OAuthRoutesOptions>()
  expect<OAuthRoutesOptions>().type.toBeAssignableTo<Checked<'oauthRoutes'>>()
  expect<Checked<'scopeGuard'>>().type.toBeAssignableTo<ScopeGuardOptions>()
  expect<ScopeGuardOptions>().type.toBeAssignableTo<Checked<'scopeGuard'>>()
  expect<Checked<'ownVerifier'>>().type.toBeAssignableTo<OwnVerifierOptions>()
  expect<OwnVerifierOptions>().type.toBeAssignableTo<Checked<'ownVerifier'>>()
  expect<Checked<'auditHook'>>().type.toBeAssignableTo<AuditHookOptions>()
  expect<AuditHookOptions>().type.toBeAssignableTo<Checked<'auditHook'>>()
  expect<Checked<'securityHeaders'>>().type.toBeAssignableTo<SecurityHeadersOptions>()
  expect<SecurityHeadersOptions>().type.toBeAssignableTo<Checked<'securityHeaders'>>()
  expect<Checked<'originGuard'>>().type.toBeAssignableTo<OriginGuardOptions>()
  expect<OriginGuardOptions>().type.toBeAssignableTo<Checked<'originGuard'>>()
  expect<Checked<'cors'>>().type.toBeAssignableTo<CorsOptions>()
  expect<CorsOptions>().type.toBeAssignableTo<Checked<'cors'>>()
  expect<Checked<'rateLimits'>>().type.toBeAssignableTo<RateLimitsSetup>()
  expect<RateLimitsSetup>().type.toBeAssignableTo<Checked<'rateLimits'>>()
  expect<Checked<'accounts'>>().type.toBeAssignableTo<AccountsOptions>()
  expect<AccountsOptions>().type.toBeAssignableTo<Checked<'accounts'>>()
  expect<Checked<'signIn'>>().type.toBeAssignableTo<SignInOptions>()
  expect<SignInOptions>().type.toBeAssignableTo<Checked<'signIn'>>()
})

// Assignability does not see a member that is optional on one side and missing on the other; names do.
test('no schema has a member that its interface lacks, or the other way round', () => {
  expect<keyof Checked<'mcpSecurity'>>().type.toBe<keyof McpSecurityOptions>()
  expect<keyof Checked<'pkceStore'>>().type.toBe<keyof PkceStoreOptions>()
  expect<keyof Checked<'oauthRoutes'>>().type.toBe<keyof OAuthRoutesOptions>()
  expect<keyof Checked<'scopeGuard'>>().type.toBe<keyof ScopeGuardOptions>()
  expect<keyof Checked<'ownVerifier'>>().type.toBe<keyof OwnVerifierOptions>()
  expect<keyof Checked<'auditHook'>>().type.toBe<keyof AuditHookOptions>()
  expect<keyof Checked<'securityHeaders'>>().type.toBe<keyof SecurityHeadersOptions>()
  expect<keyof Checked<'originGuard'>>().type.toBe<keyof OriginGuardOptions>()
  expect<keyof Checked<'cors'>>().type.toBe<keyof CorsOptions>()
  expect<keyof Checked<'rateLimits'>>().type.toBe<keyof RateLimitsSetup>()
  expect<keyof Checked<'accounts'>>().type.toBe<keyof AccountsOptions>()
  expect<keyof Checked<'signIn'>>().type.toBe<keyof SignInOptions>()
  expect<keyof Static<typeof configurationSchema>>().type.toBe<keyof McpSecurityOptions>()
})

test('the umbrella takes what its schema takes', () => {
  expect<Checked<'mcpSecurity'>>().type.toBeAssignableTo<McpSecurityOptions>()
  expect<McpSecurityOptions>().type.toBeAssignableTo<Checked<'mcpSecurity'>>()
})
