import { decodeLoosely, isNormalText, looseSpellings, readUri } from '../protocol/component-uri.js'
import { readUriTemplate, type UriTemplate } from '../protocol/uri-template.js'
import type { Demand } from './demand.js'

/** Which demands a resource has to meet. */
export interface Resources {
  /** Those of every rule that matches a reading of the URI; none when no rule matches it as written. */
  ofUri (uri: string): readonly Demand[]
  /** That of the rule whose template has this very text. */
  ofTemplate (text: string): readonly Demand[]
  addUri (uri: string, demand: Demand): void
  addTemplate (text: string, demand: Demand): void
}

interface Reading {
  readonly exact: Map<string, readonly Demand[]>
  readonly templates: { readonly template: UriTemplate, readonly demand: Demand }[]
}

const MARK = /[?#]/

const NONE: readonly Demand[] = Object.freeze([])

const emptyReading = (): Reading => ({ exact: new Map(), templates: [] })

function add ({ exact }: Reading, uri: string, demand: Demand): void {
  exact.set(uri, [...exact.get(uri) ?? NONE, demand])
}

const matching = ({ templates }: Reading, uri: string): Reading['templates'] =>
  templates.filter(({ template }) => template.matches(uri))

const find = (reading: Reading, uri: string): readonly Demand[] =>
  [...reading.exact.get(uri) ?? NONE, ...matching(reading, uri).map(({ demand }) => demand)]

/** Whether a `{+name}` took a query or fragment for a part of the name. */
const swallows = ({ template }: Reading['templates'][number]): boolean => !MARK.test(template.text)

/**
 * The rules for resources. A URI is read as it is written, and as a handler may take it that decodes it, folds the case
 * of its authority, or counts slashes as a file system does; where a rule matches whatever its query or fragment is,
 * also without them. Whatever rule matches one of the readings has to be met.
 */
export function buildResources (): Resources {
  const written = emptyReading()
  const loose = emptyReading()
  const byText = new Map<string, readonly Demand[]>()

  return {
    ofUri (uri) {
      const readings = readUri(uri)
      if (readings === null) return NONE
      const found = find(written, readings.written)
      if (found.length === 0) return NONE
      const { decoded, bare } = readings
      const isSwallowed = bare.length > 0 && matching(written, uri).some(swallows)
      const others = (isSwallowed ? [...decoded, ...bare] : decoded).flatMap((text) => find(loose, text))
      return [...new Set([...found, ...others])]
    },
    ofTemplate: (text) => byText.get(text) ?? NONE,
    addUri (uri, demand) {
      const readings = readUri(uri)
      if (readings === null) throw new TypeError('must be an absolute URI in normal form')
      add(written, readings.written, demand)
      for (const text of readings.decoded) add(loose, text, demand)
    },
    addTemplate (text, demand) {
      const template = readUriTemplate(text)
      if (!isNormalText(template.sample)) throw new TypeError('must begin with a scheme and be in normal form')
      written.templates.push({ template, demand })
      for (const spelling of looseSpellings(text)) {
        loose.templates.push({ template: readUriTemplate(spelling, decodeLoosely), demand })
      }
      byText.set(text, [demand])
    }
  }
}
