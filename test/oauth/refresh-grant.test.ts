import fc from 'fast-check'
import { decodeJwt } from 'jose'
import t from 'tap'
import { mintRefreshToken } from '../../lib/oauth/refresh-token.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { RefreshState } from '../../types/oauth.js'
import { failingStore } from '../helpers/failing-store.js'
import {
  addClient, authorize, buildContext, LIFETIMES, openFamily, refresh, RESOURCE, SECRETS, START, type ContextInput
} from '../helpers/token-context.js'

async function withFamily (input: ContextInput = {}) {
  const context = buildContext(input)
  const family = await openFamily(context)
  return {
    context,
    ...family,
    /** Presents a refresh token; answers the tokens and the text they came in. */
    use: (token: string, now = START, members: Readonly<Record<string, string>> = {}) =>
      refresh(context, { client_id: family.clientId, refresh_token: token, ...members }, now),
    isLive: (now = START) => context.grants.isLive(family.grantId, now)
  }
}

const refused = (promise: Promise<unknown>) => promise.then(
  () => { throw new Error('it was not refused') }, (error: unknown) => error)

t.test('a refresh token is exchanged for a new one and a new access token', async (t) => {
  const { use, refreshToken, grantId, clientId } = await withFamily()

  const { tokens, event } = await use(refreshToken, START + 600)

  t.match(tokens, { token_type: 'Bearer', expires_in: 900, scope: 'notes:read notes:write' })
  t.not(tokens.refresh_token, refreshToken)
  t.match(decodeJwt(tokens.access_token), { sub: 'alice', aud: RESOURCE, exp: START + 1500, grant_id: grantId })
  t.match(event, {
    type: 'token.issued',
    operation: 'refresh_token',
    subject: 'alice',
    clientId,
    grantId,
    scopesGranted: ['notes:read', 'notes:write']
  })
})

t.test('a repeat inside the window gets the very same answer and says so to the audit', async (t) => {
  const { use, refreshToken } = await withFamily()
  const first = await use(refreshToken)

  const repeat = await use(refreshToken, START + LIFETIMES.refreshRepeat - 1)

  t.equal(repeat.body, first.body)
  t.equal(repeat.event.type, 'token.repeated')
  t.ok((await use(first.tokens.refresh_token ?? '', START + 29)).tokens)
})

t.test('of two hundred identical refreshes at once all get one answer', async (t) => {
  const { use, refreshToken, isLive } = await withFamily()

  const all = await Promise.all(Array.from({ length: 200 }, () => use(refreshToken)))

  t.equal(new Set(all.map(({ body }) => body)).size, 1)
  t.equal(all.filter(({ event }) => event.type === 'token.issued').length, 1)
  t.equal(await isLive(), true)
})

t.test('the previous token after the window kills its family, and no other one of the same user', async (t) => {
  const family = await withFamily()
  const other = await openFamily(family.context)
  const { tokens } = await family.use(family.refreshToken)
  const late = START + LIFETIMES.refreshRepeat

  const error = await refused(family.use(family.refreshToken, late))

  t.match(error, { code: 'invalid_grant', events: [{ type: 'refresh.reused' }, { type: 'grant.revoked' }] })
  t.equal(await family.isLive(late), false)
  await t.rejects(family.use(tokens.refresh_token ?? '', late), { code: 'invalid_grant' })
  t.ok((await refresh(family.context, { client_id: other.clientId, refresh_token: other.refreshToken }, late)).tokens)
})

t.test('the token before the last kills its family, even inside the window', async (t) => {
  const { use, refreshToken, isLive } = await withFamily()
  const { tokens } = await use(refreshToken)
  await use(tokens.refresh_token ?? '')

  await t.rejects(use(refreshToken), { code: 'invalid_grant', reason: 'refresh token reused' })
  t.equal(await isLive(), false)
})

t.test('without a window every reuse kills the family', async (t) => {
  const { use, refreshToken, isLive } = await withFamily({ lifetimes: { refreshRepeat: 0 } })
  await use(refreshToken)

  await t.rejects(use(refreshToken), { code: 'invalid_grant' })
  t.equal(await isLive(), false)
})

