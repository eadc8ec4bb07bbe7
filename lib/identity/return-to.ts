/** Bounds what is carried through the sign-in page, in characters. */
const MAX_LENGTH = 8192

/**
 * Answers `target` unchanged when a browser may be sent there after signing in: the authorization endpoint on our own
 * origin (`authorizePath`, an absolute path), with or without a query. `null` for everything else: another path,
 * another origin, however it is spelled, and what is not a request target of printable ASCII without a fragment.
 */
export function readReturnTo (target: string | undefined, authorizePath: string): string | null {
  if (target === undefined || target.length > MAX_LENGTH || !target.startsWith(authorizePath)) return null
  const rest = target.slice(authorizePath.length)
  return rest === '' || /^\?[!"$-~]*$/.test(rest) ? target : null
}
