import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from 'node:dns'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from '../protocol/public-address.js'

/** Why there is no document: one of a few phrases of our own, for the audit event. Never for whoever chose the URL. */
export class PublicFetchError extends Error {
  readonly reason: string

  constructor (reason: string, cause?: unknown) {
    super(`a document of somebody else: ${reason}`, { cause })
    this.name = 'PublicFetchError'
    this.reason = reason
  }
}

/** All addresses of a name, as `dns.lookup` answers them. */
export type LookupAll = (
  hostname: string, options: LookupAllOptions, callback: (error: Error | null, addresses?: LookupAddress[]) => void
) => void

export interface PublicFetchOptions {
  /** The host's own way out, an egress proxy for instance: which addresses it connects to is then its own affair. */
  readonly agent?: Agent
  /** Resolves names. Default: the system's. */
  readonly lookup?: LookupAll
  /** Which addresses may be connected to. Default: public ones. */
  readonly isAllowed?: (address: string) => boolean
  /** For all of it, from the look-up of the name to the last byte. Default 5000. */
  readonly timeoutMs?: number
  /** Default 5120. */
  readonly maxBytes?: number
}

export interface PublicDocument {
  readonly document: unknown
  /** The header's text, empty when there is none. */
  readonly cacheControl: string
}

const JSON_TYPE = /^application\/(?:[a-z0-9.!#$&^_-]+\+)?json *(?:;|$)/i
const HEADERS = { accept: 'application/json', 'accept-encoding': 'identity' }

/**
 * Fetches a JSON document from a URL that somebody else chose (PX-10 to PX-13): https on port 443 or a port above
 * 1023; every address of the name is checked, and the connection goes to one of those that were checked, so that no
 * second look-up can lead elsewhere; no redirects, no credentials, no compression, status 200 and a JSON type only,
 * and no byte more than the bound.
 *
 * Does *not* hide how long it took. With `agent` the addresses are not checked.
 *
 * @throws {PublicFetchError}
 */
export async function fetchPublicJson (url: URL, options: PublicFetchOptions = {}): Promise<PublicDocument> {
  const { timeoutMs = 5000, maxBytes = 5120 } = options
  assertTarget(url, options)
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await ask(url, options, signal)
    return { document: await readJson(response, maxBytes), cacheControl: response.headers['cache-control'] ?? '' }
  } catch (error) {
    if (error instanceof PublicFetchError) throw error
    throw new PublicFetchError(signal.aborted ? 'too slow' : 'no answer', error)
  }
}

function assertTarget ({ protocol, hostname, port, username, password }: URL, options: PublicFetchOptions): void {
  if (protocol !== 'https:' || username !== '' || password !== '') throw new PublicFetchError('not an https URL')
  // Below are the ports of services that are no web servers.
  if (port !== '' && Number(port) < 1024) throw new PublicFetchError('a port that is not served')
  const address = hostname.replace(/^\[|\]$/g, '')
  // A name is checked when it is resolved; an address is never resolved.
  if (isIP(address) !== 0 && !isAllowedBy(options)(address)) throw new PublicFetchError('an address that is not public')
}

const isAllowedBy = ({ isAllowed = isPublicAddress }: PublicFetchOptions) => isAllowed

async function ask (url: URL, options: PublicFetchOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { agent = new Agent({ keepAlive: false }) } = options
  const lookup = checkedLookup(options)
  return await new Promise((resolve, reject) => {
    const closed = (): void => { reject(new PublicFetchError('no answer')) }
    // An answer that switches protocols is neither a response nor an error: nothing but the end is heard of it.
    request(url, { agent, headers: HEADERS, signal, lookup }).on('response', resolve).on('error', reject).on('close', closed).end()
  })
}

/** Answers only addresses that may be connected to: all of a name's, or none. */
function checkedLookup (options: PublicFetchOptions): LookupFunction {
  const { lookup = systemLookup } = options
  const isAllowed = isAllowedBy(options)
  return (hostname, how, callback) => {
    // The system's answers nothing but the error.
    lookup(hostname, { ...how, all: true }, (error, addresses = []) => {
      const [first] = addresses
      if (error !== null || first === undefined) {
        callback(error ?? new PublicFetchError('no address'), [])
      } else if (!addresses.every(({ address }) => isAllowed(address))) {
        callback(new PublicFetchError('an address that is not public'), [])
      } else if (how.all === true) {
        callback(null, addresses)
      } else {
        callback(null, first.address, first.family)
      }
    })
  }
}

async function readJson (response: IncomingMessage, maxBytes: number): Promise<unknown> {
  try {
    assertReadable(response)
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of response) {
      size += chunk.length
      if (size > maxBytes) throw new PublicFetchError('too large')
      chunks.push(chunk)
    }
    return parse(Buffer.concat(chunks))
  } finally {
    response.destroy()
  }
}

function assertReadable ({ statusCode, headers }: IncomingMessage): void {
  if (statusCode !== 200) throw new PublicFetchError('a status other than 200')
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) throw new PublicFetchError('not of a JSON type')
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new PublicFetchError('compressed')
}

function parse (bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // The parser's own message repeats what it could not read.
    throw new PublicFetchError('not JSON')
  }
}
