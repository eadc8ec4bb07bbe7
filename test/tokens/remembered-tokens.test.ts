import fc from 'fast-check'
import t from 'tap'
import { readOwnPrincipal } from '../../lib/tokens/own-principal.js'
import { createRememberedTokens } from '../../lib/tokens/remembered-tokens.js'
import type { Principal } from '../../types/principal.js'

const NOW = 1_700_000_000
const rules = { issuer: 'https://as.example', resource: 'https://mcp.example/mcp', tenant: 'default' }

function principalOf (grantId: string, expiresAt = NOW + 900) {
  const claims = { sub: 'alice', client_id: 'c', scope: 's', jti: 'j', auth_time: NOW, iat: NOW, grant_id: grantId }
  const { issuer, resource } = rules
  return readOwnPrincipal(JSON.stringify({ ...claims, iss: issuer, aud: resource, exp: expiresAt }), rules, NOW)
}

const principal = principalOf('g')

t.test('a token is recalled by its exact text only', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  tokens.begin()('token', principal, NOW)

  t.equal(tokens.recall('token', NOW), principal)
  t.equal(tokens.recall('Token', NOW), undefined)
  t.equal(tokens.recall('toke', NOW), undefined)
})

t.test('two tokens with one ending are not taken for each other, young or old', async (t) => {
  const tokens = createRememberedTokens({ max: 4, recheck: 5 })
  const end = 'x'.repeat(64)
  tokens.begin()(`one.${end}`, principal, NOW)

  t.equal(tokens.recall(`two.${end}`, NOW), undefined)
  for (const other of ['a', 'b']) tokens.begin()(other, principal, NOW)
  t.equal(tokens.recall(`two.${end}`, NOW), undefined)
  t.equal(tokens.recall(`one.${end}`, NOW), principal)
})

t.test('a token is recalled for recheck seconds, then known until it expires', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  tokens.begin()('token', principal, NOW)

  t.equal(tokens.recall('token', NOW + 4), principal)
  t.equal(tokens.recall('token', NOW + 5), undefined)
  t.equal(tokens.known('token', NOW + 899), principal)
  t.equal(tokens.known('token', NOW + 900), undefined)
})

t.test('a token is never recalled past its expiry', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 60 })
  tokens.begin()('token', principalOf('g', NOW + 3), NOW)

  t.ok(tokens.recall('token', NOW + 2))
  t.equal(tokens.recall('token', NOW + 3), undefined)
})

t.test('a clock that is set back makes no token be recalled for longer', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  tokens.begin()('token', principal, NOW)

  t.equal(tokens.recall('token', NOW - 1), undefined)
  t.equal(tokens.known('token', NOW - 1), principal)
})

t.test('a token without an end is recalled for recheck seconds, and known from then on', async (t) => {
  const tokens = createRememberedTokens<{ grantId: null, expiresAt: null }>({ max: 10, recheck: 5 })
  tokens.begin()('token', { grantId: null, expiresAt: null }, NOW)

  t.ok(tokens.recall('token', NOW + 4))
  t.equal(tokens.recall('token', NOW + 5), undefined)
  t.ok(tokens.known('token', NOW + 1_000_000))
})

t.test('without recheck seconds nothing is recalled, but it is known', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 0 })
  tokens.begin()('token', principal, NOW)

  t.equal(tokens.recall('token', NOW), undefined)
  t.equal(tokens.known('token', NOW), principal)
  t.equal(tokens.known('another token', NOW), undefined)
})

t.test('while its grant is seen to be unchanged a token is recalled again, until it expires', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5, versionOf: () => 3 })
  tokens.begin(3)('token', principal, NOW)

  t.equal(tokens.recall('token', NOW + 5), principal)
  t.equal(tokens.recall('token', NOW + 899), principal)
  t.equal(tokens.recall('token', NOW + 900), undefined)
})

