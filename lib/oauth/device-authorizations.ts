import { secretsEqual, sha256 } from '../crypto/digest.js'
import { mintUserCode } from '../crypto/user-code.js'
import { OAuthError } from '../protocol/oauth-error.js'
import type { Secrets } from '../../types/crypto.js'
import type { RecordStore, StoredRecord } from '../../types/stores.js'
import { mintDeviceCode, readDeviceCode } from './device-code.js'

/** What a device asked for, after every check. */
export interface DeviceRequest {
  readonly clientId: string
  readonly resource: string
  /** Others that it named. */
  readonly furtherResources?: readonly string[]
  readonly scopes: readonly string[]
  /** What the device is counted by: its IPv4 address, or its IPv6 /64. */
  readonly network: string
}

/** What a person decided: the grant that was approved, or `null` for nothing. */
export interface DeviceDecision {
  readonly grantId: string | null
}

export interface DeviceAuthorization extends DeviceRequest {
  /** Names it within the server. Neither code can be told from it. */
  readonly deviceId: string
  readonly askedAt: number
  /** Seconds since the Unix epoch; both codes are dead at this second. */
  readonly endsAt: number
  readonly decision: DeviceDecision | null
}

export interface DeviceAuthorizations {
  /**
   * Opens an authorization for a device. Both codes are answered here and nowhere else.
   * @throws {OAuthError} `too_many_requests` when this client, this network, or all together, have too many open.
   */
  open (request: DeviceRequest, now: number): Promise<{
    readonly deviceCode: string
    readonly userCode: string
    /** Seconds. */
    readonly expiresIn: number
    /** Seconds that the device has to wait between two questions. */
    readonly interval: number
  }>
  /** What is still to be decided under the code that a person typed (`readUserCode`). */
  findByUserCode (userCode: string, now: number): Promise<DeviceAuthorization | null>
  /** `expired` for a code that we once gave out; `null` for whatever we did not, or what was used. */
  findByDeviceCode (deviceCode: string, now: number): Promise<DeviceAuthorization | 'expired' | null>
  /**
   * Decides, once: of any number of callers one is answered `true`, and whoever decides the very same again.
   */
  decide (deviceId: string, decision: DeviceDecision, now: number): Promise<boolean>
  /** Whether the device asks no more often than it was told. */
  keepsPace (deviceId: string, now: number): Promise<boolean>
  /**
   * Counts one more code that a user typed. Answers the seconds to wait, 0 when this one may be looked up
   * (RFC 8628 §5.1): right and wrong ones count alike, since nobody knows before.
   */
  countEntry (subject: string, now: number): Promise<number>
}

const KIND = 'device-authorization'
/** Long enough to find another screen and to sign in there (RFC 8628 §3.2). */
const LIFETIME = 600
const INTERVAL = 5
/** Clocks of whole seconds and timers that fire early take one off. */
const PACE = INTERVAL - 1
/** Opened within `LIFETIME`, so at most twice so many are open at the seam of two windows. */
const MAX_OF = { client: 1000, network: 100, all: 5000 }
/** Codes that are typed within `LIFETIME`: with all open that can be, a flood of guesses hits once in a thousand. */
const MAX_ENTRIES = { user: 10, all: 1000 }
const ATTEMPTS = 5

type Body = Omit<DeviceAuthorization, 'deviceId'> & { readonly codeDigest: string }

/**
 * Authorizations that a device without a browser asks for and a person decides in one (RFC 8628), from the question to
 * the answer. Each is one record, found by a keyed digest of its user code; the device code is kept as a digest. Nobody
 * who reads the store can type a code or ask for the tokens.
 */
export function createDeviceAuthorizations (
  { records, tenant, secrets }: { readonly records: RecordStore, readonly tenant: string, readonly secrets: Secrets }
): DeviceAuthorizations {
  const keyOf = (deviceId: string) => ({ tenant, kind: KIND, id: deviceId })
  const idOf = (userCode: string): string => secrets.mac('device-codes', `user code ${userCode}`)

  async function count (kind: string, id: string, now: number) {
    return await records.increment({ tenant, kind, id }, { by: 1, window: LIFETIME }, now)
  }

  async function assertRoom ({ clientId, network }: DeviceRequest, now: number): Promise<void> {
    const owners = [['network', network], ['client', clientId], ['all', '']] as const
    for (const [owner, name] of owners) {
      const { count: opened } = await count('device-quota', `${owner} ${sha256(name)}`, now)
      if (opened <= MAX_OF[owner]) continue
      const description = 'too many codes were asked for, try again later'
      throw new OAuthError({ code: 'too_many_requests', description, reason: 'device code quota' })
    }
  }

  async function add (request: DeviceRequest, now: number): ReturnType<DeviceAuthorizations['open']> {
    const userCode = mintUserCode()
    const deviceId = idOf(userCode)
    const endsAt = now + LIFETIME
    const deviceCode = mintDeviceCode({ deviceId, endsAt }, secrets)
    const body: Body = { ...request, askedAt: now, endsAt, decision: null, codeDigest: sha256(deviceCode) }
    const record = { ...keyOf(deviceId), expiresAt: endsAt, index: {}, body: JSON.stringify(body) }
    return await records.add(record, now)
      ? { deviceCode, userCode, expiresIn: LIFETIME, interval: INTERVAL }
      : await add(request, now)
  }

  return {
    async open (request, now) {
      await assertRoom(request, now)
      return await add(request, now)
    },

    async findByUserCode (userCode, now) {
      const record = await records.get(keyOf(idOf(userCode)), now)
      if (record === null) return null
      const { authorization } = heldIn(record)
      return authorization.decision === null ? authorization : null
    },

    async findByDeviceCode (deviceCode, now) {
      const named = readDeviceCode(deviceCode, secrets)
      if (named === null) return null
      if (now >= named.endsAt) return 'expired'
      const record = await records.get(keyOf(named.deviceId), now)
      if (record === null) return null
      const { authorization, codeDigest } = heldIn(record)
      return secretsEqual(sha256(deviceCode), codeDigest) ? authorization : null
    },

    async decide (deviceId, decision, now) {
      for (let attempts = 0; attempts < ATTEMPTS; attempts += 1) {
        const record = await records.get(keyOf(deviceId), now)
        if (record === null) return false
        const body: Body = JSON.parse(record.body)
        if (body.decision !== null) return body.decision.grantId === decision.grantId
        if (await records.replace({ ...record, body: JSON.stringify({ ...body, decision }) }, now)) return true
      }
      return false
    },

    async keepsPace (deviceId, now) {
      const counter = { tenant, kind: 'device-pace', id: deviceId }
      const { count: asked } = await records.increment(counter, { by: 1, window: PACE }, now)
      return asked === 1
    },

    async countEntry (subject, now) {
      const mine = await count('device-entries', `user ${sha256(subject)}`, now)
      if (mine.count > MAX_ENTRIES.user) return mine.resetsAt - now
      const all = await count('device-entries', 'all', now)
      return all.count > MAX_ENTRIES.all ? all.resetsAt - now : 0
    }
  }
}

function heldIn ({ id, body }: StoredRecord): { authorization: DeviceAuthorization, codeDigest: string } {
  const { codeDigest, ...rest }: Body = JSON.parse(body)
  return { authorization: { ...rest, deviceId: id }, codeDigest }
}
