import type { TSchema } from '@sinclair/typebox'
import type { Agent } from 'node:https'
import type { ComponentRule, ScopeCatalogue, SenderConstraint, Servers, TagLimits } from './access.js'
import type { GrantOptions } from './grant-options.js'
import type { AccessTokenFormat } from './oauth.js'
import type { ClientCertificateOptions, DpopOptions } from './sender-constraint.js'
import type { RegistrationOptions } from './registration-options.js'
import type { SignIn } from './sign-in.js'

/** Deviations for real clients, each by name. */
export interface Leniencies {
  /** A request without `resource` means the one configured resource (revision 2025-03-26). */
  readonly missingResource: boolean
  /** `http://localhost` redirect URIs match with any port, as RFC 8252 §7.3 says for loopback addresses. */
  readonly localhostAnyPort: boolean
  /** A valid repeat of a code within 5 seconds is refused without revoking what the first exchange issued. */
  readonly codeRepeat: boolean
  /**
   * A client assertion may be for the URL of an endpoint that asks for one, or for the issuer with a slash behind it,
   * where rfc7523bis takes the issuer only.
   */
  readonly assertionAudience: boolean
  /** A client may show the same assertion again until it expires, as the SDK with a fixed assertion does. */
  readonly assertionReuse: boolean
  /** A repeat of the previous refresh token within `lifetimes.refreshRepeat` gets the very same answer. */
  readonly refreshRepeat: boolean
  /** A client that registered with a secret and named no method may send it by HTTP Basic or in the body. */
  readonly eitherSecretMethod: boolean
  /** A client that did not register as `native` may have redirect URIs on loopback or with a private-use scheme. */
  readonly loopbackWebClient: boolean
}

export type LeniencyName = keyof Leniencies

/** What the server has. The guard opens it, the consent page says what a scope opens. */
export interface ComponentsOptions {
  /**
   * What no rule names is denied to everybody. `oauthRoutes` takes those of the `scopeGuard` before it that guards the
   * same resource when it is given none, also those that are put in their place at run time.
   */
  readonly components?: readonly ComponentRule[]
  /** The backends that `server` of a component names, with the tags that all of its components carry. */
  readonly servers?: Servers
  /** Bounds for tags in scopes, `?tags=`, `?filter=`. Default: 100 and 50 characters, 50 tags, none of them twice. */
  readonly tagLimits?: Partial<TagLimits>
  /** Whether `scopes_supported` names the scopes of all tags, to everybody. Default `true`. */
  readonly advertiseTags?: boolean
}

