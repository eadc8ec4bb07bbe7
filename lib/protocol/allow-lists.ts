import { isLoopbackHost } from './issuer.js'
import { parseHost, parseOrigin } from './origin.js'

/** Where the server is, by the operator's configuration. */
export interface OwnAddresses {
  readonly issuer: string
  readonly resource: string
}

function parseList (path: string, texts: readonly string[], parse: (text: string) => string | null, form: string) {
  return texts.map((text, index) => {
    const parsed = parse(text)
    if (parsed === null) throw new TypeError(`${path}.${index} must be ${form}`)
    return parsed
  })
}

/**
 * The web origins that may call the MCP endpoint: those of the list, and the server's own. TR-1 refuses by it, TR-12
 * answers by it.
 * @throws {TypeError} whose message starts with the path of the wrong entry.
 */
export function buildOriginList (origins: readonly string[], own?: OwnAddresses): ReadonlySet<string> {
  const ownOrigins = own === undefined ? [] : [new URL(own.issuer).origin, new URL(own.resource).origin]
  return new Set([...ownOrigins, ...parseList('origins', origins, parseOrigin, 'scheme://host[:port]')])
}

/** Whether a browser that sends this `Origin` may call. Compares parsed origins as a whole, never a part (TR-1). */
export function isListedOrigin (origins: ReadonlySet<string>, text: string): boolean {
  if (origins.has(text)) return true
  const origin = parseOrigin(text)
  return origin !== null && origins.has(origin)
}

const PORT = /:\d+$/
const MAX_REMEMBERED = 100

/**
 * Answers whether a `Host` is ours: that of the issuer, that of the resource, or one of the list (TR-2). When issuer
 * or resource is on loopback, so are all loopback names, at any port: a rebound name is never one of them.
 * @throws {TypeError} whose message starts with the path of the wrong entry.
 */
export function buildHostCheck (hosts: readonly string[], own: OwnAddresses): (text: string) => boolean {
  const urls = [new URL(own.issuer), new URL(own.resource)]
  const onLoopback = urls.some(({ hostname }) => isLoopbackHost(hostname))
  const known = new Set([
    ...parseList('hosts', hosts, parseHost, 'host[:port]'),
    ...parseList('own', urls.map(({ host }) => host), parseHost, 'host[:port]')
  ])
  // Spellings that were found to be ours.
  const remembered = new Set(known)

  return (text) => {
    if (remembered.has(text)) return true
    const host = parseHost(text)
    if (host === null) return false
    const ours = known.has(host) || (onLoopback && isLoopbackHost(host.replace(PORT, '')))
    if (ours && remembered.size < known.size + MAX_REMEMBERED) remembered.add(text)
    return ours
  }
}

/**
 * The hosts that a request names: its `Host` line, `:authority` of HTTP/2 and the target in absolute form. `null` when
 * it names none, repeats the line or has a target that is neither a path nor an http URL (RFC 9112 §3.2).
 */
export function readHosts (rawHeaders: readonly string[], target: string): readonly string[] | null {
  let host: string | undefined
  let authority: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name === ':authority') authority = rawHeaders[index + 1]
    if (name?.length !== 4 || name.toLowerCase() !== 'host') continue
    if (host !== undefined) return null
    host = rawHeaders[index + 1]
  }
  const named = host === undefined ? [] : [host]
  if (authority !== undefined) named.push(authority)
  if (named.length === 0) return null
  return target.startsWith('/') ? named : withTarget(named, target)
}

function withTarget (named: readonly string[], target: string): readonly string[] | null {
  if (target === '*') return named
  const match = /^https?:\/\/([^/?#]*)/i.exec(target)
  return match?.[1] === undefined ? null : [...named, match[1]]
}
