import type { Secrets } from '../../types/crypto.js'
import { ownedText, type Owner } from './owner.js'

/** Ids of different kinds are never taken for one another. */
export type BoundKind = 'session' | 'event' | 'task' | 'state'

export interface Binding {
  readonly kind: BoundKind
  readonly owner: Owner
  /** What else the id is good for only: the session of an event, say. Default nothing. */
  readonly within?: readonly string[]
}

const SEPARATOR = '.'
/** HMAC-SHA-256 in base64url: all 256 bits. */
const TAG_LENGTH = 43

function textOf ({ kind, owner, within = [] }: Binding, id: string): string {
  return ownedText(kind, owner, [...within, id])
}

/**
 * Makes of an id one that only its owner can bring back (RS-33, TR-10): `id`, a dot and an authentication tag
 * (HMAC-SHA-256). Nothing is stored; the id itself is *not* hidden. As visible ASCII as the id was.
 */
export function bindId (secrets: Secrets, binding: Binding, id: string): string {
  return id + SEPARATOR + secrets.mac('bound-ids', textOf(binding, id))
}

/**
 * The id of a bound one, or `null` for whatever was not bound for exactly this owner and use: an id of somebody else,
 * of another kind, made up, or from secrets that are gone. All of these take the same time. Does *not* know whether the
 * id still means something to the server that gave it.
 */
export function unbindId (secrets: Secrets, binding: Binding, bound: string): string | null {
  const end = bound.length - TAG_LENGTH - SEPARATOR.length
  if (end < 0 || bound[end] !== SEPARATOR) return null
  const id = bound.slice(0, end)
  return secrets.verifyMac('bound-ids', textOf(binding, id), bound.slice(end + SEPARATOR.length)) ? id : null
}