export interface OAuthRoutesOptions extends ComponentsOptions, GrantOptions {
  /** https (http only on loopback), no query, no fragment, no trailing slash. Compared byte by byte by clients. */
  readonly issuer: string
  /** The MCP endpoint's URL. The audience of every token. */
  readonly resource: string
  readonly resourceName?: string
  /** Further resources that this server issues tokens for. Each has a guard of its own, here or elsewhere. */
  readonly resources?: readonly ResourceOptions[]
  readonly scopes: ScopeCatalogue
  /** What a client gets that asks for none, and what the first challenge names. Default: see README. */
  readonly defaultScopes?: readonly string[]
  /**
   * Authorization details that clients may ask for (RFC 9396), by their `type`. Who calls finds what was granted in
   * `request.mcpAuth.claims.authorization_details`. Default none: the parameter means nothing.
   */
  readonly authorizationDetails?: Readonly<Record<string, AuthorizationDetailType>>
  /** Who the user is. Needed unless the built-in accounts are registered. */
  readonly signIn?: SignIn
  /**
   * Clients whose id is the https URL of a document about them (client ID metadata documents), fetched from public
   * addresses only, when a user has signed in. `false`: such ids are unknown. Default: every document.
   */
  readonly clientDocuments?: ClientDocumentsOptions | false
  /**
   * Another origin of the same app, where TLS asks clients for a certificate, which browsers would show people a dialog
   * for: `mtls_endpoint_aliases` names it (RFC 8705 §5). DPoP proofs still name the usual URL. Needs
   * `clientCertificate`.
   */
  readonly certificateOrigin?: string
  /** How the keys of clients that name a `jwks_uri` are fetched: from public addresses only. */
  readonly clientKeys?: ClientKeysOptions
  /**
   * Authorization requests that clients send ahead (RFC 9126, `/par`): `required` refuses all others. Default
   * `optional`.
   */
  readonly pushedRequests?: 'off' | 'optional' | 'required'
  /**
   * Whether devices without a browser can ask for a code that a person types at `/device` (RFC 8628). Default `false`:
   * whoever gets somebody to type a code gets into that account, so it is for operators who have such devices.
   */
  readonly deviceAuthorization?: boolean
  /**
   * `false`: clients cannot register themselves and the endpoint is not advertised. `true`, the default: everybody may.
   * Or who may.
   */
  readonly registration?: boolean | RegistrationOptions
  /** Private-use redirect schemes, such as `cursor`, that may be registered. Default none (AS-A4). */
  readonly redirectSchemes?: readonly string[]
  readonly leniencies?: Partial<Leniencies>
  /** Switches every leniency off, whatever `leniencies` says. Default `false`. */
  readonly strict?: boolean
  /** As for `scopeGuard`: the metadata of the resource says it (RS-7). */
  readonly dpop?: DpopOptions
  /** As for `scopeGuard`: the metadata of the resource says it. */
  readonly clientCertificate?: ClientCertificateOptions
  /** As for `scopeGuard`: the metadata of the resource says it, when everything needs bound tokens. */
  readonly requireSenderConstraint?: SenderConstraint
}

/** One type of authorization details. */
export interface AuthorizationDetailType {
  /**
   * Everything besides `type`: a TypeBox object with `additionalProperties: false`, and so is every object in it. What
   * does not fit is refused.
   */
  readonly schema: TSchema
  /** What the consent page says about one that fits. One with a line of more than 300 characters is refused. */
  readonly describe: (detail: Readonly<Record<string, unknown>>) => string
}

/**
 * A further resource of an authorization server, as its guard has it. A client names it by `resource` (RFC 8707); a
 * token is for one resource, also when a user agreed to several at once.
 */
export interface ResourceOptions {
  /** Its URL: the audience of its tokens. On the origin of `issuer`, or of the first, its metadata is served here. */
  readonly resource: string
  readonly resourceName?: string
  /** What it knows. A scope that several resources have means the same at each. Default: those of the first. */
  readonly scopes?: ScopeCatalogue
  readonly defaultScopes?: readonly string[]
  /** Default: those of the `scopeGuard` of this resource that is registered before. */
  readonly components?: readonly ComponentRule[]
  readonly servers?: Servers
  readonly advertiseTags?: boolean
  /** Seconds. 60 to 3600. Default `lifetimes.accessToken`. */
  readonly accessTokenLifetime?: number
  /** Default that of `pkceStore`. */
  readonly accessTokenFormat?: AccessTokenFormat
  readonly dpop?: DpopOptions
  readonly clientCertificate?: ClientCertificateOptions
  readonly requireSenderConstraint?: SenderConstraint
}

export interface ClientKeysOptions {
  /** How to get out, an egress proxy for instance. One that resolves names by itself has to refuse private ones. */
  readonly agent?: Agent
  /** Also keys on this machine: for development. Default `false`. */
  readonly loopback?: boolean
}

export interface ClientDocumentsOptions {
  /**
   * Which documents count; anything but `true` refuses. Asked for each authorization, whether the document has to be
   * fetched for it or not. What was authorized before goes on: `grants.revokeClient` ends it. Default: every one.
   */
  readonly allow?: (clientId: URL) => boolean | Promise<boolean>
  /** How to get out, an egress proxy for instance. One that resolves names by itself has to refuse private ones. */
  readonly agent?: Agent
  /** Also documents on this machine: for development. Default `false`. */
  readonly loopback?: boolean
}
