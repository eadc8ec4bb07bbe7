import { Type } from '@sinclair/typebox'
import type { RouteOptions } from 'fastify'
import { InvalidOptionError } from '../../errors.js'
import { assertOptions } from '../../options.js'
import type { ScopeModel } from '../../protocol/scopes.js'

const schema = Type.Object({
  public: Type.Optional(Type.Boolean()),
  reportOnly: Type.Optional(Type.Boolean()),
  scopes: Type.Optional(Type.Array(Type.String()))
}, { additionalProperties: false })

export const methodsOf = (route: RouteOptions): readonly string[] => [route.method].flat()

/**
 * Checks what a route says about itself in `config.mcpSecurity`, at boot.
 * @throws {InvalidOptionError} for an unknown member, an unknown scope, or scopes or `reportOnly` of a public route.
 */
export function assertRouteSecurity (route: RouteOptions, model: ScopeModel): void {
  const security: unknown = route.config?.mcpSecurity
  if (security === undefined) return
  const at = `${methodsOf(route).join(', ')} ${route.url}: config.mcpSecurity`
  assertOptions(schema, security, at)
  const { public: open = false, scopes = [], reportOnly } = security
  if (open && reportOnly !== undefined) {
    throw new InvalidOptionError(`${at}.reportOnly cannot be given for a public route: nothing is denied there`)
  }
  if (open && scopes.length > 0) throw new InvalidOptionError(`${at}.scopes cannot be given for a public route`)
  const unknown = scopes.findIndex((scope) => !model.has(scope))
  if (unknown !== -1) throw new InvalidOptionError(`${at}.scopes.${unknown} is not a scope of the catalogue`)
}