t.test('with recheck 0 the grant is looked at for every request where that can be done at once', async (t) => {
  let version: number | undefined = 1
  const tokens = createRememberedTokens({ max: 10, recheck: 0, versionOf: () => version })
  tokens.begin(1)('token', principal, NOW)

  t.equal(tokens.recall('token', NOW), principal)
  version = undefined
  t.equal(tokens.recall('token', NOW), undefined)
})

t.test('a grant that has ended, has changed, or was never seen lets no token be recalled again', async (t) => {
  for (const [before, now] of [[1, undefined], [1, 2], [undefined, undefined], [undefined, 1]]) {
    const tokens = createRememberedTokens({ max: 10, recheck: 5, versionOf: () => now })
    tokens.begin(before)('token', principal, NOW)

    t.equal(tokens.recall('token', NOW + 4), principal)
    t.equal(tokens.recall('token', NOW + 5), undefined)
  }
})

t.test('a token without a grant is never seen to be unchanged', async (t) => {
  const tokens = createRememberedTokens<{ grantId: null, expiresAt: null }>({ max: 10, recheck: 5, versionOf: () => 1 })
  tokens.begin(1)('token', { grantId: null, expiresAt: null }, NOW)

  t.equal(tokens.recall('token', NOW + 5), undefined)
})

t.test('forgetting a grant drops all its tokens, young and old, and no others', async (t) => {
  const tokens = createRememberedTokens({ max: 6, recheck: 5 })
  tokens.begin()('old', principal, NOW)
  tokens.begin()('of another grant', principalOf('h'), NOW)
  tokens.begin()('filler', principalOf('h'), NOW)
  tokens.begin()('young', principal, NOW)
  tokens.forget('g')

  t.equal(tokens.known('old', NOW), undefined)
  t.equal(tokens.known('young', NOW), undefined)
  t.ok(tokens.known('of another grant', NOW))
})

t.test('a version says nothing where nobody can tell that of the moment', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  tokens.begin(1)('token', principal, NOW)

  t.equal(tokens.recall('token', NOW + 5), undefined)
})

t.test('a grant that is looked up again after it was forgotten is remembered again', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  tokens.begin()('before', principal, NOW)
  tokens.forget('g')
  tokens.begin()('after', principal, NOW)

  t.equal(tokens.known('before', NOW), undefined)
  t.ok(tokens.known('after', NOW))
})

t.test('however many grants are forgotten, none of them comes back and no other goes', async (t) => {
  const tokens = createRememberedTokens<Pick<Principal, 'grantId' | 'expiresAt'>>({ max: 10_000, recheck: 5 })
  for (let count = 0; count < 2500; count += 1) tokens.begin()(`token-${count}`, principalOf(`grant-${count}`), NOW)
  tokens.begin()('other', principal, NOW)
  tokens.begin()('nobody\'s', { ...principal, grantId: null }, NOW)
  for (let count = 0; count < 2500; count += 1) tokens.forget(`grant-${count}`)

  for (let count = 0; count < 2500; count += 1) {
    if (tokens.known(`token-${count}`, NOW) !== undefined) t.fail(`token-${count} came back`)
  }
  t.ok(tokens.known('other', NOW))
  t.ok(tokens.known('nobody\'s', NOW))
})

t.test('what was looked up before a revocation is not remembered', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  const remember = tokens.begin()
  tokens.forget('g')

  t.equal(remember('token', principal, NOW), false)
  t.equal(tokens.known('token', NOW), undefined)
})

t.test('at most max are remembered; those in use stay', async (t) => {
  const tokens = createRememberedTokens({ max: 10, recheck: 5 })
  for (let i = 0; i < 100; i += 1) {
    tokens.begin()(`token ${i}`, principal, NOW)
    tokens.recall('token 0', NOW)
  }

  const kept = Array.from({ length: 100 }, (_, i) => `token ${i}`).filter((token) => tokens.known(token, NOW))
  t.ok(kept.length <= 10, `${kept.length} are kept`)
  t.ok(kept.includes('token 0'))
  t.ok(kept.includes('token 99'))
})

