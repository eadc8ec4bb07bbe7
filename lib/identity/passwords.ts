import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import { boundWork, type Bounds } from './bounded-work.js'

/** In characters (code points), after NFKC. */
export const MIN_PASSWORD_LENGTH = 12
export const MAX_PASSWORD_LENGTH = 256

/** scrypt (RFC 7914): `cost` is N, a power of two; 128 * N * r bytes of memory for each hash. */
export interface ScryptParameters {
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
}

/** As strong as OWASP's first choice (N = 2^17, p = 1), in 32 MiB instead of 128. */
export const SCRYPT: ScryptParameters = { cost: 2 ** 15, blockSize: 8, parallelization: 3 }

export interface Passwords {
  /** Answers the text to keep: parameters, salt and hash (PHC string format). */
  hash (password: string): Promise<string>
  /**
   * Whether `password` made `kept`. `outdated` when it did with less work than would be spent today. With `null`
   * in the place of `kept` the same work is done, and the answer is no.
   */
  verify (password: string, kept: string | null): Promise<{ readonly matches: boolean, readonly outdated: boolean }>
}

const scryptOf = promisify<string, Uint8Array, number, ScryptOptions, Uint8Array>(scrypt)
const SALT_BYTES = 16
const HASH_BYTES = 32
const KEPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/

interface Kept extends ScryptParameters {
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/**
 * Hashes passwords with scrypt, off the main thread, a few at a time.
 * @throws {TooBusyError} `MCPS_ERR_TOO_BUSY` from both functions when too many callers wait already.
 */
export function createPasswords (
  { parameters = SCRYPT, bounds = { running: 2, waiting: 32 } }: { parameters?: ScryptParameters, bounds?: Bounds } = {}
): Passwords {
  const bounded = boundWork(bounds)
  // Nobody has a password for it: 256 random bits are not the hash of anything that can be found.
  const decoy: Kept = { ...parameters, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) }

  return {
    async hash (password) {
      const salt = randomBytes(SALT_BYTES)
      const hash = await bounded(async () => await derive(password, { ...parameters, salt }))
      return write({ ...parameters, salt, hash })
    },

    async verify (password, kept) {
      const held = kept === null ? null : read(kept)
      const against = held ?? decoy
      const hash = await bounded(async () => await derive(password, against))
      const matches = timingSafeEqual(hash, against.hash) && held !== null
      return { matches, outdated: matches && workOf(against) < workOf(parameters) }
    }
  }
}

async function derive (password: string, kept: Omit<Kept, 'hash'>): Promise<Uint8Array> {
  const { cost, blockSize, parallelization, salt } = kept
  const options = { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize }
  return await scryptOf(normalisePassword(password), salt, HASH_BYTES, options)
}

/** One password has one spelling, whatever keyboard it came from (NIST SP 800-63B §5.1.1.2). */
export function normalisePassword (password: string): string {
  return password.normalize('NFKC')
}

function workOf ({ cost, blockSize, parallelization }: ScryptParameters): number {
  return cost * blockSize * parallelization
}

function write ({ cost, blockSize, parallelization, salt, hash }: Kept): string {
  const parameters = `ln=${Math.log2(cost)},r=${blockSize},p=${parallelization}`
  return `$scrypt$${parameters}$${Buffer.from(salt).toString('base64url')}$${Buffer.from(hash).toString('base64url')}`
}

function read (kept: string): Kept | null {
  const [, power, blockSize, parallelization, salt, hash] = KEPT.exec(kept) ?? []
  if (salt === undefined || hash === undefined) return null
  return {
    cost: 2 ** Number(power),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
    salt: Buffer.from(salt, 'base64url'),
    hash: Buffer.from(hash, 'base64url')
  }
}
