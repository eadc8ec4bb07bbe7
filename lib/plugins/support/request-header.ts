import type { FastifyRequest } from 'fastify'

/** How many lines of a header a request has. `name` in lower case. */
export function countHeaderLines (request: FastifyRequest, name: string): number {
  const { rawHeaders } = request.raw
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === name) count += 1
  }
  return count
}

/**
 * Puts another value in the place of a request's header, or takes it away, wherever a handler may read it: frameworks
 * read `headers`, the transports of the MCP SDK `rawHeaders`. `name` in lower case. Adds no header that is not there.
 */
export function setRequestHeader (request: FastifyRequest, name: string, value: string | null): void {
  const { rawHeaders, headers } = request.raw
  if (headers[name] === undefined) return
  // Node makes it of the raw headers when it is first read, and counts on none of them being gone by then.
  const distinct: NodeJS.Dict<string[]> | undefined = request.raw.headersDistinct
  if (distinct !== undefined) {
    if (value === null) delete distinct[name]
    else distinct[name] = [value]
  }
  if (value === null) delete headers[name]
  else headers[name] = value
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    if (rawHeaders[at]?.toLowerCase() !== name) continue
    if (value === null) rawHeaders.splice(at, 2)
    else rawHeaders[at + 1] = value
  }
}