t.test('remembering a token again takes no further room', async (t) => {
  const tokens = createRememberedTokens({ max: 4, recheck: 5 })
  tokens.begin()('one', principal, NOW)
  for (let i = 0; i < 10; i += 1) tokens.begin()('two', principal, NOW + i)

  t.ok(tokens.known('one', NOW))
  t.ok(tokens.recall('two', NOW + 13))
})

t.test('with no room nothing is remembered, and nobody is told to look again', async (t) => {
  const tokens = createRememberedTokens({ max: 0, recheck: 5 })

  t.equal(tokens.begin()('token', principal, NOW), true)
  t.equal(tokens.known('token', NOW), undefined)
})

// Twelve tokens with three endings: whatever only looks at the end of a token takes some for others.
const TEXTS = ['x', 'y', 'z'].flatMap((end) => ['a', 'b', 'c', ''].map((head) => head + end.repeat(64)))
const text = fc.constantFrom(...TEXTS)
const grant = fc.constantFrom('g', 'h')

/** What may happen to what is remembered, in whatever order. Times are in seconds. */
const step = fc.oneof(
  fc.record({ do: fc.constant('remember' as const), text, grant, lives: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ do: fc.constant('remember late' as const), text, grant, ended: grant }),
  fc.record({ do: fc.constant('ask' as const), text }),
  fc.record({ do: fc.constant('forget' as const), grant }),
  fc.record({ do: fc.constant('wait' as const), for: fc.integer({ min: -3, max: 12 }) })
)

t.test('whatever happens, nothing dead, forgotten or another token\'s is answered, and never more than max', async () => {
  const bounds = fc.record({ max: fc.integer({ min: 0, max: 9 }), recheck: fc.integer({ min: 0, max: 10 }) })

  fc.assert(fc.property(bounds, fc.array(step, { maxLength: 60 }), ({ max, recheck }, steps) => {
    const tokens = createRememberedTokens<Held>({ max, recheck })
    /** What could be answered at most: the last principal of each token, when it was looked up. */
    const model = new Map<string, { readonly held: Held, readonly at: number }>()
    let now = NOW

    const assertAnswers = (one: string) => {
      const kept = model.get(one)
      const [recalled, known] = [tokens.recall(one, now), tokens.known(one, now)]
      const isLive = kept !== undefined && now < kept.held.expiresAt
      const left = kept === undefined ? 0 : Math.min(kept.held.expiresAt, kept.at + recheck) - now
      // More is left when the clock was set back: then nobody knows how long ago the grant was looked up.
      const isFresh = left > 0 && left <= recheck
      check(recalled === undefined || (isFresh && recalled === kept?.held), 'recalled what must not be')
      check(known === undefined || (isLive && known === kept.held), 'known what must not be')
      return known
    }

    for (const next of steps) {
      if (next.do === 'wait') now += next.for
      else if (next.do === 'ask') assertAnswers(next.text)
      else if (next.do === 'forget') {
        tokens.forget(next.grant)
        for (const [one, { held }] of model) if (held.grantId === next.grant) model.delete(one)
      } else {
        const held = { grantId: next.grant, expiresAt: now + (next.do === 'remember' ? next.lives : 30) }
        const remember = tokens.begin()
        if (next.do === 'remember late') {
          tokens.forget(next.ended)
          for (const [one, { held: { grantId } }] of model) if (grantId === next.ended) model.delete(one)
        }
        const isKept = remember(next.text, held, now)
        check(isKept === (next.do === 'remember'), 'remembered what a revocation may have ended')
        if (isKept) model.set(next.text, { held, at: now })
        if (isKept && max > 1) check(assertAnswers(next.text) === held, 'what was just remembered is not known')
      }
      check(TEXTS.filter((one) => assertAnswers(one) !== undefined).length <= max, 'more than max are kept')
    }
  }), { numRuns: 20_000 })
})

interface Held {
  readonly grantId: string
  readonly expiresAt: number
}

function check (holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
