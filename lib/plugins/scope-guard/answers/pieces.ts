/** What one call of `write` or `end` says. */
export interface Piece {
  readonly bytes: Uint8Array | null
  readonly done: (() => void) | null
}

function bytesOf (chunk: unknown, encoding: unknown): Uint8Array | null {
  if (typeof chunk === 'string') {
    return typeof encoding === 'string' && Buffer.isEncoding(encoding)
      ? Buffer.from(chunk, encoding)
      : Buffer.from(chunk)
  }
  if (chunk instanceof Uint8Array) return chunk
  if (chunk === undefined || chunk === null || typeof chunk === 'function') return null
  throw Object.assign(new TypeError('The chunk must be a string or a Uint8Array'), { code: 'ERR_INVALID_ARG_TYPE' })
}

/**
 * Reads `(chunk, encoding, callback)`, each of which but the callback may be left out.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, as Node does.
 */
export function readPiece (args: readonly unknown[]): Piece {
  const [chunk, encoding] = args
  const callback = args.find((arg) => typeof arg === 'function')
  return {
    bytes: bytesOf(chunk, encoding),
    done: typeof callback === 'function' ? () => { Reflect.apply(callback, undefined, []) } : null
  }
}
