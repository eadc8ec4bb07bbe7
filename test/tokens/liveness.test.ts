import t from 'tap'
import { isRevocable, stillHolds } from '../../lib/tokens/liveness.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import type { TokenVerifier } from '../../types/principal.js'
import { principalWith } from '../helpers/guard.js'

const NOW = 1_700_000_000
const own = principalWith([])
const introspected = principalWith([], { credential: 'introspected-token' })

/** Answers what `verify` does, and whether `recall` knows the token; counts what it is asked. */
function verifierThat (input: { recalls?: boolean, fails?: Error }): TokenVerifier & { readonly asked: string[] } {
  const { recalls = false, fails } = input
  const asked: string[] = []
  return {
    asked,
    recall () { asked.push('recall'); return recalls ? own : undefined },
    async verify () { asked.push('verify'); if (fails !== undefined) throw fails; return own }
  }
}

t.test('a token that its verifier takes holds', async (t) => {
  t.equal(await stillHolds(verifierThat({}), { token: 'a', principal: own, now: NOW }), true)
})

t.test('an own token is looked up however well it is remembered', async (t) => {
  const verifier = verifierThat({ recalls: true, fails: new InvalidTokenError('the grant has ended') })

  t.equal(await stillHolds(verifier, { token: 'a', principal: own, now: NOW }), false)
  t.same(verifier.asked, ['verify'])
})

t.test('another server is asked no more often than its verifier would', async (t) => {
  const verifier = verifierThat({ recalls: true, fails: new InvalidTokenError('inactive') })

  t.equal(await stillHolds(verifier, { token: 'a', principal: introspected, now: NOW }), true)
  t.same(verifier.asked, ['recall'])
  t.equal(await stillHolds(verifierThat({ fails: new InvalidTokenError('inactive') }), { token: 'a', principal: introspected, now: NOW }), false)
})

t.test('of a token that cannot be checked nobody can say whether it holds', async (t) => {
  t.equal(await stillHolds(verifierThat({ fails: new Error('down') }), { token: 'a', principal: own, now: NOW }), null)
  const broken: TokenVerifier = { ...verifierThat({}), recall () { throw new Error('broken') } }
  t.equal(await stillHolds(broken, { token: 'a', principal: introspected, now: NOW }), null)
})

t.test('a token that says everything by itself is not asked after, nor is nobody', async (t) => {
  const revocable = (credential: typeof own.credential) => isRevocable(principalWith([], { credential }))

  for (const credential of ['access-token', 'introspected-token', 'api-key'] as const) t.equal(revocable(credential), true)
  for (const credential of ['foreign-token', 'anonymous'] as const) t.equal(revocable(credential), false)
})
