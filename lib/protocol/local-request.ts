import { isLoopbackHost } from './issuer.js'
import { parseHost, parseOrigin } from './origin.js'

const LOOPBACK_ADDRESS = /^(?:(?:::ffff:)?127(?:\.\d{1,3}){3}|::1)$/i
const PORT = /:\d+$/
/** What proxies and tunnels add. */
const FORWARDED = new RegExp(`^(?:${[
  'forwarded', 'via', 'x-(?:original-)?forwarded(?:-.+)?', 'x-original-host', 'x-real-ip', 'cdn-loop', 'x-azure-clientip',
  'x-envoy-external-address', '(?:cf|do)-connecting-ip', '(?:true|x|x-cluster|fastly|fly)-client-ip'
].join('|')})$`)

/** How a request came. Addresses are those of its socket. */
export interface Arrival {
  readonly remoteAddress: string | undefined
  /** `undefined` for a request that came over no socket, as in a test of the host's. */
  readonly localAddress: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly httpVersion: string
}

/** Whether a socket's address is on the loopback interface (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
export function isLoopbackAddress (address: string): boolean {
  return LOOPBACK_ADDRESS.test(address)
}

const single = (value: string | string[] | undefined): string => typeof value === 'string' ? value : ''

function namesLoopback (host: string | null): boolean {
  return host !== null && isLoopbackHost(host.replace(PORT, ''))
}

/**
 * Why a request cannot be taken for one of somebody who sits at this machine, as a stable phrase; `null` when it can.
 * It has to come over the loopback interface, directly, and name a loopback host, so that neither a proxy nor a web
 * page by DNS rebinding or by a form of another site counts (TR-2, TR-3). A request over a Unix socket does not count:
 * nobody can tell who stands before it. Does *not* see a proxy or a tunnel that says nothing and names a loopback host.
 */
export function whyNotLocal ({ remoteAddress, localAddress, headers, httpVersion }: Arrival): string | null {
  if (remoteAddress === undefined || !isLoopbackAddress(remoteAddress)) return 'not from loopback'
  if (localAddress !== undefined && !isLoopbackAddress(localAddress)) return 'not from loopback'
  // A proxy that nobody told to say so (nginx as it comes) shows by speaking what no client speaks any more.
  if (httpVersion === '1.0' || Object.keys(headers).some((name) => FORWARDED.test(name))) return 'came through a proxy'
  if (!namesLoopback(parseHost(single(headers[':authority'] ?? headers.host)))) return 'names another host'
  const { origin } = headers
  if (origin === undefined) return headers['sec-fetch-site'] === 'cross-site' ? 'from another site' : null
  return namesLoopback(hostOf(parseOrigin(single(origin)))) ? null : 'from another site'
}

const hostOf = (origin: string | null): string | null => origin === null ? null : origin.slice(origin.indexOf('//') + 2)
