import type { KeyObject } from 'node:crypto'
import { InvalidOptionError } from '../errors.js'
import { SignerError } from './errors.js'
import { readPublicJwk } from './public-jwk.js'
import { isSignedBy, type TokenKey } from './signing-key.js'
import type { Signer, SigningAlgorithm } from '../../types/crypto.js'

/** How long a signature may take; whoever waits for a token has not much more patience. */
const TIMEOUT_MS = 5000

const isFor: Readonly<Record<SigningAlgorithm, (key: KeyObject) => boolean>> = {
  ES256: ({ asymmetricKeyDetails: details }) => details?.namedCurve === 'prime256v1',
  RS256: ({ asymmetricKeyType: type, asymmetricKeyDetails: details }) =>
    type === 'rsa' && Number(details?.modulusLength) >= 2048,
  EdDSA: ({ asymmetricKeyType: type }) => type === 'ed25519'
}

/** @throws {SignerError} when there is no answer in time. */
async function inTime<T> (asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(new SignerError('the signer did not answer in time')) }, TIMEOUT_MS).unref()
  })
  try {
    return await Promise.race([asked, late])
  } finally {
    clearTimeout(timer)
  }
}

/** @throws {SignerError} when the signer fails, is late, or answers what its public key does not verify. */
async function signBy (
  signer: Signer, key: Pick<TokenKey, 'algorithm' | 'publicKey'>, bytes: Uint8Array
): Promise<Uint8Array> {
  let signature: Uint8Array
  try {
    signature = await inTime(signer.sign(bytes))
  } catch (cause) {
    throw new SignerError('the signer failed', { cause })
  }
  if (signature instanceof Uint8Array && isSignedBy(key, bytes, signature)) return signature
  throw new SignerError('the signer answered something that its public key does not verify')
}

/**
 * The keys of signers outside of this process, named after their RFC 7638 thumbprints, each tried once. What they sign
 * is verified before it goes out.
 * @throws {InvalidOptionError} for a public key that is not one of the algorithm, one that is there twice, and for a
 * signer that cannot sign.
 */
export async function openSigners (signers: readonly Signer[]): Promise<TokenKey[]> {
  const keys = await Promise.all(signers.map(async (signer, position) => {
    const { algorithm, publicJwk } = signer
    const jwk = readPublicJwk(publicJwk)
    const publicKey = jwk?.key() ?? null
    if (jwk === null || publicKey === null || !Object.hasOwn(isFor, algorithm) || !isFor[algorithm](publicKey)) {
      throw new InvalidOptionError(`signers.${position}.publicJwk must be a public key for algorithm ES256, RS256 or EdDSA`)
    }
    const key = { kid: jwk.thumbprint, algorithm, publicKey }
    const sign = (bytes: Uint8Array): Promise<Uint8Array> => signBy(signer, key, bytes)
    await sign(Buffer.from('fastify-mcp-security')).catch(({ message }: Error) => {
      throw new InvalidOptionError(`signers.${position}.sign cannot be used: ${message}`)
    })
    return { ...key, sign }
  }))
  const names = keys.map(({ kid }) => kid)
  const twice = names.findIndex((kid, position) => names.indexOf(kid) !== position)
  if (twice !== -1) throw new InvalidOptionError(`signers.${twice} must not have the key of another one`)
  return keys
}
