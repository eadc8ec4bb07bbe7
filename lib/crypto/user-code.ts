import { randomInt } from 'node:crypto'

// No vowels, so that no code is a word, and nothing that is read as another letter (RFC 8628 §6.1). 34 bits.
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const LENGTH = 8
const USER_CODE = new RegExp(`^[${LETTERS}]{${LENGTH}}$`)

/** A code that people read off one screen and type into another: eight letters, all equally likely. */
export function mintUserCode (): string {
  return Array.from({ length: LENGTH }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('')
}

/** In two halves, as people see it: `WDJB-MJHT`. */
export function showUserCode (userCode: string): string {
  return `${userCode.slice(0, LENGTH / 2)}-${userCode.slice(LENGTH / 2)}`
}

/** What somebody typed, in any case and with any hyphens and spaces; `null` for what is no code. */
export function readUserCode (typed: string): string | null {
  const userCode = typed.slice(0, 4 * LENGTH).replace(/[\s\p{Pd}]/gu, '').toUpperCase()
  return USER_CODE.test(userCode) ? userCode : null
}
