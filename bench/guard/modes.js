/** Of a web page that may call. */
export const ORIGIN = 'https://app.example.com'

/**
 * What is measured, in this order in every round. `server` is a function of apps.js or peers.js, shared by the modes
 * that name it; `tokens`, of which kind all are sent in turn; `headers`, what is sent besides or, with `null`, not;
 * `refused`, that every answer has to be a refusal instead of 200.
 */
export const MODES = {
  bare: { server: 'bare', title: 'Fastify, the bare route' },
  guarded: { server: 'guarded', title: 'scopeGuard, token remembered' },
  umbrella: { server: 'umbrella', title: 'mcpSecurity without audit' },
  'umbrella-origin': { server: 'umbrella', headers: { origin: ORIGIN }, title: 'the same, asked by a web page' },
  'umbrella-audit-file': { server: 'audited', title: 'mcpSecurity, each event to a file' },
  'many-tokens': { server: 'guardedMany', count: 100_000, tokens: 'good', title: 'scopeGuard, 100 000 live tokens in turn' },
  'verify-each': { server: 'verifyEach', count: 5000, tokens: 'good', title: 'Fastify, one node:crypto verify a request' },
  'first-seen': { server: 'forgetful', count: 5000, tokens: 'good', title: 'scopeGuard, every token one not seen before' },
  'forged-token': { server: 'forgetful', count: 5000, tokens: 'forged', refused: true, title: 'scopeGuard, every signature forged' },
  'forged-flood': { server: 'limited', count: 5000, tokens: 'forged', refused: true, title: 'the same behind the limits of mcpSecurity' },
  'no-token': { server: 'guarded', headers: { authorization: null }, refused: true, title: 'scopeGuard, no token' },
  'malformed-token': { server: 'guarded', headers: { authorization: 'Bearer not one token' }, refused: true, title: 'scopeGuard, no token by its grammar' },
  'exact-string': { server: 'exactString', title: 'Fastify, tokens in a Map and nothing else' },
  'fastify-jwt': { server: 'fastifyJwt', title: '@fastify/jwt with its cache' },
  'usual-plugins': { server: 'usualPlugins', title: '@fastify/helmet, cors and rate-limit, no tokens' },
  'express-memory': { server: 'expressMemory', title: 'SDK requireBearerAuth on Express, tokens in a Map' },
  'express-jose': { server: 'expressJose', title: 'SDK requireBearerAuth on Express, ES256 by jose' }
}

/** The least that the rate of one mode may be of that of another. */
export const TARGETS = [
  ['guarded', 'bare', 0.92],
  ['umbrella', 'bare', 0.75],
  ['umbrella-origin', 'bare', 0.75],
  ['umbrella-audit-file', 'bare', 0.65],
  ['first-seen', 'verify-each', 0.95],
  ['no-token', 'guarded', 1],
  ['malformed-token', 'guarded', 1],
  ['forged-token', 'verify-each', 0.95],
  ['many-tokens', 'guarded', 1 / 1.1],
  ['guarded', 'express-memory', 4],
  ['guarded', 'express-jose', 4]
]
