import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { SecretsError } from './errors.js'
import { createSigningKey, readPrivateKey, writeJwks, writePrivateKey, type SigningKey } from './signing-key.js'
import type { Clock } from '../../types/clock.js'
import type { Secrets, SigningAlgorithm } from '../../types/crypto.js'
import type { RecordStore } from '../../types/stores.js'

export type { SigningKey } from './signing-key.js'

export interface Keyring {
  /** What signs. */
  readonly current: SigningKey
  /** What verifies: `current` and every key that signed before it. At most one for each algorithm. */
  readonly keys: readonly SigningKey[]
  /** The public halves as a JWK Set, as JSON text to be sent as it is. */
  readonly jwks: string
  /** Whether this opening made `current`. */
  readonly created: boolean
}

export interface KeyringOptions {
  readonly records: RecordStore
  readonly tenant: string
  readonly secrets: Secrets
  /** Default `ES256`. Another one than before adds a key; the others stay published. */
  readonly algorithm?: SigningAlgorithm
  readonly clock: Clock
}

const KIND = 'signing-keys'
const ID = 'all'
const MAX_ROUNDS = 100
const EMPTY: Static<typeof KeySet> = { sealedBy: '', keys: [] }

/** How the key set is kept: one record for all, so that it changes in one step. */
const KeySet = Type.Object({
  /** A tag that only the secret under which `sealed` was made can make. Tells when to seal anew. */
  sealedBy: Type.String(),
  keys: Type.Array(Type.Object({
    kid: Type.String(),
    algorithm: Type.Union([Type.Literal('ES256'), Type.Literal('RS256'), Type.Literal('EdDSA')]),
    sealed: Type.String()
  }))
})

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function readKeySet (body: string): Static<typeof KeySet> {
  const keySet = parse(body)
  if (!Value.Check(KeySet, keySet)) throw new SecretsError('the record of the signing keys in the store is damaged')
  return keySet
}

/** What a sealed private key is bound to: moved to another name, algorithm or tenant it does not open. */
function nameOf (tenant: string, { kid, algorithm }: { kid: string, algorithm: SigningAlgorithm }): string {
  return `${tenant}/${algorithm}/${kid}`
}

function sealKeys (keys: readonly SigningKey[], { tenant, secrets }: KeyringOptions): string {
  const keySet: Static<typeof KeySet> = {
    sealedBy: secrets.mac('signing-keys', tenant),
    keys: keys.map((key) => ({
      kid: key.kid,
      algorithm: key.algorithm,
      sealed: secrets.seal('signing-keys', nameOf(tenant, key), writePrivateKey(key))
    }))
  }
  return JSON.stringify(keySet)
}

function openKeys ({ keys }: Static<typeof KeySet>, { tenant, secrets }: KeyringOptions): SigningKey[] {
  return keys.map((key) => {
    const privateKey = secrets.open('signing-keys', nameOf(tenant, key), key.sealed)
    if (privateKey === null) {
      throw new SecretsError(
        'secrets: none of them opens the signing keys in the store. Put back the secret that sealed them, behind the new one'
      )
    }
    return readPrivateKey({ kid: key.kid, algorithm: key.algorithm, privateKey })
  })
}

/**
 * Opens the signing keys of a tenant, and makes the first one. They live in the store, the private halves sealed,
 * so they survive a restart and are the same for every instance: of any number of openings at once all end with
 * the same key. When a new secret stands in front, everything is sealed anew under it, so the old one can be taken
 * away once every instance has started with the new one.
 * @throws {SecretsError} `MCPS_ERR_SECRETS` when no secret opens the keys that are there, which are left alone.
 * @throws {StoreUnavailableError} when the store cannot be reached.
 */
export async function openKeyring (options: KeyringOptions): Promise<Keyring> {
  const { records, tenant, secrets, algorithm = 'ES256', clock } = options
  const key = { tenant, kind: KIND, id: ID }
  let made: SigningKey | undefined

  // A round is lost only to another opening that won it, and each of them has little to win.
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const record = await records.get(key, clock())
    const keySet = record === null ? EMPTY : readKeySet(record.body)
    const keys = openKeys(keySet, options)
    const current = keys.find((candidate) => candidate.algorithm === algorithm)
    if (current !== undefined && keySet.sealedBy === secrets.mac('signing-keys', tenant)) {
      return { current, keys, jwks: writeJwks(keys), created: current.kid === made?.kid }
    }

    if (current === undefined) keys.push(made ??= await createSigningKey(algorithm))
    const body = sealKeys(keys, options)
    if (record === null) await records.add({ ...key, expiresAt: null, index: {}, body }, clock())
    else await records.replace({ ...record, body }, clock())
  }
  throw new SecretsError('the signing keys in the store were changed by others all the time')
}
