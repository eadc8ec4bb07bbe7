import { Kind } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { AuthorizationDetail } from '../../../types/oauth.js'
import type { OAuthRoutesOptions } from '../../../types/oauth-options.js'
import { InvalidOptionError } from '../../errors.js'
import type { IsKnownDetail } from '../../protocol/authorization-details.js'

/** The types of authorization details that a host has declared. */
export interface DetailTypes {
  /** For the metadata. */
  readonly names: readonly string[]
  readonly isKnown: IsKnownDetail
  /** The line for the consent page, as the host words it: the page makes it harmless. */
  describe (detail: AuthorizationDetail): string
}

/**
 * @throws {InvalidOptionError} for a schema that is no closed TypeBox object: whatever it did not name would be granted
 * without anybody having read it.
 */
export function buildDetailTypes ({ authorizationDetails = {} }: OAuthRoutesOptions): DetailTypes {
  const types = new Map(Object.entries(authorizationDetails))
  for (const [name, { schema }] of types) {
    if (schema[Kind] !== 'Object' || schema['additionalProperties'] !== false) {
      throw new InvalidOptionError(
        `authorizationDetails.${name}.schema must be a TypeBox object with additionalProperties false`)
    }
  }
  return {
    names: [...types.keys()],
    isKnown ({ type, ...detail }) {
      const known = types.get(type)
      return known !== undefined && Value.Check(known.schema, detail)
    },
    describe (detail) {
      const { type, ...members } = detail
      return types.get(type)?.describe(members) ?? type
    }
  }
}
