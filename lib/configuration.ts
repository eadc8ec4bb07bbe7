import type { Static } from '@sinclair/typebox'
import { InvalidOptionError } from './errors.js'
import { assertOptions, configurationSchema } from './options.js'

/** Every option that is data; a host adds those that are code. */
export type Configuration = Static<typeof configurationSchema>

type Environment = Readonly<Record<string, string | undefined>>

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/**
 * Reads a configuration file: JSON in the shape of the umbrella's options, `${NAME}` in strings filled from
 * `environment`. A reference is filled after parsing, so that its value can not become structure.
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` for text that is not a JSON object, for a name that the
 * environment does not hold, and for an unknown or wrong member, each with its path. Values are never repeated.
 */
export function readConfiguration (text: string, environment: Environment): Configuration {
  const filled = fill(parse(text), environment, '')
  assertOptions(configurationSchema, filled)
  return filled
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidOptionError('options must be a JSON object')
  }
}

function fill (value: unknown, environment: Environment, path: string): unknown {
  const at = (key: string | number): string => path === '' ? String(key) : `${path}.${key}`
  if (typeof value === 'string') {
    return value.replace(REFERENCE, (_reference, name: string) => {
      const found = Object.hasOwn(environment, name) ? environment[name] : undefined
      if (found === undefined) throw new InvalidOptionError(`${path} names ${name}, which the environment does not hold`)
      return found
    })
  }
  if (Array.isArray(value)) return value.map((item, index) => fill(item, environment, at(index)))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, environment, at(key))]))
}
