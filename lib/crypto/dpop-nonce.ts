import type { Secrets } from '../../types/crypto.js'

/** Seconds for which a nonce is the current one. It is good for as long again after that. */
const WINDOW = 120

const NONCE = /^([0-9a-z]{1,10})\.[\w-]{43}$/

/**
 * The nonces of DPoP proofs (RFC 9449 §8, §9; EX-23): one space for the authorization server and the resource, and for
 * all instances with the same secrets, since clients keep one nonce for an origin. Nothing is stored.
 */
export interface DpopNonces {
  /** What the next proof should hold. */
  current (now: number): string
  /** Whether it is a nonce of ours that was given out less than 240 seconds ago, by a clock at most 120 ahead. */
  isGood (nonce: string, now: number): boolean
}

export function createDpopNonces (secrets: Pick<Secrets, 'mac' | 'verifyMac'>): DpopNonces {
  let made = { index: -1, nonce: '' }

  return {
    current (now) {
      const index = Math.floor(now / WINDOW)
      if (made.index !== index) {
        const name = index.toString(36)
        made = { index, nonce: `${name}.${secrets.mac('dpop-nonce', name)}` }
      }
      return made.nonce
    },

    isGood (nonce, now) {
      const [, name = ''] = NONCE.exec(nonce) ?? []
      const age = Math.floor(now / WINDOW) - Number.parseInt(name, 36)
      // One that seems to come from the next window was made by an instance whose clock is ahead.
      if (age !== 0 && age !== 1 && age !== -1) return false
      return secrets.verifyMac('dpop-nonce', name, nonce.slice(name.length + 1))
    }
  }
}
