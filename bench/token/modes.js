/**
 * What is measured, in this order in every round. `server` is a function of apps.js or peers.js; `work` is what is
 * asked of it: `exchange`, codes that were given out before, one after the other; `refresh`, always with the newest
 * token of a family; `register`; `read`, the document at `path`.
 */
export const MODES = {
  floor: { server: 'floor', work: 'exchange', title: 'Fastify, a form, one ES256 signature and one record' },
  exchange: { server: 'ours', work: 'exchange', title: 'oauthRoutes, code exchange' },
  'exchange-sdk': { server: 'sdk', work: 'exchange', title: 'SDK mcpAuthRouter with ES256 by jose' },
  'exchange-oidc-provider': { server: 'oidcProvider', work: 'exchange', title: 'oidc-provider with JWTs and records in a Map' },
  'exchange-oauth2-server': { server: 'oauth2Server', work: 'exchange', title: '@node-oauth/oauth2-server with ES256 by node:crypto' },
  refresh: { server: 'ours', work: 'refresh', title: 'oauthRoutes, refresh' },
  'refresh-sdk': { server: 'sdk', work: 'refresh', title: 'SDK mcpAuthRouter' },
  'refresh-oidc-provider': { server: 'oidcProvider', work: 'refresh', title: 'oidc-provider' },
  'refresh-oauth2-server': { server: 'oauth2Server', work: 'refresh', title: '@node-oauth/oauth2-server' },
  document: { server: 'floor', work: 'read', path: '/document', title: 'Fastify, a text that is always the same' },
  metadata: { server: 'ours', work: 'read', path: '/.well-known/oauth-authorization-server', title: 'oauthRoutes, metadata' },
  'resource-metadata': {
    server: 'ours', work: 'read', path: '/.well-known/oauth-protected-resource/mcp', title: 'oauthRoutes, metadata of the resource'
  },
  register: { server: 'ours', work: 'register', title: 'oauthRoutes, registration' },
  'register-sdk': { server: 'sdk', work: 'register', title: 'SDK mcpAuthRouter, registration' }
}

/** The least that the rate of one mode may be of that of another. */
export const TARGETS = [
  ['exchange', 'floor', 0.7],
  ['refresh', 'floor', 0.7],
  ['metadata', 'document', 0.98],
  ['resource-metadata', 'document', 0.98],
  ['register', 'register-sdk', 4]
]
