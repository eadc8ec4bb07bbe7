import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { Agent, createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { LookupAll, PublicFetchOptions } from '../../lib/tokens/public-fetch.js'
import type { Teardown } from './build-app.js'
import { makeCertificate } from './tls.js'

export const NAME = 'client.example'
export const certificate = makeCertificate([NAME, 'localhost'])

/** Answers these addresses for every name, the next ones at the next time; tells how often it was asked. */
export function resolver (...answers: ReadonlyArray<readonly string[]>): LookupAll & { asked: () => number } {
  let asked = 0
  const lookup: LookupAll = (_hostname, _options, callback) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? []
    asked += 1
    callback(null, addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))
  }
  return Object.assign(lookup, { asked: () => asked })
}

export const json = (body: unknown, headers = {}): RequestListener => (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export interface DocumentServer {
  url (path?: string): URL
  /** Reaches it, although it is on loopback. */
  readonly options: PublicFetchOptions & { readonly agent: Agent }
  /** The paths that were asked for. */
  readonly seen: string[]
  answer (listener: RequestListener): void
}

/** A web server with TLS under the name of somebody else. */
export async function serveDocuments (t: Teardown, listener: RequestListener, name = NAME): Promise<DocumentServer> {
  const { key, cert } = await certificate
  const seen: string[] = []
  let current = listener
  const server = createServer({ key, cert }, (request, response) => {
    seen.push(request.url ?? '')
    current(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: (path = '/client.json') => new URL(`https://${name}:${port}${path}`),
    options: {
      agent: new Agent({ ca: cert }), lookup: resolver(['127.0.0.1']), isAllowed: (address) => address === '127.0.0.1'
    },
    seen,
    answer (next) { current = next }
  }
}
