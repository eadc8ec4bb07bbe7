import { isOpenedBy } from '../../access/opened-by.js'
import { pinsOpenedBy } from '../../access/pins.js'
import { resourcesOf } from '../../oauth/resources.js'
import type { ConsentDevice } from '../../pages/consent-device.js'
import type { ClientTrust } from '../../pages/client-trust.js'
import type { ConsentModel } from '../../pages/consent-page.js'
import type { ConsentComponent } from '../../pages/consent-scope.js'
import { isLoopbackRedirect, redirectHost } from '../../protocol/redirect-uri.js'
import type { ComponentRule } from '../../../types/access.js'
import type { Client, Grant } from '../../../types/oauth.js'
import type { SignedInUser } from '../../../types/sign-in.js'
import type { OAuthContext } from './context.js'
import type { OAuthResource } from './resources.js'

const UNITS = [[86_400, 'day'], [3600, 'hour'], [60, 'minute']] as const

/** A length of time in words, in the largest unit that fits. */
export function inWords (seconds: number): string {
  for (const [length, unit] of UNITS) {
    const count = Math.floor(seconds / length)
    if (count > 0) return count === 1 ? `1 ${unit}` : `${count} ${unit}s`
  }
  return 'less than a minute'
}

/**
 * What a scope opens. A component that needs several scopes stands under each of them, as long as all were asked for:
 * rather too often than not at all. One that needs none is opened by every scope.
 */
function openedBy (scope: string, asked: readonly string[], { model, components }: OAuthResource): ConsentComponent[] {
  if (!model.has(scope)) return []
  const opens = (rule: ComponentRule): boolean =>
    isOpenedBy(rule, { scope, asked, model, tags: components.tagsOf(rule) })
  return components.policy().components().filter(opens).map((rule) => ({
    title: String(rule.title ?? rule.tool ?? rule.prompt ?? rule.resource ?? rule.resourceTemplate),
    destructive: rule.destructive === true
  }))
}

/** The resources that a grant is for. */
function resourcesOfGrant (grant: Pick<Grant, 'resource' | 'furtherResources'>, context: OAuthContext): OAuthResource[] {
  const wanted = resourcesOf(grant)
  return context.resources.filter(({ resource }) => wanted.includes(resource))
}

/**
 * What a grant is pinned to: all that the page says of it and is destructive. A resource whose components are not known
 * here is named as such: to have asked for it, too, must not free the grant at the others.
 */
export function consentedBy (
  grant: Pick<Grant, 'resource' | 'furtherResources' | 'scopes'>, context: OAuthContext
): Pick<Grant, 'consented' | 'unpinned'> {
  const resources = resourcesOfGrant(grant, context)
  const known = resources.filter(({ pinned }) => pinned)
  if (known.length === 0) return {}
  const consented = known.flatMap(({ components, model }) =>
    pinsOpenedBy(grant.scopes, { policy: components.policy(), model }))
  const unpinned = resources.filter(({ pinned }) => !pinned).map(({ resource }) => resource)
  return { consented: [...new Set(consented)], ...(unpinned.length === 0 ? {} : { unpinned }) }
}

function trustIn ({ origin, clientId, issuedAt }: Client, now: number): ClientTrust {
  if (origin === 'dynamic') return { by: 'nobody', since: inWords(now - issuedAt) }
  return origin === 'document' ? { by: 'document', host: new URL(clientId).host } : { by: 'operator' }
}

/** What the consent page says about a grant (AS-C1). Everything is ticked: the user unticks. */
export function buildConsentModel (context: OAuthContext, { client, grant, user, handle, csrf, now, device }: {
  readonly client: Client
  readonly grant: Grant
  readonly user: SignedInUser
  readonly handle: string
  readonly csrf: string
  readonly now: number
  readonly device?: ConsentDevice
}): ConsentModel {
  const { endpoints, model } = context
  const resources = resourcesOfGrant(grant, context)
  return {
    user: user.name ?? user.subject,
    clientName: client.metadata.client_name ?? '',
    clientId: client.clientId,
    trust: trustIn(client, now),
    ...(device === undefined
      ? { loopback: isLoopbackRedirect(grant.redirectUri), redirectHost: redirectHost(grant.redirectUri), device: null }
      : { loopback: false, redirectHost: '', device }),
    site: context.resourceName,
    resources: resources.map(({ resource, name }) => ({ resource, name })),
    scopes: grant.scopes.map((name) => {
      const description = model.description(name)
      return {
        name,
        title: model.title(name),
        ...(description === undefined ? {} : { description }),
        checked: true,
        components: resources.flatMap((resource) => openedBy(name, grant.scopes, resource))
      }
    }),
    rememberedFor: grant.terms === undefined ? null : inWords(context.store.lifetimes.consent),
    details: (grant.authorizationDetails ?? []).map(context.detailTypes.describe),
    action: `${endpoints.authorization.path}/consent`,
    handle,
    csrf,
    ...(user.signOutAction === undefined ? {} : { signOutAction: user.signOutAction })
  }
}
