import type { FastifyReply, FastifyRequest } from 'fastify'

/** The user behind a browser, as the host (or the built-in accounts) knows it. */
export interface SignedInUser {
  /** Stable and unique within the issuer; becomes `sub`. 1 to 255 characters. */
  readonly subject: string
  /** How the consent page greets the user; the subject when left out. */
  readonly name?: string
  /** Seconds since the Unix epoch at which the user signed in. */
  readonly authenticatedAt?: number
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
}

/**
 * Answers who is signed in, or `null`. With `null` it has either answered the request itself (a redirect to the
 * host's sign-in page, which sends the browser back to `request.url`), or the user is told to sign in first.
 */
export type SignIn = (request: FastifyRequest, reply: FastifyReply, situation: SignInSituation) =>
SignedInUser | null | Promise<SignedInUser | null>
