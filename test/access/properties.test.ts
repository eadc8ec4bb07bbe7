import fc from 'fast-check'
import t from 'tap'
import { decide } from '../../lib/access/decide.js'
import { pinOf } from '../../lib/access/pins.js'
import { buildPolicy, type Policy } from '../../lib/access/policy.js'
import { callOf, isVisible } from '../../lib/access/visible.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import { readTagFilter } from '../../lib/protocol/tag-filter.js'
import type { AssuranceRule, Component, ComponentRule, Operation, TagFilter } from '../../types/access.js'
import type { Principal } from '../../types/principal.js'
import { principalWith } from '../helpers/guard.js'

/** Cases of each property. Together more than 100 000, which the last test counts. */
const CASES = 21_000
let cases = 0

/** Policies and cases are drawn anew in each run, and the same again with the seed of a run. */
const seed = Number(process.env.SEED ?? Math.trunc(Math.random() * 2 ** 31))
t.comment(`SEED=${seed}`)

const NOW = 1_700_000_000
const SCOPES = ['a', 'b', 'c', 'd']
const TAGS = ['x', 'y', 'z']
const ROLES = ['boss', 'owner']
const model = buildScopeModel({ a: 'A', b: { title: 'B', implies: ['a'] }, c: { title: 'C', implies: ['b'] }, d: 'D' })

const NAMES: readonly Component[] = [
  ...['one', 'two', 'three', 'none'].map((name) => ({ kind: 'tool', name }) as const),
  { kind: 'prompt', name: 'one' }, { kind: 'resourceTemplate', name: 'n://{id}' }, { kind: 'resourceTemplate', name: 'n://{+all}' },
  ...['n://1', 'n://ONE', 'n://1/2', 'n://1%2F2', 'n://1/..', 'n://{id}'].map((name) => ({ kind: 'resource', name }) as const)
]
const METHODS = ['tools/list', 'ping', 'initialize', 'tasks/get', 'admin/shutdown', 'tools/call']

const some = <T>(of: readonly T[], minLength = 0) => fc.subarray([...of], { minLength })
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 2 })

const demands = fc.record({
  scopes: fc.option(some(SCOPES), { nil: undefined, freq: 6 }),
  anyScope: maybe(some(SCOPES, 1)),
  tags: maybe(some(TAGS, 1)),
  server: maybe(fc.constantFrom('s')),
  roles: maybe(some(ROLES, 1)),
  senderConstrained: maybe(fc.boolean()),
  destructive: maybe(fc.boolean()),
  assurance: maybe(fc.constantFrom<AssuranceRule>(
    { maxAge: 60 }, { acr: ['gold'] }, { amr: ['otp'] }, { maxAge: 600, acr: ['tin', 'gold'], amr: ['pwd'] }
  ))
}).map((rule): Partial<ComponentRule> =>
  Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined)))

/** A rule that nothing would open asks for no scope instead, so that every policy can be built. */
function opened (rule: Partial<ComponentRule>): Partial<ComponentRule> {
  const byTag = rule.destructive !== true && (rule.tags ?? rule.server) !== undefined
  return byTag || (rule.scopes ?? rule.anyScope) !== undefined ? rule : { ...rule, scopes: [] }
}

const TARGETS: readonly Partial<ComponentRule>[] = [
  { tool: 'one' }, { tool: 'two' }, { tool: 'three' }, { prompt: 'one' }, { resource: 'n://1' }, { resource: 'n://1/2' },
  { resourceTemplate: 'n://{id}' }, { resourceTemplate: 'n://{+all}' }
]

// Building costs more than deciding: some policies, drawn once, for all cases.
const [drawn = []] = fc.sample(fc.array(fc.record({
  rules: fc.tuple(...TARGETS.map(() => demands)),
  bound: fc.constantFrom(false, false, true, { scopes: ['b'] }, { tags: ['x'] }),
  tasks: fc.boolean()
}), { minLength: 150, maxLength: 150 }), { seed, numRuns: 1 })

type Drawn = typeof drawn[number]

/** A policy of what was drawn, without the rule for one of the targets. */
const build = ({ rules, bound, tasks }: Drawn, left?: Partial<ComponentRule>): Policy => buildPolicy({
  model,
  components: rules.flatMap((rule, index) => TARGETS[index] === left ? [] : [{ ...opened(rule), ...TARGETS[index] }]),
  servers: { s: { tags: ['z'] } },
  requireSenderConstraint: bound,
  tasks
})

const policies = drawn.map((one) => build(one))
const policy = fc.constantFrom(...policies)
const ofResources = TARGETS.filter((target) => (target.resource ?? target.resourceTemplate) !== undefined)
const lessened = fc.constantFrom(...drawn.slice(0, 50).flatMap((one, index) =>
  ofResources.map((left) => ({ all: policies[index] ?? build(one), fewer: build(one, left) }))))
