import type { FastifyReply, FastifyRequest } from 'fastify'

/** The user behind a browser, as the host (or the built-in accounts) knows it. */
export interface SignedInUser {
  /** Stable and unique within the issuer; becomes `sub`. 1 to 255 characters. */
  readonly subject: string
  /** How the consent page greets the user; the subject when left out. */
  readonly name?: string
  /**
   * Seconds since the Unix epoch at which the user signed in. Left out: tokens do not say it, and nothing that wants a
   * recent sign-in (`since`, a component's `assurance.maxAge`) is met. Milliseconds are refused as a mistake.
   */
  readonly authenticatedAt?: number
  /** How strong the sign-in was, in the host's own words (RFC 9470). */
  readonly acr?: string
  readonly amr?: readonly string[]
  /**
   * A path of this server to which the consent page's "Not you?" posts: signs the user out and leads back to
   * `request.url`. Left out: the page does not offer it.
   */
  readonly signOutAction?: string
}

export interface SignInSituation {
  /**
   * `false` where no other page can come in between: `prompt=none`, or a form that was just sent. Answer `null` then
   * when nobody is signed in, and leave the reply alone.
   */
  readonly interactive: boolean
  /**
   * Seconds since the Unix epoch (`prompt=login`, `max_age`): a sign-in before that does not do. Have the user sign in
   * again, and send the browser back to `request.url` as always. A user who signed in earlier is refused afterwards.
   */
  readonly since?: number
  /** `acr_values`: one of them has to be the `acr` of the answered user, who is refused otherwise. */
  readonly acrValues?: readonly string[]
  /** `login_hint`: who is likely to sign in, as the client says. Good for filling a field in, and for nothing else. */
  readonly loginHint?: string
}

/**
 * Answers who is signed in, or `null`. With `null` it has either answered the request itself (a redirect to the
 * host's sign-in page, which sends the browser back to `request.url`), or the user is told to sign in first.
 */
export type SignIn = (request: FastifyRequest, reply: FastifyReply, situation: SignInSituation) =>
SignedInUser | null | Promise<SignedInUser | null>
