import { Kind, type Static, type TSchema } from '@sinclair/typebox'
import { Value, type ValueError } from '@sinclair/typebox/value'
import { InvalidOptionError } from './errors.js'

/** Of a union's errors the one that got farthest says most. */
function deepest (error: ValueError): ValueError {
  const inner = error.errors.flatMap((errors) => [...errors]).map(deepest)
  return inner.reduce((best, next) => next.path.length > best.path.length ? next : best, error)
}

function sentence (error: ValueError, at: string): string {
  const path = [...(at === '' ? [] : [at]), ...error.path.split('/').slice(1).map(unescapePointer)].join('.')
  const subject = path === '' ? 'options' : path
  if (error.message === 'Unexpected property') return `${subject} is not an option`
  if (error.message === 'Expected required property') return `${subject} is required`
  if (error.schema[Kind] === 'Never') return `${subject} cannot be given here`
  return `${subject} must be ${error.message.replace(/^Expected (kind )?/, '').replace(' to be ', ' ')}`
}

const unescapePointer = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')

/**
 * Holds options against their schema. Members that are `undefined` count as left out.
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION`; the message starts with the path of the first wrong member.
 */
export function assertOptions<T extends TSchema> (schema: T, options: unknown, at = ''): asserts options is Static<T> {
  const error = Value.Errors(schema, withoutUndefined(options)).First()
  if (error !== undefined) throw new InvalidOptionError(sentence(deepest(error), at))
}

function withoutUndefined (options: unknown): unknown {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