const scopes = some([...SCOPES, ...TAGS.map((tag) => `tag:${tag}`), 'tag:gone', 'strange'])
const powers = fc.record({
  scopes,
  roles: some(ROLES),
  acr: fc.constantFrom(null, 'tin', 'gold'),
  amr: some(['pwd', 'otp']),
  authenticatedAt: fc.constantFrom(null, NOW - 5000, NOW - 300, NOW - 1, NOW),
  confirmation: fc.constantFrom(null, { jkt: 'k' }),
  pins: fc.option(some(NAMES.map((name) => pinOf(name, ''))), { nil: undefined, freq: 1 })
})
type Powers = Pick<Principal, 'scopes' | 'roles' | 'acr' | 'amr' | 'authenticatedAt' | 'confirmation'> & {
  /** What the grant is pinned to; `undefined`: to nothing. */
  readonly pins: readonly string[] | undefined
}

const principal = ({ scopes: granted, pins, ...more }: Powers): Principal =>
  principalWith(granted, pins === undefined ? more : { ...more, consented: pins })

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...NAMES).map(callOf) },
  { weight: 1, arbitrary: fc.constantFrom(...METHODS).map((method): Operation => ({ type: 'message', method, component: null })) },
  { weight: 1, arbitrary: some(SCOPES).map((needed): Operation => ({ type: 'route', scopes: needed })) }
)
const filter: fc.Arbitrary<TagFilter | null> = fc.oneof(
  some(TAGS, 1).map((tags) => readTagFilter({ tags: tags.join() })),
  fc.constantFrom('x', 'not x', 'x or not x', 'not (x and y) or z', 'x and not x', 'not gone').map((text) => readTagFilter({ filter: text }))
)

const allows = (who: Powers, wanted: Operation, by: Policy, narrowed: TagFilter | null = null): boolean =>
  decide(principal(who), wanted, { policy: by, now: NOW, filter: narrowed }).allowed

let allowed = 0

/** Counts the cases, and those that open something: a property of what is always denied would show nothing. */
function holds (name: string, property: fc.IProperty<unknown>): void {
  t.test(`${name} (${CASES} cases)`, async () => {
    fc.assert(property, { numRuns: CASES, seed })
    cases += CASES
  })
}

holds('removing a scope never adds a reachable component', fc.property(powers, policy, operation, fc.nat(), (who, by, wanted, at) => {
  const before = allows(who, wanted, by)
  allowed += Number(before)
  const fewer = who.scopes.filter((_, index) => index !== at % Math.max(who.scopes.length, 1))
  return before || !allows({ ...who, scopes: fewer }, wanted, by)
}))

holds('whatever a filter says, it reaches no more than no filter', fc.property(powers, policy, operation, filter, (who, by, wanted, narrowed) => {
  const within = allows(who, wanted, by, narrowed)
  allowed += Number(within)
  return !within || allows(who, wanted, by)
}))

holds('an empty grant reaches nothing', fc.property(powers, policy, operation, filter, (who, by, wanted, narrowed) =>
  !allows({ ...who, scopes: who.scopes.filter((scope) => !by.knows(scope)) }, wanted, by, narrowed)))

holds('a list shows exactly what a call of it is not denied', fc.property(powers, policy, filter, fc.constantFrom(...NAMES),
  (who, by, narrowed, component) => {
    const circumstances = { policy: by, now: NOW, filter: narrowed }
    const shown = isVisible(principal(who), component, circumstances)
    allowed += Number(shown)
    return shown === decide(principal(who), callOf(component), circumstances).allowed
  }))

holds('more roles, a wider consent and a better sign-in never take anything away', fc.property(powers, powers, policy, operation, (who, more, by, wanted) => {
  const better: Powers = {
    scopes: [...who.scopes, ...more.scopes],
    roles: [...who.roles, ...more.roles],
    acr: who.acr ?? more.acr,
    amr: [...who.amr, ...more.amr],
    authenticatedAt: Math.max(who.authenticatedAt ?? 0, more.authenticatedAt ?? 0),
    confirmation: who.confirmation ?? more.confirmation,
    pins: who.pins === undefined || more.pins === undefined ? undefined : [...who.pins, ...more.pins]
  }
  return !allows(who, wanted, by) || allows(better, wanted, by)
}))

holds('what is missing is required, was not held, and is enough', fc.property(powers, policy, operation, (who, by, wanted) => {
  const decision = decide(principal(who), wanted, { policy: by, now: NOW })
  if (decision.allowed) return true
  if (!decision.missing.every((scope) => decision.required.includes(scope) && !who.scopes.includes(scope))) return false
  if (decision.reason !== 'insufficient-scope') return true
  const scopes = [...who.scopes, ...decision.missing]
  const after = decide(principal({ ...who, scopes }), wanted, { policy: by, now: NOW })
  return decision.missing.length > 0 && (after.allowed || after.reason !== 'insufficient-scope')
}))

holds('a rule more for a resource never opens it', fc.property(powers, lessened, fc.constantFrom(...NAMES).map(callOf),
  (who, { all, fewer }, wanted) => {
    const within = allows(who, wanted, all)
    allowed += Number(within)
    const decision = decide(principal(who), wanted, { policy: fewer, now: NOW })
    return !within || decision.allowed || ['unknown-component', 'empty-grant'].includes(decision.reason)
  }))

t.test('there were more than 100 000 cases, and thousands of them opened something', async (t) => {
  t.ok(cases > 100_000, `${cases} cases`)
  t.ok(allowed > 2000, `${allowed} allowed`)
  t.comment(`${cases} cases through decide, ${allowed} of them allowed`)
})
