import type { Principal } from './principal.js'

/** Whom a handle belongs to. A principal is one. */
export type HandleOwner = Pick<Principal, 'tenant' | 'issuer' | 'resource' | 'subject' | 'clientId'>

export interface HandleUse {
  readonly owner: HandleOwner
  /** What the handle is for, in your own words: `cart`. One for another purpose is not opened. */
  readonly purpose: string
}

export interface HandleToSeal extends HandleUse {
  /** Anything that JSON can say, but not `null`. */
  readonly value: unknown
  /** Seconds, whole, at least 1. */
  readonly lifetime: number
  /** Seconds since the Unix epoch. */
  readonly now: number
}

export interface HandleToOpen extends HandleUse {
  /** As the client sent it; may be anything. */
  readonly handle: unknown
  /** Seconds since the Unix epoch. */
  readonly now: number
}

/** `request.mcpHandles`: state handles of the caller, who is the only one that can bring them back. */
export interface Handles {
  /**
   * Makes a handle of `value`, good for `lifetime` seconds.
   * @throws {TypeError} for a value that JSON cannot say or `null`, or a lifetime that is not whole seconds above 0.
   */
  seal (input: { readonly purpose: string, readonly value: unknown, readonly lifetime: number }): string
  /** The value, or `null` for everything that is no live handle of the caller's for this purpose. Never throws. */
  open (input: { readonly purpose: string, readonly handle: unknown }): unknown
}
