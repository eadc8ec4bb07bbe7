import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import type { ComponentRule } from '../../types/access.js'
import type { TokenVerifier } from '../../types/principal.js'
import { buildApp } from '../helpers/build-app.js'
import { bearer, call, guardOptions, principalWith } from '../helpers/guard.js'

/** Rounds of each property; each asks a real Fastify for a list and for every call of it. */
const ROUNDS = 100

const COMPONENTS: readonly ComponentRule[] = [
  { tool: 'whoami', scopes: [] },
  { tool: 'search', scopes: ['notes:read'], tags: ['db'] },
  { tool: 'rename', anyScope: ['notes:write', 'profile'], tags: ['db', 'crm'] },
  { tool: 'delete', scopes: ['notes:write', 'profile'], tags: ['crm'], destructive: true },
  { tool: 'export', tags: ['crm'] },
  { tool: 'pay', scopes: ['profile'], assurance: { amr: ['otp'] } },
  { tool: 'audit', scopes: ['profile'], roles: ['boss'] }
]
const NAMES = [...COMPONENTS.map(({ tool }) => String(tool)), 'unknown', 'Search', '__proto__']
const SCOPES = ['notes:read', 'notes:write', 'profile', 'admin', 'tag:db', 'tag:crm', 'tag:gone', 'openid']
const QUERIES = ['', '?tags=db', '?tags=db,crm', '?filter=not%20db', '?filter=crm%20or%20not%20crm', '?tags=gone']

/** A token is the list of what it grants, so that every principal can be had. */
const verifier: TokenVerifier = {
  recall: () => undefined,
  async verify (token) {
    const granted: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    if (!Array.isArray(granted)) throw new InvalidTokenError('no list')
    const has = (word: string) => granted.includes(word)
    return principalWith(granted.map(String), { roles: has('boss') ? ['boss'] : [], amr: has('otp') ? ['otp'] : [] })
  }
}
const tokenOf = (granted: readonly string[]): string => Buffer.from(JSON.stringify(granted)).toString('base64url')

const ran: string[] = []
const app: FastifyInstance = buildApp(t)
await app.register(scopeGuard, guardOptions({ components: COMPONENTS, verifier }))
app.post<{ Body: { method: string, params: { name: string } } }>('/mcp', async ({ body }) => {
  if (body.method === 'tools/list') return { jsonrpc: '2.0', id: 1, result: { tools: NAMES.map((name) => ({ name, inputSchema: {} })) } }
  ran.push(body.params.name)
  return { jsonrpc: '2.0', id: 1, result: { content: [] } }
})

const post = (granted: readonly string[], query: string, payload: object) =>
  app.inject({ method: 'POST', url: `/mcp${query}`, headers: bearer(tokenOf(granted)), payload })

/** The tools whose handler ran. What was refused and ran, or was answered and did not run, would show here. */
async function reached (granted: readonly string[], query = ''): Promise<readonly string[]> {
  ran.length = 0
  const answered: string[] = []
  for (const name of NAMES) {
    const { statusCode } = await post(granted, query, call('tools/call', { name, arguments: {} }))
    if (statusCode === 200) answered.push(name)
  }
  t.strictSame(ran, answered)
  return answered
}

async function listed (granted: readonly string[], query: string): Promise<readonly string[]> {
  const response = await post(granted, query, call('tools/list'))
  if (response.statusCode !== 200) return []
  return response.json<{ result: { tools: { name: string }[] } }>().result.tools.map(({ name }) => name)
}

const grant = fc.subarray([...SCOPES, 'boss', 'otp'])

t.test('17. the tools of a list are the tools that run when called, whoever asks and however the list is narrowed', async (t) => {
  let shown = 0
  await fc.assert(fc.asyncProperty(grant, fc.constantFrom(...QUERIES), async (granted, query) => {
    const list = await listed(granted, query)
    shown += list.length
    return list.join() === (await reached(granted, query)).join()
  }), { numRuns: ROUNDS })
  t.ok(shown > ROUNDS / 2, `${shown} tools were listed`)
})

t.test('17. with a scope less no tool runs that did not run before', async () => {
  await fc.assert(fc.asyncProperty(grant, fc.nat(), async (granted, at) => {
    const before = await reached(granted)
    const fewer = granted.filter((_, index) => index !== at % Math.max(granted.length, 1))
    return (await reached(fewer)).every((name) => before.includes(name))
  }), { numRuns: ROUNDS })
})

t.test('17. whatever the client narrows by, nothing runs that would not run without', async () => {
  const text = fc.array(fc.constantFrom('db', 'crm', 'not', 'or', 'and', '(', ')', 'gone'), { maxLength: 6 })
  const query = fc.oneof(fc.constantFrom(...QUERIES), text.map((words) => `?filter=${encodeURIComponent(words.join(' '))}`))
  await fc.assert(fc.asyncProperty(grant, query, async (granted, narrowed) => {
    const before = await reached(granted)
    return (await reached(granted, narrowed)).every((name) => before.includes(name))
  }), { numRuns: ROUNDS })
})

interface Expression {
  readonly text: string
  /** What the text means, worked out beside the text and not from it. */
  readonly holds: (tags: readonly string[]) => boolean
}

const expression = fc.letrec<{ whole: Expression }>((tie) => ({
  whole: fc.oneof({ maxDepth: 3, withCrossShrink: true },
    fc.constantFrom('db', 'crm', 'gone').map((tag): Expression => ({ text: tag, holds: (tags) => tags.includes(tag) })),
    tie('whole').map(({ text, holds }): Expression => ({ text: `not (${text})`, holds: (tags) => !holds(tags) })),
    fc.tuple(tie('whole'), tie('whole')).map(([a, b]): Expression =>
      ({ text: `(${a.text}) and (${b.text})`, holds: (tags) => a.holds(tags) && b.holds(tags) })),
    fc.tuple(tie('whole'), tie('whole')).map(([a, b]): Expression =>
      ({ text: `(${a.text}) or (${b.text})`, holds: (tags) => a.holds(tags) || b.holds(tags) })))
})).whole

const tagsOf = (name: string): readonly string[] => COMPONENTS.find(({ tool }) => tool === name)?.tags ?? []

t.test('17. what runs under a filter is what would run without and carries the tags that it asks for', async (t) => {
  let left = 0
  let taken = 0
  await fc.assert(fc.asyncProperty(grant, expression, async (granted, { text, holds }) => {
    const before = await reached(granted)
    const wanted = before.filter((name) => holds(tagsOf(name)))
    left += wanted.length
    taken += before.length - wanted.length
    return (await reached(granted, `?filter=${encodeURIComponent(text)}`)).join() === wanted.join()
  }), { numRuns: ROUNDS })
  t.ok(left > 0 && taken > 0, `${left} tools were left, ${taken} taken away`)
})

t.test('17. a grant of nothing that the catalogue or a component knows runs nothing and lists nothing', async (t) => {
  for (const granted of [[], ['openid'], ['tag:gone'], ['boss', 'otp'], ['tag:*', 'Admin', 'admin ']]) {
    t.strictSame(await reached(granted), [])
    t.strictSame(await listed(granted, ''), [])
  }
})
