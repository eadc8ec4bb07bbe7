import { randomId } from '../crypto/digest.js'
import type { Secrets } from '../../types/crypto.js'

export interface NamedByCode {
  readonly deviceId: string
  /** Seconds since the Unix epoch; the code is dead at this second. */
  readonly endsAt: number
}

// deviceId (a keyed digest), end, secret (256 bits), and an HMAC of all, base64url.
const DEVICE_CODE = /^(([\w-]{43})\.(\d{1,12})\.[\w-]{43})\.([\w-]{43})$/

/** A new device code. Unguessable; only its digest may be stored. */
export function mintDeviceCode ({ deviceId, endsAt }: NamedByCode, secrets: Secrets): string {
  const stem = `${deviceId}.${endsAt}.${randomId(32)}`
  return `${stem}.${secrets.mac('device-codes', stem)}`
}

/**
 * Answers what a device code is about when we once gave it out, however long ago; `null` for anything else. Tells a
 * code that has expired from a guess, without a look into the store.
 */
export function readDeviceCode (deviceCode: string, secrets: Secrets): NamedByCode | null {
  const [, stem = '', deviceId = '', endsAt = '', tag = ''] = DEVICE_CODE.exec(deviceCode) ?? []
  return stem !== '' && secrets.verifyMac('device-codes', stem, tag) ? { deviceId, endsAt: Number(endsAt) } : null
}
