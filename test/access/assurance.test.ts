import t from 'tap'
import { isAssured } from '../../lib/access/assurance.js'
import type { AssuranceRule } from '../../types/access.js'
import type { Principal } from '../../types/principal.js'
import { principalWith } from '../helpers/guard.js'

const NOW = 1_700_000_000
const assured = (rule: AssuranceRule, more: Partial<Principal>) => isAssured(principalWith([], more), rule, NOW)

const AGES: [string, number | null, boolean][] = [
  ['at this second', NOW, true],
  ['exactly maxAge ago', NOW - 300, true],
  ['a second longer ago', NOW - 301, false],
  ['never', null, false],
  ['in 1970', 0, false],
  ['a minute ahead, by a clock that runs fast', NOW + 60, true],
  ['further ahead than clocks differ', NOW + 61, false],
  ['in milliseconds, which would never grow old', NOW * 1000, false]
]

for (const [when, authenticatedAt, passes] of AGES) {
  t.test(`a sign-in ${when} is ${passes ? 'fresh' : 'not fresh'}`, async (t) => {
    t.equal(assured({ maxAge: 300 }, { authenticatedAt }), passes)
  })
}

t.test('who never signed in is not fresh, however long a sign-in lasts', async (t) => {
  t.equal(assured({ maxAge: 2 * NOW }, { authenticatedAt: null }), false)
})

t.test('what a verifier of the host left out or got wrong is no sign-in', async (t) => {
  for (const authenticatedAt of [undefined, Number.NaN, 'yesterday']) {
    t.equal(assured({ maxAge: 2 * NOW }, { authenticatedAt: authenticatedAt as number }), false)
  }
})

t.test('maxAge 0 asks for a sign-in at this very second', async (t) => {
  t.equal(assured({ maxAge: 0 }, { authenticatedAt: NOW }), true)
  t.equal(assured({ maxAge: 0 }, { authenticatedAt: NOW - 1 }), false)
})

t.test('any of the acr values is enough, compared exactly', async (t) => {
  const rule = { acr: ['silver', 'gold'] }

  t.equal(assured(rule, { acr: 'gold' }), true)
  t.equal(assured(rule, { acr: 'silver' }), true)
  t.equal(assured(rule, { acr: 'Gold' }), false)
  t.equal(assured(rule, { acr: null }), false)
})

t.test('all of the amr values are needed', async (t) => {
  const rule = { amr: ['pwd', 'otp'] }

  t.equal(assured(rule, { amr: ['otp', 'hwk', 'pwd'] }), true)
  t.equal(assured(rule, { amr: ['pwd'] }), false)
  t.equal(assured(rule, { amr: [] }), false)
})

t.test('every member has to hold', async (t) => {
  const rule = { maxAge: 300, acr: ['gold'], amr: ['otp'] }
  const good = { authenticatedAt: NOW, acr: 'gold', amr: ['otp'] }

  t.equal(assured(rule, good), true)
  t.equal(assured(rule, { ...good, authenticatedAt: null }), false)
  t.equal(assured(rule, { ...good, acr: 'tin' }), false)
  t.equal(assured(rule, { ...good, amr: [] }), false)
})

t.test('what a rule does not name is not looked at', async (t) => {
  t.equal(assured({ acr: ['gold'] }, { acr: 'gold', authenticatedAt: null, amr: [] }), true)
  t.equal(assured({ amr: ['otp'] }, { acr: null, authenticatedAt: null, amr: ['otp'] }), true)
})
