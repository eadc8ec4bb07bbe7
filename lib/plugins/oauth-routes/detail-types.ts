import { Kind } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { AuthorizationDetail } from '../../../types/oauth.js'
import type { OAuthRoutesOptions } from '../../../types/oauth-options.js'
import { InvalidOptionError } from '../../errors.js'
import type { IsKnownDetail } from '../../protocol/authorization-details.js'

/** Code points of a line on the consent page. */
const MAX_LINE = 300

/** The types of authorization details that a host has declared. */
export interface DetailTypes {
  /** For the metadata. */
  readonly names: readonly string[]
  readonly isKnown: IsKnownDetail
  /** The line for the consent page, as the host words it: the page makes it harmless. */
  describe (detail: AuthorizationDetail): string
}

/** Whether every object in a schema is closed, however deep. */
function isClosed (schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return true
  if (Kind in schema && schema[Kind] === 'Object' && Reflect.get(schema, 'additionalProperties') !== false) return false
  return Object.values(schema).every(isClosed)
}

/**
 * A detail whose line on the page would have to be cut is none that is known: nobody could have read it.
 * @throws {InvalidOptionError} for a schema that is no closed TypeBox object, or has an open one in it: whatever it did
 * not name would be granted without anybody having read it.
 */
export function buildDetailTypes ({ authorizationDetails = {} }: OAuthRoutesOptions): DetailTypes {
  const types = new Map(Object.entries(authorizationDetails))
  for (const [name, { schema }] of types) {
    if (schema[Kind] !== 'Object' || !isClosed(schema)) {
      throw new InvalidOptionError(
        `authorizationDetails.${name}.schema must be a TypeBox object, and it and all in it with additionalProperties false`)
    }
  }
  return {
    names: [...types.keys()],
    isKnown ({ type, ...detail }) {
      const known = types.get(type)
      return known !== undefined && Value.Check(known.schema, detail) && [...known.describe(detail)].length <= MAX_LINE
    },
    describe (detail) {
      const { type, ...members } = detail
      return types.get(type)?.describe(members) ?? type
    }
  }
}