t.test('without the leniency a repeat revokes the family at once; with it, it is said that it was needed', async (t) => {
  const strict = await withFamily({ leniencies: { refreshRepeat: false } })
  await strict.use(strict.refreshToken)
  await t.rejects(strict.use(strict.refreshToken), { code: 'invalid_grant' })
  t.equal(await strict.isLive(), false)

  const lenient = await withFamily()
  t.notOk('leniencies' in await lenient.use(lenient.refreshToken))
  t.same((await lenient.use(lenient.refreshToken)).leniencies, ['refreshRepeat'])
})

t.test('a token of ours that was never handed out kills the family as well', async (t) => {
  const { use, grantId, isLive } = await withFamily()

  await t.rejects(use(mintRefreshToken(grantId, SECRETS)), { code: 'invalid_grant', reason: 'refresh token reused' })
  t.equal(await isLive(), false)
})

t.test('a token that we did not issue does nothing to the family that it names', async (t) => {
  const { use, refreshToken, grantId, isLive } = await withFamily()
  const [, secret = '', tag = ''] = refreshToken.split('.')

  for (const guess of ['x', `${grantId}.${secret}.${'A'.repeat(43)}`, `${grantId}.${'A'.repeat(43)}.${tag}`]) {
    await t.rejects(use(guess), { code: 'invalid_grant', reason: 'not a refresh token of ours' })
  }
  t.equal(await isLive(), true)
  t.ok((await use(refreshToken)).tokens)
})

t.test('another client can neither use a token, nor kill the family with an old one', async (t) => {
  const { context, grantId, use, refreshToken, isLive } = await withFamily()
  const { client } = await addClient(context)
  const theirs = { client_id: client.clientId }

  t.match(await refused(use(refreshToken, START, theirs)), {
    code: 'invalid_grant', events: [{ type: 'token.refused', clientId: client.clientId, grantId }]
  })
  await use(refreshToken)
  await t.rejects(use(refreshToken, START + 100, theirs), { code: 'invalid_grant' })
  t.equal(await isLive(START + 100), true)
})

t.test('another resource is refused as invalid_target and rotates nothing', async (t) => {
  const { use, refreshToken } = await withFamily()

  await t.rejects(use(refreshToken, START, { resource: 'https://evil.example/' }), { code: 'invalid_target' })
  t.ok((await use(refreshToken, START, { resource: RESOURCE })).event.type === 'token.issued')
})

t.test('a narrowed refresh narrows the access token only: the next one gets everything again', async (t) => {
  const { use, refreshToken } = await withFamily()

  const narrowed = await use(refreshToken, START, { scope: 'notes:read' })
  const full = await use(narrowed.tokens.refresh_token ?? '')

  t.equal(narrowed.tokens.scope, 'notes:read')
  t.equal(decodeJwt(narrowed.tokens.access_token).scope, 'notes:read')
  t.same(narrowed.event.scopesGranted, ['notes:read'])
  t.equal(full.tokens.scope, 'notes:read notes:write')
})

t.test('a scope beyond the grant is refused, also in a repeat, and changes nothing', async (t) => {
  const { use, refreshToken, isLive } = await withFamily()
  const beyond = { scope: 'notes:read admin' }

  const error = await refused(use(refreshToken, START, beyond))
  t.match(error, { code: 'invalid_scope', events: [{ type: 'token.refused', scopesAsked: ['notes:read', 'admin'] }] })
  const { body } = await use(refreshToken)
  await t.rejects(use(refreshToken, START, beyond), { code: 'invalid_scope' })

  t.equal((await use(refreshToken)).body, body)
  t.equal(await isLive(), true)
})

for (const [what, members] of Object.entries({
  'a scope beyond the grant': { scope: 'admin' },
  'another resource': { resource: 'https://evil.example/' }
})) {
  t.test(`a reused token kills the family, also when ${what} is asked for with it`, async (t) => {
    const { use, refreshToken, isLive } = await withFamily()
    await use(refreshToken)

    await t.rejects(use(refreshToken, START + LIFETIMES.refreshRepeat, members),
      { code: 'invalid_grant', reason: 'refresh token reused' })
    t.equal(await isLive(), false)
  })
}

