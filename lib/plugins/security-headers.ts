import helmet from '@fastify/helmet'
import Fastify, { type FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { SecurityHeadersOptions } from '../../types/options.js'
import { assertOptions, schemas } from '../options.js'
import { carryHeaders } from './support/carry-headers.js'

const ONE_YEAR = 31_536_000

/**
 * Of helmet's headers those that mean something for data: a type that is never guessed, nothing that could be rendered
 * or framed if a browser opened the answer, and https from then on. The others are about documents; pages set theirs.
 */
const FROM_HELMET = ['x-content-type-options', 'content-security-policy', 'strict-transport-security']
const OURS = [{ name: 'cache-control', value: 'no-store' }, { name: 'x-robots-tag', value: 'noindex' }]

/** Asks helmet once: its answer is the same for every request, and costs as much as the request itself. */
async function decideHeaders (hstsMaxAge: number): Promise<ReadonlyArray<{ name: string, value: unknown }>> {
  const probe = Fastify()
  await probe.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: hstsMaxAge === 0 ? false : { maxAge: hstsMaxAge, includeSubDomains: true }
  })
  const { headers } = await probe.inject('/')
  await probe.close()
  const decided = FROM_HELMET.filter((name) => name in headers).map((name) => ({ name, value: headers[name] }))
  return [...OURS, ...decided]
}

const securityHeadersPlugin: FastifyPluginAsync<SecurityHeadersOptions> = async (fastify, options) => {
  assertOptions(schemas.securityHeaders, options, 'securityHeaders')
  const headers = await decideHeaders(options.hstsMaxAge ?? ONE_YEAR)

  fastify.addHook('onRequest', (_request, reply, done) => {
    for (const { name, value } of headers) reply.header(name, value)
    done()
  })
  carryHeaders(fastify)
}

/**
 * Sets the headers of a JSON and event-stream endpoint on every answer of its scope, also when the handler hijacks the
 * reply and writes to `reply.raw`: `nosniff`, `no-store`, `noindex`, a policy under which nothing renders, and HSTS
 * (TR-14, AS-M7). They are defaults: what a handler sets wins.
 *
 * Does not look at the URL by which the server is reached: set `hstsMaxAge` to 0 for one without https.
 */
export const securityHeaders = fp(securityHeadersPlugin, { name: 'mcp-security-security-headers', fastify: '5.x' })
export default securityHeaders
export type { SecurityHeadersOptions } from '../../types/options.js'
