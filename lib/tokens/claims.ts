import type { ClaimPath } from '../../types/foreign-tokens.js'
import { isSameResource } from '../protocol/resource-uri.js'
import { InvalidTokenError } from './errors.js'

/** What a token or an introspection answer says, before anything of it is believed. */
export type Claims = Readonly<Record<string, unknown>>

export function isClaims (value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The claim at a path, by own members only; `undefined` when it is not there. */
export function claimAt (claims: Claims, path: ClaimPath): unknown {
  let value: unknown = claims
  for (const name of typeof path === 'string' ? [path] : path) {
    if (!isClaims(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

/**
 * A text that is not empty; `null` when it is not there.
 * @throws {InvalidTokenError}
 */
export function textClaim (claims: Claims, path: ClaimPath): string | null {
  const value = claimAt(claims, path)
  if (value === undefined) return null
  if (typeof value !== 'string' || value === '') throw malformed(path)
  return value
}

/**
 * A NumericDate (RFC 7519 §2) in whole seconds since the Unix epoch; `null` when it is not there.
 * @throws {InvalidTokenError} also for 1e999, which JSON reads as a time without end.
 */
export function timeClaim (claims: Claims, path: ClaimPath): number | null {
  const value = claimAt(claims, path)
  if (value === undefined) return null
  if (typeof value !== 'number' || !Number.isFinite(value)) throw malformed(path)
  return Math.floor(value)
}

/**
 * A list of texts without repeats, empty when it is not there. A single text is a list by itself: `separator` says
 * what stands between its parts.
 * @throws {InvalidTokenError}
 */
export function listClaim (claims: Claims, path: ClaimPath, separator?: string): readonly string[] {
  const value = claimAt(claims, path)
  if (value === undefined) return []
  const texts: unknown = typeof value === 'string' ? split(value, separator) : value
  if (!Array.isArray(texts) || !texts.every((text) => typeof text === 'string')) throw malformed(path)
  return [...new Set<string>(texts)]
}

function split (text: string, separator: string | undefined): readonly string[] {
  return separator === undefined ? [text] : text.split(separator).filter((part) => part !== '')
}

/** Whether `aud` (RFC 7519 §4.1.3) holds the resource (RS-6), or exactly the `audience` that stands for it. */
export function isMeantFor (claims: Claims, { resource, audience }: { resource: string, audience?: string }): boolean {
  return listClaim(claims, 'aud').some((one) => audience === undefined ? isSameResource(one, resource) : one === audience)
}

/** Freezes a value with everything in it, however deep. What is frozen already is taken to be so all through. */
export function deepFreeze<T extends object> (value: T): T {
  const todo: object[] = [value]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    // A host's claims may hold themselves.
    if (Object.isFrozen(next)) continue
    Object.freeze(next)
    for (const member of Object.values(next)) {
      if (typeof member === 'object' && member !== null) todo.push(member)
    }
  }
  return value
}

function malformed (path: ClaimPath): InvalidTokenError {
  return new InvalidTokenError(`malformed ${[path].flat().join('.')}`)
}
