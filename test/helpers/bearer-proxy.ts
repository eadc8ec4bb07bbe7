import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Teardown {
  teardown (close: () => unknown): void
}

/**
 * A proxy on a port of its own that adds the token to each request and changes nothing else: header lines, `Host` and
 * `Origin` included, go on as they came. Answers its origin. For clients that cannot send a token.
 */
export async function startBearerProxy (t: Teardown, input: { origin: string, token: string }): Promise<string> {
  const { hostname, port } = new URL(input.origin)

  function forward (incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = 'GET', url = '/', rawHeaders } = incoming
    const headers = [...rawHeaders, 'Authorization', `Bearer ${input.token}`]
    const outgoing = send({ hostname, port, method, path: url, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.rawHeaders)
      response.pipe(answer)
    })
    outgoing.on('error', () => { answer.destroy() })
    // Whoever leaves, the other is told.
    answer.on('close', () => { outgoing.destroy() })
    incoming.pipe(outgoing)
  }

  const server = createServer(forward).listen(0, '127.0.0.1')
  t.teardown(() => { server.close(); server.closeAllConnections() })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
