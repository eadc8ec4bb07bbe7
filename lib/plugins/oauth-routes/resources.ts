import { isDeepStrictEqual } from 'node:util'
import type { TokenResource } from '../../oauth/resources.js'
import type { RequestableResource } from '../../protocol/authorization-request.js'
import type { SenderMetadata } from '../../protocol/resource-metadata.js'
import { assertResource } from '../../protocol/resource-uri.js'
import { buildScopeModel, type ScopeModel } from '../../protocol/scopes.js'
import type { ScopeCatalogue, TagLimits } from '../../../types/access.js'
import type { OAuthRoutesOptions, ResourceOptions } from '../../../types/oauth-options.js'
import type { PkceStore } from '../pkce-store.js'
import { defaultScopesOf } from '../support/default-scopes.js'
import { inOption } from '../support/in-option.js'
import { buildLivePolicy, sharedLivePolicy, type LivePolicy } from '../support/live-policy.js'
import { senderMetadataOf } from '../support/sender-metadata.js'

/** A resource that clients get tokens for, with all that is said about it. */
export interface OAuthResource extends TokenResource, RequestableResource {
  /** How people call it. */
  readonly name: string
  /** Its own scopes and tags. */
  readonly model: ScopeModel
  /** As they are at the moment. */
  readonly components: Pick<LivePolicy, 'policy' | 'tagsOf' | 'onReplace'>
  /** Whether grants are pinned to what the consent page says: not where it knows no components at all. */
  readonly pinned: boolean
  /** The scopes of tags that the metadata names at the moment. */
  advertisedTags (): readonly string[]
  /** What it takes besides bearer tokens. */
  readonly sender: SenderMetadata
}

/** At least one: the first is what a request without `resource` means. */
export type OAuthResources = readonly [OAuthResource, ...OAuthResource[]]

interface Circumstances {
  /** Of the Fastify instance, which all scopes of an app share. */
  readonly server: object
  readonly store: PkceStore
}

/** Its own, or else those of the guard of this resource. */
function componentsOf (server: object, options: ResourceOptions & { readonly scopes: ScopeCatalogue }): LivePolicy {
  const shared = options.components === undefined ? sharedLivePolicy(server, options.resource) : undefined
  if (shared === undefined) return buildLivePolicy(options)
  if (options.servers === undefined) return shared
  throw new TypeError('servers cannot be given without components: those of the guard have theirs')
}

function buildResource (
  options: ResourceOptions & { readonly scopes: ScopeCatalogue, readonly tagLimits?: Partial<TagLimits> | undefined },
  { server, store }: Circumstances
): OAuthResource {
  const { resource, resourceName, advertiseTags = true } = options
  inOption('resource ', () => { assertResource(resource) })
  const components = componentsOf(server, options)
  const model = buildScopeModel(options.scopes, () => components.policy().tags)
  return {
    resource,
    name: resourceName ?? new URL(resource).host,
    model,
    offers: model.has,
    defaultScopes: defaultScopesOf(model, options.defaultScopes),
    components,
    pinned: options.components !== undefined || sharedLivePolicy(server, resource) !== undefined,
    advertisedTags: advertiseTags ? components.advertised : () => [],
    sender: senderMetadataOf(options),
    accessTokenLifetime: options.accessTokenLifetime ?? store.lifetimes.accessToken,
    accessTokenFormat: options.accessTokenFormat ?? store.accessTokenFormat
  }
}

/**
 * The resources of an authorization server: `resource` first, then `resources`, which have its scopes unless they bring
 * their own.
 * @throws {InvalidOptionError} whose message starts with the path of the wrong member.
 */
export function buildResources (options: OAuthRoutesOptions, circumstances: Circumstances): OAuthResources {
  const { scopes, tagLimits } = options
  const first = inOption('', () => buildResource(options, circumstances))
  const others = (options.resources ?? []).map((further, index) => inOption(`resources.${index}.`, () =>
    buildResource({ scopes, tagLimits, ...further }, circumstances)))
  others.forEach(({ resource }, index) => {
    const before = [first, ...others.slice(0, index)].some((one) => one.resource === resource)
    if (before) inOption(`resources.${index}.`, () => { throw new TypeError('resource is another one already') })
  })
  return [first, ...others]
}

/** Every scope that one of the resources has. One name means one thing: people agree to it on one page. */
function catalogueOf ({ scopes, resources = [] }: OAuthRoutesOptions): ScopeCatalogue {
  const all = new Map(Object.entries(scopes))
  resources.forEach(({ scopes: own = {} }, index) => {
    for (const [name, definition] of Object.entries(own)) {
      if (!isDeepStrictEqual(all.get(name) ?? definition, definition)) {
        throw new TypeError(`resources.${index}.scopes.${name} must be the same as at the other resources that have it`)
      }
      all.set(name, definition)
    }
  })
  return Object.fromEntries(all)
}

/**
 * The scopes and tags of all resources together.
 * @throws {InvalidOptionError} when two resources mean different things by one name.
 */
export function modelOfAll (options: OAuthRoutesOptions, resources: OAuthResources): ScopeModel {
  const tags = (): ReadonlySet<string> => new Set(resources.flatMap(({ components }) => [...components.policy().tags]))
  if (resources.length === 1) return resources[0].model
  return inOption('', () => buildScopeModel(catalogueOf(options), tags))
}
