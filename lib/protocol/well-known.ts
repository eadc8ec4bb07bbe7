const RESOURCE = '/.well-known/oauth-protected-resource'
const SERVER = '/.well-known/oauth-authorization-server'

/** Where the metadata of a resource is served (RFC 9728 §3.1, RS-2): with its path inserted, and at the root. */
export function resourceMetadataPaths (resource: string): string[] {
  return pathsFor(RESOURCE, resource)
}

/** Where the metadata of an issuer is served (RFC 8414 §3.1, AS-M3): with its path inserted, and at the root. */
export function serverMetadataPaths (issuer: string): string[] {
  return pathsFor(SERVER, issuer)
}

/** The URL that a challenge names. A query of the resource stays behind the inserted path (RFC 9728 §3.1). */
export function resourceMetadataUrl (resource: string): string {
  const { origin, search } = new URL(resource)
  return `${origin}${RESOURCE}${pathOf(resource)}${search}`
}

/** The path of a URL, empty when it is only the slash after the host. */
export function pathOf (url: string): string {
  const { pathname } = new URL(url)
  return pathname === '/' ? '' : pathname
}

function pathsFor (root: string, url: string): string[] {
  const path = pathOf(url)
  return path === '' ? [root] : [root + path, root]
}
