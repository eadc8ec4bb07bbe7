import type { ScopeModel } from '../../protocol/scopes.js'
import { InvalidOptionError } from '../../errors.js'

/**
 * What a client gets that asks for no scope, and what the first challenge names: `chosen`, or else every scope of the
 * catalogue that contains no other one.
 * @throws {InvalidOptionError} when `chosen` names a scope that is not in the catalogue.
 */
export function defaultScopesOf (model: ScopeModel, chosen?: readonly string[]): readonly string[] {
  if (chosen === undefined) return model.names.filter((name) => model.closure([name]).size === 1)
  const unknown = chosen.findIndex((name) => !model.has(name))
  if (unknown !== -1) throw new InvalidOptionError(`defaultScopes.${unknown} is not a scope of the catalogue`)
  return chosen
}
