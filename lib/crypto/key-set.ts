import { createPublicKey } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { SecretsError, SignerError } from './errors.js'
import type { KeyTimes } from './key-schedule.js'
import { readPrivateKey, writePrivateKey, type SigningKey, type TokenKey } from './signing-key.js'
import type { Secrets, SigningAlgorithm } from '../../types/crypto.js'

/** A key in its place in the schedule. */
export type RingKey = (SigningKey | TokenKey) & KeyTimes

/** The line of keys whose private half is elsewhere. */
export const ELSEWHERE = 'elsewhere'

/** How the key set is kept: one record for all, so that it changes in one step. */
const KeySet = Type.Object({
  /** A tag that only the secret under which `sealed` was made can make. Tells when to seal anew. */
  sealedBy: Type.String(),
  keys: Type.Array(Type.Object({
    kid: Type.String(),
    algorithm: Type.Union([Type.Literal('ES256'), Type.Literal('RS256'), Type.Literal('EdDSA')]),
    sealed: Type.String(),
    // Release 0.2 wrote none of these.
    line: Type.Optional(Type.String()),
    signsFrom: Type.Integer({ default: 0 }),
    endsAt: Type.Union([Type.Integer(), Type.Null()], { default: null })
  }))
})

/** Whose keys, and what opens them. */
export interface KeySetOwner {
  /** Keys that this instance reaches although their private half is elsewhere. */
  readonly signers?: readonly TokenKey[]
  readonly tenant: string
  readonly secrets: Secrets
}

/** What a sealed key is bound to: moved to another name, algorithm, line or tenant it does not open. */
function nameOf (
  tenant: string, { kid, algorithm, line }: { kid: string, algorithm: SigningAlgorithm, line?: string }
): string {
  return `${tenant}/${line === ELSEWHERE ? `${ELSEWHERE}/` : ''}${algorithm}/${kid}`
}

/** Sealed too, or else whoever writes to the store could make us trust a key of his. */
const textOf = (key: RingKey): string =>
  'privateKey' in key ? writePrivateKey(key) : JSON.stringify(key.publicKey.export({ format: 'jwk' }))

const unreachable = async (): Promise<never> => {
  throw new SignerError('no signer of this instance has the key')
}

const sealerOf = ({ tenant, secrets }: KeySetOwner): string => secrets.mac('signing-keys', tenant)

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/**
 * Opens the keys in the body of the record; `isFresh` tells whether all of it is sealed under the first secret.
 * @throws {SecretsError} when the record is damaged, and when no secret opens it.
 */
export function openKeySet (
  body: string, owner: KeySetOwner
): { readonly keys: readonly RingKey[], readonly isFresh: boolean } {
  const keySet: unknown = Value.Default(KeySet, parse(body))
  if (!Value.Check(KeySet, keySet)) throw new SecretsError('the record of the signing keys in the store is damaged')
  return { keys: keySet.keys.map((key) => openKey(key, owner)), isFresh: keySet.sealedBy === sealerOf(owner) }
}

function openKey (held: Static<typeof KeySet>['keys'][number], owner: KeySetOwner): RingKey {
  const { tenant, secrets, signers = [] } = owner
  const { kid, algorithm, line = algorithm, signsFrom, endsAt } = held
  const text = secrets.open('signing-keys', nameOf(tenant, held), held.sealed)
  if (text === null) {
    throw new SecretsError(
      'secrets: none of them opens the signing keys in the store. Put back the secret that sealed them, behind the new one'
    )
  }
  if (line !== ELSEWHERE) return { ...readPrivateKey({ kid, algorithm, privateKey: text }), line, signsFrom, endsAt }
  const sign = signers.find((signer) => signer.kid === kid)?.sign ?? unreachable
  const publicKey = createPublicKey({ key: JSON.parse(text), format: 'jwk' })
  return { kid, algorithm, publicKey, sign, line, signsFrom, endsAt }
}

/** The body of the record, every private half sealed under the first secret. */
export function sealKeySet (keys: readonly RingKey[], owner: KeySetOwner): string {
  const { tenant, secrets } = owner
  const keySet: Static<typeof KeySet> = {
    sealedBy: sealerOf(owner),
    keys: keys.map((key) => ({
      kid: key.kid,
      algorithm: key.algorithm,
      sealed: secrets.seal('signing-keys', nameOf(tenant, key), textOf(key)),
      line: key.line,
      signsFrom: key.signsFrom,
      endsAt: key.endsAt
    }))
  }
  return JSON.stringify(keySet)
}
