/** Bounds what is carried through the sign-in page, in characters. */
const MAX_LENGTH = 8192

/**
 * Answers `target` unchanged when a browser may be sent there after signing in: one of `paths` on our own
 * origin (absolute paths), with or without a query. `null` for everything else: another path,
 * another origin, however it is spelled, and what is not a request target of printable ASCII without a fragment.
 */
export function readReturnTo (target: string | undefined, paths: readonly string[]): string | null {
  if (target === undefined || target.length > MAX_LENGTH) return null
  const [path = ''] = target.split('?', 1)
  return paths.includes(path) && /^[!"$-~]*$/.test(target.slice(path.length)) ? target : null
}
