import { OAuthError } from '../../protocol/oauth-error.js'
import type { SignInWish } from '../../protocol/sign-in-wish.js'
import type { Secrets } from '../../../types/crypto.js'
import type { SignedInUser, SignInSituation } from '../../../types/sign-in.js'

/** The parameter that we add to an authorization request, so that it knows when it began. */
const BEGAN = 'mcp_began'
const VALUE = /^mcp_began=(\d{1,15})\.([\w-]{43})$/
/** Seconds that a sign-in may take. A link that is older begins again. */
const MAX_TAKEN = 3600

/** Since when the user must have signed in: at that second or later. */
export type SignInSince =
  | { readonly since: number | undefined }
  /** Send the browser there first: the request has to know when it began. */
  | { readonly begin: string }

/**
 * Works out how fresh the sign-in has to be for `prompt=login` and `max_age` (AS-A16). A sign-in takes its time, and
 * the same request comes back after it: so that it does not ask again and again, a first request is sent back to itself
 * with the time at which it came, which nobody else can write (an HMAC over it and the rest of the query).
 */
export function signInSince (
  wish: SignInWish, { path, url, secrets, now }: {
    /** Of the endpoint. A request may spell it otherwise: as `//host`, where the router takes that for the same. */
    readonly path: string
    readonly url: string
    readonly secrets: Secrets
    readonly now: number
  }
): SignInSince {
  const { silent, again, maxAge } = wish
  const age = again ? 0 : maxAge
  if (age === undefined) return { since: undefined }
  if (silent) return { since: now - age }

  const parts = url.slice(url.indexOf('?') + 1).split('&')
  const isOurs = (part: string): boolean => part.startsWith(`${BEGAN}=`)
  const rest = parts.filter((part) => !isOurs(part)).join('&')
  const [, time = '', mac = ''] = VALUE.exec(parts.find(isOurs) ?? '') ?? []
  const textOf = (began: string): string => JSON.stringify([began, rest])
  if (secrets.verifyMac('sign-in', textOf(time), mac) && now - Number(time) <= MAX_TAKEN) {
    return { since: Number(time) - age }
  }
  return { begin: `${path}?${rest}&${BEGAN}=${now}.${secrets.mac('sign-in', textOf(String(now)))}` }
}

/** What the host is told of the wish. */
export function situationOf ({ silent, acrValues, loginHint }: SignInWish, since: number | undefined): SignInSituation {
  return {
    interactive: !silent,
    ...(since === undefined ? {} : { since }),
    ...(acrValues.length === 0 ? {} : { acrValues }),
    ...(loginHint === undefined ? {} : { loginHint })
  }
}

/**
 * Why a user has not signed in as the client wished (RFC 9470 §5), or `null`: `login_required` where no page may come
 * up, else `unmet_authentication_requirements`. A host that does not say when and how its users signed in cannot meet a
 * wish.
 */
export function whyUnmet (
  { authenticatedAt, acr }: SignedInUser, { silent, acrValues }: SignInWish, since: number | undefined
): OAuthError | null {
  const isFresh = since === undefined || (authenticatedAt !== undefined && authenticatedAt >= since)
  const isStrong = acrValues.length === 0 || acrValues.some((value) => value === acr)
  if (isFresh && isStrong) return null
  return new OAuthError({
    code: silent ? 'login_required' : 'unmet_authentication_requirements',
    description: 'the user has not signed in as it was asked for',
    reason: isFresh ? 'sign-in of another acr' : 'sign-in is not recent enough'
  })
}
