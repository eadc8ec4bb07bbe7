import type { Secrets } from '../../types/crypto.js'
import type { HandleOwner, HandleUse, Handles, HandleToOpen, HandleToSeal } from '../../types/handles.js'
import { ownedText } from './owner.js'

const MAX_LENGTH = 65_536

const aboutOf = ({ owner, purpose }: HandleUse): string => ownedText('handle', owner, [purpose])

/**
 * Makes a handle of a value: text that a client may hold and bring back, but neither read nor change (AES-256-GCM), and
 * that only the same user through the same client can use, for the same purpose, until it expires (RS-33, TR-11).
 * Nothing is stored, so a handle cannot be taken back or be good for one use only, and it shows how long its value is.
 *
 * A handle is not a credential: whoever brings it needs a token besides.
 *
 * @throws {TypeError} for a value that JSON cannot say, for `null`, for a lifetime that is not a whole number of
 * seconds above 0, and for a handle of more than 65 536 characters.
 */
export function sealHandle (secrets: Secrets, input: HandleToSeal): string {
  const { value, lifetime, now } = input
  if (!Number.isSafeInteger(lifetime) || lifetime < 1) throw new TypeError('lifetime must be whole seconds above 0')
  // Of a value that JSON cannot say, a function for one, it is undefined.
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined || text === 'null') throw new TypeError('value must be something that JSON can say, and not null')
  const handle = secrets.seal('handles', aboutOf(input), `${now + lifetime}:${text}`)
  if (handle.length > MAX_LENGTH) throw new TypeError(`a handle must not be longer than ${MAX_LENGTH} characters`)
  return handle
}

/**
 * The value of a handle, or `null` for everything that is no live handle of this owner and purpose: somebody else's,
 * one for another purpose, expired, changed, or no text at all. Never throws.
 */
export function openHandle (secrets: Secrets, input: HandleToOpen): unknown {
  const { handle, now } = input
  if (typeof handle !== 'string' || handle.length > MAX_LENGTH) return null
  const text = secrets.open('handles', aboutOf(input), handle)
  if (text === null) return null
  const end = text.indexOf(':')
  return now < Number(text.slice(0, end)) ? JSON.parse(text.slice(end + 1)) : null
}

/** Seals and opens for one owner, by one clock. */
export function handlesOf (secrets: Secrets, owner: HandleOwner, clock: () => number): Handles {
  return {
    seal: (input) => sealHandle(secrets, { ...input, owner, now: clock() }),
    open: (input) => openHandle(secrets, { ...input, owner, now: clock() })
  }
}

export { deriveSecrets } from './secrets.js'
export type { Secrets } from '../../types/crypto.js'
export type { HandleOwner, Handles, HandleToOpen, HandleToSeal } from '../../types/handles.js'
