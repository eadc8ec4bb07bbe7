import type { Confirmation } from './sender-constraint.js'

export type * from './clients.js'

/** The refresh half of an active grant. Digests and sealed text only. */
export interface RefreshState {
  /** SHA-256 of the token that is good now. */
  readonly current: string
  /** SHA-256 of the one before it, `null` until the first rotation. */
  readonly previous: string | null
  readonly rotatedAt: number
  /** The answer that `previous` got, sealed under a key derived from that token. */
  readonly answer: string | null
  /** The resource of that answer's access token; the grant's first one in older records. */
  readonly answerFor?: string
}

/** `jwt`: signed, RFC 9068. `opaque`: says nothing to anybody, and is looked up by its digest. */
export type AccessTokenFormat = 'jwt' | 'opaque'

/** What a client asks for in more words than a scope has (RFC 9396). */
export type AuthorizationDetail = Readonly<Record<string, unknown>> & { readonly type: string }

/** An opaque access token that is out. No text of it, only its digest. */
export interface OpaqueAccessToken {
  /** SHA-256 of the token. */
  readonly digest: string
  readonly issuer: string
  /** Its audience; the grant's first resource in older records. */
  readonly resource?: string
  readonly scopes: readonly string[]
  /** Left out: none. */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** What the token is bound to; not there for a bearer token. */
  readonly confirmation?: Confirmation
  readonly issuedAt: number
  /** Seconds since the Unix epoch; the token is dead at this second. */
  readonly expiresAt: number
}

/**
 * One authorization from the first page to the last token: one record, so that each step is one atomic verb.
 * `requested` (the consent page is open) -> `approved` (a code is out) -> `active` (tokens are out) -> removed.
 */
export interface Grant {
  readonly status: 'requested' | 'approved' | 'active'
  readonly grantId: string
  readonly clientId: string
  /** The user; `null` for a client that acts for itself (RS-19). */
  readonly subject: string | null
  /** Empty when no browser took part. */
  readonly redirectUri: string
  /** Canonical. */
  readonly resource: string
  /** Others that the user is asked about together with it. Each access token is for one of them all. */
  readonly furtherResources?: readonly string[]
  /** What the user is asked for besides scopes, all of it or nothing. */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** Asked for while `requested`; what the user ticked from then on. Never grows. */
  readonly scopes: readonly string[]
  /** `null` when the client sent none, and from the exchange on. */
  readonly state: string | null
  /** Empty when no browser took part. */
  readonly codeChallenge: string
  /** Thumbprint of the DPoP key that the code is bound to (`dpop_jkt`, RFC 9449 §10). Not there without one. */
  readonly codeKey?: string
  /** `null` when nobody signed in, or nobody knows when. */
  readonly authenticatedAt: number | null
  readonly acr: string | null
  readonly amr: readonly string[]
  readonly createdAt: number
  /** SHA-256 of the consent page's handle; empty without one. */
  readonly handleDigest: string
  /** SHA-256 of the code, from `approved` on. */
  readonly codeDigest: string | null
  /** When the code was exchanged. */
  readonly exchangedAt: number | null
  readonly refresh: RefreshState | null
  /** Of a grant that a device asked for (RFC 8628): what it asked with, and until when it may fetch its tokens. */
  readonly device?: { readonly deviceId: string, readonly endsAt: number }
  /**
   * What the refresh tokens of a public client are bound to (RFC 9449 §5, RFC 8705 §4). Not there when they are bound
   * to nothing, or by the client's own authentication.
   */
  readonly confirmation?: Confirmation
  /** Whether earlier refresh tokens were bound to nothing: who shows one of those need not have the key. */
  readonly boundLater?: boolean
  /** The opaque access tokens that are out, the oldest first. Not there before the exchange, and in older records. */
  readonly accessTokens?: readonly OpaqueAccessToken[]
  /** Seconds since the Unix epoch after which no refresh is possible, however active. */
  readonly endsAt: number
  /**
   * The destructive components that the consent page named under the granted scopes, each as 16 characters of a digest.
   * Never grows. Not there where no page named any component.
   */
  readonly consented?: readonly string[]
  /** Those of its resources to which `consented` means nothing: no page could say what they have. */
  readonly unpinned?: readonly string[]
  /** Digest of what has to stay the same for the user's answer to be remembered. Not there when it is not. */
  readonly terms?: string
  /** Who acts for the user, where somebody else than the client does. */
  readonly actor?: Actor
  /** Who alone may exchange its tokens (RFC 8693 §4.4). */
  readonly mayAct?: Actor
}

/** Who acts for the user of a token, and for whom that one acts (RFC 8693 §4.1). */
export interface Actor {
  readonly sub: string
  readonly iss?: string
  readonly act?: Actor
}

/** What a user agreed to, so that the same question need not be asked again for a while. */
export interface RememberedConsent {
  readonly subject: string
  readonly clientId: string
  readonly redirectUri: string
  readonly resource: string
  /** What was ticked. */
  readonly scopes: readonly string[]
  /** As in the grant. */
  readonly consented?: readonly string[]
  /** Digest of the client's metadata and all else that was asked. */
  readonly terms: string
  /** Seconds since the Unix epoch. */
  readonly grantedAt: number
}

/** How long things live, in seconds. */
export interface Lifetimes {
  /** 120 to 3600. Default 900. */
  readonly accessToken: number
  /** 10 to 600. Default 60. */
  readonly code: number
  /** How long a consent page stays good. 60 to 3600. Default 600. */
  readonly authorization: number
  /** A refresh token that is not used for so long is dead. Default 14 days. */
  readonly refreshIdle: number
  /** A grant ends after so long, however active. Default 90 days. */
  readonly refreshAbsolute: number
  /** How long a repeat of the previous refresh token gets the very same answer. 0 to 120. Default 30. */
  readonly refreshRepeat: number
  /** How long a user's consent is remembered. 0: it is asked for each time. At most 10 years. Default 30 days. */
  readonly consent: number
  /** A registered client that nobody ever authorized is forgotten after so long. Default 1 day. */
  readonly unusedClient: number
  /** A registered client is forgotten so long after it was last authorized. Default 180 days. */
  readonly idleClient: number
}