t.test('a token that lay unused for too long is dead', async (t) => {
  const { use, refreshToken } = await withFamily()
  const end = START + LIFETIMES.refreshIdle

  const { tokens } = await use(refreshToken, end - 1)
  t.ok(tokens)
  await t.rejects(use(tokens.refresh_token ?? '', end - 1 + LIFETIMES.refreshIdle), { code: 'invalid_grant' })
})

t.test('a grant ends after its time, however active', async (t) => {
  const { use, refreshToken } = await withFamily({ lifetimes: { refreshAbsolute: 3000, refreshIdle: 2000 } })
  const first = await use(refreshToken, START + 1900)
  const second = await use(first.tokens.refresh_token ?? '', START + 2900)

  t.equal(second.tokens.expires_in, 100)
  await t.rejects(use(second.tokens.refresh_token ?? '', START + 3000), { code: 'invalid_grant' })
})

t.test('a token of a grant that has no refresh half is refused', async (t) => {
  const { context, clientId, use } = await withFamily()
  const { grantId } = await authorize(context, clientId)

  await t.rejects(use(mintRefreshToken(grantId, SECRETS)), { code: 'invalid_grant', reason: 'the grant has ended' })
})

t.test('two processes over one store agree on one successor', async (t) => {
  const records = memoryStore()
  const { context, clientId, refreshToken } = await withFamily({ records })
  const there = buildContext({ records })
  const members = { client_id: clientId, refresh_token: refreshToken }

  const all = await Promise.all([context, there, context, there].map((process) => refresh(process, members)))

  t.equal(new Set(all.map(({ body }) => body)).size, 1)
})

for (const when of ['before', 'after'] as const) {
  t.test(`a crash ${when} the rotation is committed loses nothing: the retry goes on`, async (t) => {
    const records = failingStore(memoryStore())
    const { use, refreshToken } = await withFamily({ records })
    records.failOnce('replace', when)

    await t.rejects(use(refreshToken), StoreUnavailableError)
    const { tokens, event } = await use(refreshToken)

    t.equal(event.type, when === 'before' ? 'token.issued' : 'token.repeated')
    t.ok((await use(tokens.refresh_token ?? '')).tokens)
  })
}

t.test('a store where every swap is lost is answered 503, and the family lives', async (t) => {
  const records = memoryStore()
  const { clientId, refreshToken, isLive } = await withFamily({ records })
  const stuck = buildContext({ records: { ...records, replace: async () => false } })

  await t.rejects(refresh(stuck, { client_id: clientId, refresh_token: refreshToken }),
    { code: 'temporarily_unavailable', status: 503 })
  t.equal(await isLive(), true)
})

for (const [name, answer] of Object.entries({ 'is missing': null, 'was changed': 'AAAA' })) {
  t.test(`a kept answer that ${name} is no answer`, async (t) => {
    const { context, grantId, use, refreshToken, isLive } = await withFamily()
    await use(refreshToken)
    const held = await context.grants.read(grantId, START)
    const state: RefreshState | null = held?.grant.refresh ?? null
    if (held === null || state === null) throw new Error('the grant is gone')
    await context.grants.advance(held, { ...held.grant, refresh: { ...state, answer } }, START)

    await t.rejects(use(refreshToken), { code: 'invalid_grant' })
    t.equal(await isLive(), false)
  })
}

t.test('a kept answer of an older record is one for the first resource', async (t) => {
  const { context, grantId, use, refreshToken } = await withFamily()
  const { body } = await use(refreshToken)
  const held = await context.grants.read(grantId, START)
  const { answerFor, ...state } = held?.grant.refresh ?? { answerFor: undefined, current: '', previous: null, rotatedAt: START, answer: null }
  if (held === null || answerFor === undefined) throw new Error('the grant is gone')
  await context.grants.advance(held, { ...held.grant, refresh: state }, START)

  t.equal((await use(refreshToken)).body, body)
})

t.test('the store holds no token that was ever answered', async (t) => {
  const { context, use, refreshToken, grantId } = await withFamily()
  const { tokens } = await use(refreshToken)

  const { body = '' } = await context.records.get({ tenant: 'default', kind: 'grant', id: grantId }, START) ?? {}
  for (const token of [refreshToken, tokens.refresh_token ?? '']) {
    t.notOk(body.includes(token.slice(23, 66)))
    t.notOk(body.includes(token.slice(67)))
  }
  t.notOk(body.includes(tokens.access_token))
})

