import type { Secrets } from '../../types/crypto.js'
import { bindId, unbindId } from './bound-id.js'
import type { Owner } from './owner.js'

/** What a `requestState` (revision 2026-07-28, multi round-trip requests) is good for. */
export interface StateUse {
  readonly owner: Owner
  /** The request that it was given for, as `stateUseOf` says it: a state of one tool is not one of another. */
  readonly request: readonly string[]
}

const SEPARATOR = '.'
const EXPIRY = /^[1-9]\d{0,15}$/

/** Binds a `requestState` to its owner, request and end (RS-33). `expiresAt`: seconds since the Unix epoch, whole. */
export function bindState (
  secrets: Secrets, use: StateUse & { readonly expiresAt: number }, state: string
): string {
  const { owner, request, expiresAt } = use
  return bindId(secrets, { kind: 'state', owner, within: request }, `${expiresAt}${SEPARATOR}${state}`)
}

/** The state as the server gave it, or `null` for one of another owner or request, expired, or not ours. */
export function unbindState (secrets: Secrets, use: StateUse & { readonly now: number }, bound: string): string | null {
  const { owner, request, now } = use
  const inner = unbindId(secrets, { kind: 'state', owner, within: request }, bound)
  if (inner === null) return null
  const end = inner.indexOf(SEPARATOR)
  const expiry = inner.slice(0, end)
  return EXPIRY.test(expiry) && now < Number(expiry) ? inner.slice(end + SEPARATOR.length) : null
}
