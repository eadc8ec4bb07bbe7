export type SigningAlgorithm = 'ES256' | 'RS256' | 'EdDSA'

/** A key whose private half is somewhere else, in a KMS or HSM. */
export interface Signer {
  readonly algorithm: SigningAlgorithm
  /** The public half (RFC 7517 §4): P-256 for ES256, RSA of 2048 bits or more for RS256, Ed25519 for EdDSA. */
  readonly publicJwk: object
  /**
   * Signs with SHA-256, or for EdDSA as it is (RFC 7518 §3.3, §3.4, RFC 8037). ES256 is `r` and `s` side by side, 64
   * bytes; many a KMS answers DER, which has to be changed first. Has 5 seconds; a failure is answered 503.
   */
  sign (bytes: Uint8Array): Promise<Uint8Array>
}

/** When signing keys change, in seconds. */
export interface KeyRotation {
  /** From the first signature of a key to the first of the next one; `null`: only when the operator says so. */
  readonly every: number | null
  /** How long a key is published before it signs. */
  readonly publishedBefore: number
}

/** What a derived key is for. Keys of different purposes are independent. */
export type SecretPurpose =
  'signing-keys' | 'refresh-tokens' | 'access-tokens' | 'codes' | 'csrf' | 'set-up' | 'bound-ids' | 'handles' |
  'dpop-nonce' | 'device-codes' | 'client-ids' | 'sign-in'

/**
 * Everything that needs a secret of the operator's. Derived once at boot (HKDF-SHA-256); the first secret seals and
 * signs, all of them open and verify, so secrets are rotated by putting a new one in front.
 */
export interface Secrets {
  /** AES-256-GCM with a fresh nonce. `about` is bound as associated data and is needed again to open. */
  seal (purpose: SecretPurpose, about: string, plaintext: string): string
  /** Answers `null` for whatever was not sealed by us for this purpose and `about`. */
  open (purpose: SecretPurpose, about: string, sealed: string): string | null
  /** HMAC-SHA-256, base64url, 43 characters, under the first secret. */
  mac (purpose: SecretPurpose, text: string): string
  /** Constant time, under any of the secrets. */
  verifyMac (purpose: SecretPurpose, text: string, tag: string): boolean
}
