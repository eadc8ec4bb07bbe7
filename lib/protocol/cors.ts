const ALLOWED = [
  'authorization', 'content-type', 'accept', 'mcp-protocol-version', 'mcp-session-id', 'mcp-method', 'mcp-name',
  'last-event-id', 'dpop'
]
const PARAMETER = /^mcp-param-[a-z0-9-]+$/
const MAX_PARAMETERS = 100
const MAX_AGE = '7200'

type Headers = Readonly<Record<string, string>>

/** What scripts of every origin get to see of a document or an endpoint that reads no cookie (RS-8, AS-T13). */
export const PUBLIC_CORS: Headers = Object.freeze({
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'www-authenticate, dpop-nonce, retry-after'
})

export const PUBLIC_PREFLIGHT: Headers = Object.freeze({
  ...PUBLIC_CORS,
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers': 'authorization, content-type, accept, dpop, mcp-protocol-version',
  'access-control-max-age': MAX_AGE
})

/** What a listed origin gets to see of a guarded answer, refusals included. Never with cookies (TR-12). */
export function guardedCors (origin: string): Headers {
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'www-authenticate, mcp-session-id, dpop-nonce, mcp-protocol-version, retry-after'
  }
}

/** The answer to a preflight of a guarded route. `asked` is its `Access-Control-Request-Headers`. */
export function guardedPreflight (origin: string, asked = ''): Headers {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'POST, GET, DELETE, OPTIONS',
    'access-control-allow-headers': [...ALLOWED, ...parametersOf(asked)].join(', '),
    'access-control-max-age': MAX_AGE
  }
}

/** Names of tool parameters are the only ones that cannot be known before, so these are reflected. */
function parametersOf (asked: string): readonly string[] {
  const names = asked.toLowerCase().split(',').map((name) => name.trim())
  return [...new Set(names.filter((name) => PARAMETER.test(name)))].slice(0, MAX_PARAMETERS)
}
