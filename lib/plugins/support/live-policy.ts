import type { ComponentRule, ScopeCatalogue, Servers, TagLimits } from '../../../types/access.js'
import { buildPolicy, type Policy, type PolicyInput } from '../../access/policy.js'
import { tagsOfRule } from '../../access/rules.js'
import { assertOptions, schemas } from '../../options.js'
import { buildScopeModel, type ScopeModel } from '../../protocol/scopes.js'
import { scopeOfTag, TAG_LIMITS } from '../../protocol/tags.js'
import { inOption } from './in-option.js'

/** The components of a server as they are at the moment. */
export interface LivePolicy {
  /** The catalogue, with the scopes of the tags that are live at the moment. */
  readonly model: ScopeModel
  /** The policy of this moment: to be held on to for one request at most. */
  policy (): Policy
  /** The tags of one of its rules, those of its server included. */
  tagsOf (rule: ComponentRule): readonly string[]
  /** The scopes of all tags, for `scopes_supported`; none where tags are not advertised. */
  advertised (): readonly string[]
  /**
   * Puts others in their place, all at once.
   * @throws {InvalidOptionError} for what would have stopped the boot; everything then stays as it was.
   */
  replace (components: readonly ComponentRule[], servers?: Servers): void
  /** Calls back after each replacement. */
  onReplace (listener: () => void): void
}

export interface LivePolicyInput extends Pick<PolicyInput, 'requireSenderConstraint' | 'tasks' | 'resource'> {
  readonly scopes: ScopeCatalogue
  readonly components?: readonly ComponentRule[] | undefined
  readonly servers?: Servers | undefined
  readonly tagLimits?: Partial<TagLimits> | undefined
  readonly advertiseTags?: boolean | undefined
}

interface Current {
  readonly policy: Policy
  readonly servers: Servers
}

/** @throws {InvalidOptionError} whose message starts with the path of the wrong member. */
export function buildLivePolicy (input: LivePolicyInput): LivePolicy {
  const { scopes, components = [], servers = {}, advertiseTags = true } = input
  const { requireSenderConstraint = false, tasks = false, resource = '' } = input
  const tagLimits = { ...TAG_LIMITS, ...input.tagLimits }
  // Copies: what the host does with its own objects afterwards changes nothing here.
  const circumstances = structuredClone({ requireSenderConstraint, tasks, resource })
  let tags: ReadonlySet<string> = new Set()
  const model = inOption('', () => buildScopeModel(scopes, () => tags))
  const listeners: Array<() => void> = []

  function build (components: readonly ComponentRule[], servers: Servers): Current {
    assertOptions(schemas.components, { components, servers })
    const own = structuredClone({ components, servers })
    const policy = inOption('', () => buildPolicy({ ...circumstances, ...own, model, tagLimits }))
    return { policy, servers: own.servers }
  }

  let live = build(components, servers)
  tags = live.policy.tags
  return {
    model,
    policy: () => live.policy,
    tagsOf: (rule) => [...tagsOfRule(rule, live.servers, 'components')],
    advertised: () => advertiseTags ? [...live.policy.tags].map(scopeOfTag) : [],
    replace (components, servers = live.servers) {
      live = build(components, servers)
      tags = live.policy.tags
      for (const listener of listeners) listener()
    },
    onReplace: (listener) => { listeners.push(listener) }
  }
}

// The scopes of an app cannot see each other, but they have one server.
const byServer = new WeakMap<object, Map<string, LivePolicy>>()

/** Makes the policy of a guarded resource known to the other parts of the app, wherever they are registered. */
export function shareLivePolicy (server: object, resource: string, live: LivePolicy): void {
  const known = byServer.get(server) ?? new Map<string, LivePolicy>()
  byServer.set(server, known.set(resource, live))
}

/** The policy of a resource that a guard of the same app has; `undefined` without such a guard. */
export function sharedLivePolicy (server: object, resource: string): LivePolicy | undefined {
  return byServer.get(server)?.get(resource)
}
