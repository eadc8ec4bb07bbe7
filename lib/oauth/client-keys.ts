import type { KeyObject } from 'node:crypto'
import { sha256 } from '../crypto/digest.js'
import { readPublishedKeys } from '../protocol/client-key-members.js'
import { InvalidTokenError, VerifierUnavailableError } from '../tokens/errors.js'
import {
  createKeySource, createLookup, keyOf, KEY_TIMES, readKeySet, type KeySource, type Lookup, type WantedKey
} from '../tokens/key-source.js'
import { fetchPublicJson, type PublicFetchOptions } from '../tokens/public-fetch.js'
import type { Client, PublicKeySet } from '../../types/oauth.js'
import { isOperatorsClient } from './client-scopes.js'

export interface ClientKeys {
  /**
   * The public key that the client registered under this name, or its only one that fits.
   * @throws {InvalidTokenError} when it has none, several, or one that cannot be used.
   * @throws {VerifierUnavailableError} when its keys cannot be had now.
   */
  find (client: Client, wanted: WantedKey, now: number): Promise<KeyObject>
  /**
   * Answers when a certificate (DER, base64) is the first `x5c` of one of the client's keys (RFC 8705 §2.2).
   * @throws {InvalidTokenError} when it is of none.
   * @throws {VerifierUnavailableError}
   */
  findCertificate (client: Client, certificate: string, now: number): Promise<void>
}

const MAX_BYTES = 65_536
/** Key sets kept; the one that was not asked for the longest goes first. */
const MAX_SOURCES = 1000
const MAX_FETCHING = 50
const OVERLOAD = 'too many keys of clients at once'

const FOUND = true
const NO_KEYS = { keys: [] }

/**
 * The keys of clients (PX-17, AS-R6): those they registered, or those at their `jwks_uri`, fetched as documents of
 * somebody else are, one fetch of each at a time, kept for ten minutes (for an hour more while no newer ones can be
 * had), and fetched again for a name that is not among them, but no more than once in ten seconds. Those of the
 * operator's clients have places of their own, which strangers who register cannot take.
 */
export function createClientKeys (options: PublicFetchOptions): ClientKeys {
  const [ofOperator, ofOthers] = [createFetchedKeys(options), createFetchedKeys(options)]
  const fetchedFor = (client: Client): FetchedKeys => isOperatorsClient(client) ? ofOperator : ofOthers

  return {
    async find (client, wanted, now) {
      const { jwks = NO_KEYS, jwks_uri: uri } = client.metadata
      if (uri !== undefined) return await fetchedFor(client).keysAt(uri).find(wanted, now)
      return found(await keyOf(readKeySet(jwks), wanted))
    },

    async findCertificate (client, certificate, now) {
      const { jwks = NO_KEYS, jwks_uri: uri } = client.metadata
      if (uri !== undefined) await fetchedFor(client).certificatesAt(uri).find(certificate, now)
      else found(readCertificates(jwks).has(certificate) ? FOUND : null)
    }
  }
}

interface FetchedKeys {
  readonly keysAt: (uri: string) => KeySource
  readonly certificatesAt: (uri: string) => Lookup<string, typeof FOUND>
}

function createFetchedKeys (options: PublicFetchOptions): FetchedKeys {
  let fetching = 0

  async function load (uri: string): Promise<unknown> {
    if (fetching >= MAX_FETCHING) throw new VerifierUnavailableError(OVERLOAD, `${OVERLOAD}: ${MAX_FETCHING} are allowed`)
    fetching += 1
    try {
      return readPublishedKeys((await fetchPublicJson(new URL(uri), { maxBytes: MAX_BYTES, ...options })).document)
    } finally {
      fetching -= 1
    }
  }

  return {
    keysAt: remembered((uri) => createKeySource({ ...KEY_TIMES, load: () => load(uri) })),
    certificatesAt: remembered((uri) => createLookup({ ...KEY_TIMES, load: () => load(uri) }, {
      read: (document) => readCertificates(readPublishedKeys(document)),
      pick: async (certificates, wanted: string) => certificates.has(wanted) ? FOUND : null,
      nameOf: sha256
    }))
  }
}

function found<T> (it: T | null): T {
  if (it === null) throw new InvalidTokenError('unknown key')
  return it
}

function remembered<W, F> (make: (uri: string) => Lookup<W, F>): (uri: string) => Lookup<W, F> {
  const lookups = new Map<string, Lookup<W, F>>()
  return (uri) => {
    const lookup = lookups.get(uri) ?? make(uri)
    lookups.delete(uri)
    lookups.set(uri, lookup)
    const [oldest = uri] = lookups.keys()
    if (lookups.size > MAX_SOURCES) lookups.delete(oldest)
    return lookup
  }
}

/** The first certificate of each key; the others vouch for that one. */
function readCertificates ({ keys }: PublicKeySet): ReadonlySet<unknown> {
  return new Set(keys.map(({ x5c }) => Array.isArray(x5c) ? x5c[0] : null))
}
