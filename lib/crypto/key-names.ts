import type { Secrets } from '../../types/crypto.js'

const STEM = 11
const KID = /^[\w-]{54}$/

const textOf = (tenant: string, stem: string): string => `kid/${tenant}/${stem}`

/** Names keys so that every instance knows the name of a key of ours when it sees it for the first time. */
export interface KeyNames {
  /** The name of the key with this RFC 7638 thumbprint. */
  nameOf (thumbprint: string): string
  /** Whether we gave this name, to whatever key. Asks nobody, so that made-up names cost nothing. */
  isOurs (kid: string): boolean
}

/** A name is the beginning of the thumbprint (66 bits) and an HMAC of it under the operator's secrets. */
export function keyNames ({ tenant, secrets }: { readonly tenant: string, readonly secrets: Secrets }): KeyNames {
  return {
    nameOf (thumbprint) {
      const stem = thumbprint.slice(0, STEM)
      return stem + secrets.mac('signing-keys', textOf(tenant, stem))
    },
    isOurs (kid) {
      return KID.test(kid) && secrets.verifyMac('signing-keys', textOf(tenant, kid.slice(0, STEM)), kid.slice(STEM))
    }
  }
}
