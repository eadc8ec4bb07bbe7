import type { ScopeCatalogue, ScopeDefinition, TagLimits } from '../../types/access.js'
import { OAuthError } from './oauth-error.js'
import { isTagScope, tagOfScope, whyTooManyTags } from './tags.js'

// RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const SCOPE_TOKEN = /^[!#-[\]-~]{1,100}$/

/** At most so many scopes in one request, registration or catalogue. */
const MAX_SCOPES = 100
const MAX_LENGTH = MAX_SCOPES * 101

/** Whether this is one scope by the grammar of RFC 6749 §3.3, of at most 100 characters. */
export function isScopeToken (text: string): boolean {
  return SCOPE_TOKEN.test(text)
}

/**
 * Reads a `scope` parameter: tokens separated by single spaces, repeats dropped, order kept. Absent or empty is no
 * scope at all. At most 100 scopes of at most 100 characters. With `limits` every scope that begins with `tag:` has to
 * name a tag, and they and their number are held to the limits; whether such a tag exists is not looked up.
 * @throws {OAuthError} `invalid_scope`
 */
export function readScope (text: string | undefined, limits?: TagLimits): string[] {
  if (text === undefined || text === '') return []
  if (text.length > MAX_LENGTH) throw refusal('too many scopes')
  const tokens = text.split(' ', MAX_SCOPES + 1)
  if (tokens.length > MAX_SCOPES) throw refusal('too many scopes')
  if (!tokens.every(isScopeToken)) throw refusal('scope must be scope tokens with single spaces between them')
  if (limits !== undefined) assertTagLimits(tokens, limits)
  return [...new Set(tokens)]
}

function assertTagLimits (tokens: readonly string[], limits: TagLimits): void {
  if (tokens.some((token) => token.length > limits.scopeLength)) throw refusal('a scope is too long')
  const why = whyTooManyTags(tokens.filter(isTagScope).map((token) => tagOfScope(token) ?? ''), limits)
  if (why !== null) throw refusal(why)
}

/** The catalogue and the tags that exist, ready to be asked. Every answer is by whole, case-sensitive names (RS-25). */
export interface ScopeModel {
  /** Those of the catalogue, in its order. */
  readonly names: readonly string[]
  has (scope: string): boolean
  /** The scope in words; the scope itself when the catalogue does not know it. */
  title (scope: string): string
  description (scope: string): string | undefined
  /** These scopes and everything they imply. A scope that is not in the catalogue opens nothing and is left out. */
  closure (scopes: readonly string[]): ReadonlySet<string>
  /** The required scopes that the granted ones neither are nor imply, in the order of `required` (RS-23). */
  missing (granted: readonly string[], required: readonly string[]): readonly string[]
  /** Those of these scopes that the catalogue knows, without repeats, in their order. */
  known (scopes: readonly string[]): string[]
}

const NONE: readonly string[] = Object.freeze([])

const NO_TAGS = (): ReadonlySet<string> => new Set()

/**
 * Checks a catalogue and works out once what each scope contains. `liveTags` answers the tags that exist at the moment:
 * the scope `tag:NAME` of each is known as long as it does, has a title, and contains nothing but itself. `names` holds
 * the catalogue alone.
 * @throws {TypeError} whose message starts with the path of what is wrong: `scopes.NAME.implies[0] ...`.
 */
export function buildScopeModel (catalogue: ScopeCatalogue, liveTags = NO_TAGS): ScopeModel {
  const definitions = readDefinitions(catalogue)
  const closures = new Map([...definitions.keys()].map((name) => [name, closureOf(name, definitions)]))

  const liveTag = (scope: string): string | null => {
    const tag = tagOfScope(scope)
    return tag !== null && liveTags().has(tag) ? tag : null
  }
  const has = (scope: string): boolean => definitions.has(scope) || liveTag(scope) !== null
  const closureOfOne = (scope: string): Iterable<string> =>
    closures.get(scope) ?? (liveTag(scope) === null ? NONE : [scope])

  const opens = (granted: readonly string[], scope: string): boolean => {
    for (const grant of granted) {
      if (closures.get(grant)?.has(scope) === true) return true
    }
    return granted.includes(scope) && liveTag(scope) !== null
  }

  return {
    names: Object.freeze([...definitions.keys()]),
    has,
    title: (scope) => definitions.get(scope)?.title ?? titleOfTag(liveTag(scope)) ?? scope,
    description: (scope) => definitions.get(scope)?.description,
    closure: (scopes) => new Set(scopes.flatMap((scope) => [...closureOfOne(scope)])),
    missing: (granted, required) => {
      for (const scope of required) {
        if (!opens(granted, scope)) return required.filter((other) => !opens(granted, other))
      }
      return NONE
    },
    known: (scopes) => [...new Set(scopes)].filter(has)
  }
}

const titleOfTag = (tag: string | null): string | null => tag === null ? null : `Use everything tagged \u201c${tag}\u201d`

function readDefinitions (catalogue: ScopeCatalogue): Map<string, ScopeDefinition> {
  const entries = Object.entries(catalogue)
  if (entries.length === 0) throw new TypeError('scopes must name at least one scope')
  if (entries.length > MAX_SCOPES) throw new TypeError(`scopes must name at most ${MAX_SCOPES} scopes`)
  return new Map(entries.map(([name, entry]) => {
    assertName(name)
    const definition = typeof entry === 'string' ? { title: entry } : entry
    if (definition.title.trim() === '') throw new TypeError(`scopes.${name} must have a title`)
    return [name, definition]
  }))
}

function assertName (name: string): void {
  // An equals sign inside a challenge misleads the parsers of both SDKs (requirements 4.5).
  if (!isScopeToken(name) || name.includes('=')) {
    throw new TypeError(`scopes[${JSON.stringify(name)}] must be named with 1 to 100 visible ASCII characters other than " \\ =`)
  }
  if (tagOfScope(name) !== null) {
    throw new TypeError(`scopes.${name} is reserved: the tags of components make such scopes`)
  }
  if (name === 'offline_access') {
    throw new TypeError('scopes.offline_access is reserved: a client gets refresh tokens by registering that grant type')
  }
}

function closureOf (name: string, definitions: ReadonlyMap<string, ScopeDefinition>): ReadonlySet<string> {
  const closure = new Set<string>()
  const visit = (scope: string, path: readonly string[]): void => {
    if (path.includes(scope)) {
      throw new TypeError(`scopes.${name}.implies runs in a circle: ${[...path, scope].join(' > ')}`)
    }
    if (closure.has(scope)) return
    const implied = definitions.get(scope)?.implies ?? NONE
    implied.forEach((next, index) => {
      if (!definitions.has(next)) {
        throw new TypeError(`scopes.${scope}.implies[${index}] names ${JSON.stringify(next)}, which scopes does not have`)
      }
      visit(next, [...path, scope])
    })
    closure.add(scope)
  }
  visit(name, NONE)
  return closure
}

function refusal (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_scope', description })
}
