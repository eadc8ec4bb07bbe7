import { createHmac, hkdfSync } from 'node:crypto'
import { InvalidOptionError } from '../errors.js'
import { secretsEqual } from './digest.js'
import { open, seal } from './seal.js'
import type { SecretPurpose, Secrets } from '../../types/crypto.js'

const MIN_LENGTH = 32
const KEY_BYTES = 32
const SALT = 'fastify-mcp-security'

interface PurposeKeys {
  readonly sealing: Uint8Array
  readonly mac: Uint8Array
}

type Keys = Readonly<Record<SecretPurpose, PurposeKeys>>

function deriveKeys (secret: string): Keys {
  const derive = (info: string): Uint8Array => new Uint8Array(hkdfSync('sha256', secret, SALT, info, KEY_BYTES))
  const keysFor = (purpose: SecretPurpose): PurposeKeys => ({
    sealing: derive(`${purpose}/seal`),
    mac: derive(`${purpose}/mac`)
  })
  return {
    'signing-keys': keysFor('signing-keys'),
    'refresh-tokens': keysFor('refresh-tokens'),
    'access-tokens': keysFor('access-tokens'),
    codes: keysFor('codes'),
    csrf: keysFor('csrf'),
    'set-up': keysFor('set-up'),
    'bound-ids': keysFor('bound-ids'),
    handles: keysFor('handles'),
    'dpop-nonce': keysFor('dpop-nonce'),
    'device-codes': keysFor('device-codes'),
    'client-ids': keysFor('client-ids'),
    'sign-in': keysFor('sign-in')
  }
}

function macUnder (keys: Keys, purpose: SecretPurpose, text: string): string {
  return createHmac('sha256', keys[purpose].mac).update(text).digest('base64url')
}

/**
 * Derives every key of the operator's secrets: HKDF-SHA-256 (RFC 5869), for each purpose one key that seals and
 * another that authenticates. The first secret seals and signs, all of them open and verify.
 *
 * Secrets have to be random (`openssl rand -base64 32`): HKDF does not slow down the guessing of passwords.
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` without a secret, or with one under 32 characters.
 */
export function deriveSecrets (secrets: readonly string[]): Secrets {
  secrets.forEach((secret, position) => {
    if (secret.length < MIN_LENGTH) {
      throw new InvalidOptionError(`secrets[${position}] must have at least ${MIN_LENGTH} characters`)
    }
  })
  const all = secrets.map(deriveKeys)
  const [first] = all
  if (first === undefined) throw new InvalidOptionError('secrets must hold at least one secret')

  return {
    seal (purpose, about, plaintext) {
      return seal(first[purpose].sealing, about, plaintext)
    },
    open (purpose, about, sealed) {
      for (const keys of all) {
        const plaintext = open(keys[purpose].sealing, about, sealed)
        if (plaintext !== null) return plaintext
      }
      return null
    },
    mac (purpose, text) {
      return macUnder(first, purpose, text)
    },
    verifyMac (purpose, text, tag) {
      return all.some((keys) => secretsEqual(macUnder(keys, purpose, text), tag))
    }
  }
}