t.test('a repeat answers the very same opaque token, and one swap issues it', async (t) => {
  const { context, use, refreshToken, grantId } = await withFamily({ accessTokenFormat: 'opaque' })
  const all = await Promise.all(Array.from({ length: 20 }, () => use(refreshToken, START, { scope: 'notes:read' })))

  t.equal(new Set(all.map(({ tokens }) => tokens.access_token)).size, 1)
  t.match(all[0]?.tokens.access_token, /^mcps_at_/)
  const grant = await context.grants.find(grantId, START)
  t.match(grant?.accessTokens, [{ scopes: ['notes:read', 'notes:write'] }, { scopes: ['notes:read'] }])
  t.equal(grant?.accessTokens?.length, 2)
  const { body = '' } = await context.records.get({ tenant: 'default', kind: 'grant', id: grantId }, START) ?? {}
  t.notOk(body.includes(all[0]?.tokens.access_token.slice(30) ?? ''))
})

/** What a client, a thief or nobody in particular does next. `back` counts tokens from the newest. */
const step = fc.record({
  wait: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 }), fc.constant(5000)),
  back: fc.oneof(fc.constant(0), fc.constant(0), fc.constant(1), fc.nat(5)),
  times: fc.integer({ min: 1, max: 3 }),
  scope: fc.constantFrom(undefined, undefined, 'notes:read', 'notes:read admin'),
  foreign: fc.oneof(fc.constant(false), fc.constant(false), fc.constant(false), fc.constant(true))
})

t.test('whatever happens in whatever order, the family behaves as its model', async () => {
  const lifetimes = { refreshIdle: 6000, refreshAbsolute: 15_000, refreshRepeat: 30 }

  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
    const family = await withFamily({ lifetimes })
    const { client: stranger } = await openFamily(family.context)
    const tokens = [family.refreshToken]
    const model = { live: true, rotatedAt: START, body: '' }
    let now = START

    for (const { wait, back, times, scope, foreign } of steps) {
      now += wait
      const age = Math.min(back, tokens.length - 1)
      const token = tokens.at(-1 - age) ?? ''
      model.live &&= now < START + lifetimes.refreshAbsolute && now < model.rotatedAt + lifetimes.refreshIdle
      const inWindow = now < model.rotatedAt + lifetimes.refreshRepeat
      const members = {
        ...(scope === undefined ? {} : { scope }), ...(foreign ? { client_id: stranger.clientId } : {})
      }

      const answers = await Promise.all(Array.from({ length: times }, () =>
        family.use(token, now, members).catch(({ code }: { code: string }) => code)))

      const codes = answers.map((answer) => typeof answer === 'string' ? answer : 'ok')
      const bodies = new Set(answers.map((answer) => typeof answer === 'string' ? answer : answer.body))
      const expected = expect({ live: model.live, foreign, scope, age, inWindow })
      check(codes.every((code) => code === expected), `${codes} instead of ${expected}`)
      check(expected !== 'ok' || bodies.size === 1, 'answers differ')
      const [answer] = answers
      if (typeof answer === 'object' && age === 0) {
        tokens.push(answer.tokens.refresh_token ?? '')
        model.rotatedAt = now
        model.body = answer.body
      } else if (typeof answer === 'object') {
        check(answer.body === model.body, 'the repeat is another answer')
      } else if (model.live && expected === 'invalid_grant' && !foreign) {
        model.live = false
      }
      check(await family.isLive(now) === model.live, `live is not ${model.live}`)
    }
  }), { numRuns: 150 })
})

function expect (given: {
  live: boolean, foreign: boolean, scope: string | undefined, age: number, inWindow: boolean
}): string {
  const isGood = given.age === 0 || (given.age === 1 && given.inWindow)
  if (!given.live || given.foreign || !isGood) return 'invalid_grant'
  return given.scope === 'notes:read admin' ? 'invalid_scope' : 'ok'
}

function check (holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
