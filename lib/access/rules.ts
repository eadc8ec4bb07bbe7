import type { Component, ComponentKind, ComponentRule, Servers, TagLimits } from '../../types/access.js'
import { isHeaderSuffix } from '../protocol/mcp-params.js'
import type { ScopeModel } from '../protocol/scopes.js'
import { isTagName } from '../protocol/tags.js'

interface Surroundings {
  /** Of the rule and its server. */
  readonly tags: ReadonlySet<string>
  readonly model: ScopeModel
  readonly limits: TagLimits
  readonly path: string
}

const KINDS: readonly ComponentKind[] = ['tool', 'prompt', 'resource', 'resourceTemplate']

/**
 * The component that a rule is for.
 * @throws {TypeError} when it names none or several; the message starts with `path`.
 */
export function componentOf (rule: ComponentRule, path: string): Component {
  const [named, ...more] = KINDS.flatMap((kind) => {
    const name = rule[kind]
    return name === undefined ? [] : [{ kind, name }]
  })
  if (named === undefined || more.length > 0) {
    throw new TypeError(`${path} must name exactly one of ${KINDS.join(', ')}`)
  }
  return named
}

/** @throws {TypeError} whose message starts with `servers.NAME.tags.0`. */
export function assertServers (servers: Servers, limits: TagLimits): void {
  for (const [name, { tags }] of Object.entries(servers)) assertTags(tags, limits, `servers.${name}.tags`)
}

/** @throws {TypeError} whose message starts with `path` and the position of the first name that is none. */
export function assertTags (tags: readonly string[], limits: TagLimits, path: string): void {
  const wrong = tags.findIndex((tag) => !isTagName(tag, limits))
  if (wrong !== -1) {
    throw new TypeError(`${path}.${wrong} must be 1 to ${limits.tagLength} letters, digits, _ and -`)
  }
}

/** @throws {TypeError} whose message starts with `path` and the position of the first scope that is none. */
export function assertScopes (scopes: readonly string[], model: ScopeModel, path: string): void {
  const unknown = scopes.findIndex((scope) => !model.names.includes(scope))
  if (unknown !== -1) throw new TypeError(`${path}.${unknown} is not a scope of the catalogue`)
}

/**
 * The tags of a rule, with those of its server.
 * @throws {TypeError} when `servers` does not have it.
 */
export function tagsOfRule (rule: ComponentRule, servers: Servers, path: string): ReadonlySet<string> {
  const { tags = [], server } = rule
  if (server === undefined) return new Set(tags)
  const backend = Object.hasOwn(servers, server) ? servers[server] : undefined
  if (backend === undefined) throw new TypeError(`${path}.server is not in servers`)
  return new Set([...tags, ...backend.tags])
}

/**
 * Checks what a rule asks for.
 * @throws {TypeError} whose message starts with the path of what is wrong.
 */
export function assertRule (rule: ComponentRule, { tags, model, limits, path }: Surroundings): void {
  const { scopes, anyScope, assurance, destructive = false } = rule
  assertScopes(scopes ?? [], model, `${path}.scopes`)
  assertScopes(anyScope ?? [], model, `${path}.anyScope`)
  assertTags(rule.tags ?? [], limits, `${path}.tags`)
  for (const member of ['anyScope', 'roles'] as const) assertSome(rule[member], `${path}.${member}`)
  if (assurance !== undefined) assertAssurance(assurance, `${path}.assurance`)
  assertHeaders(rule, `${path}.headers`)
  if (scopes !== undefined || anyScope !== undefined) return
  if (destructive) throw new TypeError(`${path} must have scopes or anyScope: it is destructive, so no tag opens it`)
  if (tags.size === 0) throw new TypeError(`${path} must have scopes, anyScope or tags: nothing opens it`)
}

function assertHeaders ({ tool, headers }: ComponentRule, path: string): void {
  if (headers === undefined) return
  if (tool === undefined) throw new TypeError(`${path} cannot be given but for a tool: nothing else mirrors arguments`)
  const names = Object.keys(headers)
  const wrong = names.find((name) => !isHeaderSuffix(name))
  if (wrong !== undefined) throw new TypeError(`${path}.${wrong} must be what may stand behind Mcp-Param- in a header`)
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) {
    throw new TypeError(`${path} must not name one header twice`)
  }
}

function assertAssurance (assurance: NonNullable<ComponentRule['assurance']>, path: string): void {
  const { maxAge, acr, amr } = assurance
  if (maxAge === undefined && acr === undefined && amr === undefined) {
    throw new TypeError(`${path} must have maxAge, acr or amr`)
  }
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge >= 0)) {
    throw new TypeError(`${path}.maxAge must be a whole number of seconds, 0 or more`)
  }
  assertSome(acr, `${path}.acr`)
  assertSome(amr, `${path}.amr`)
}

/** An empty list of which one is needed lets nobody in; one of which all are needed does nothing. */
function assertSome (list: readonly string[] | undefined, path: string): void {
  if (list?.length === 0) throw new TypeError(`${path} must not be empty`)
}
