import t from 'tap'
import { whyNotAdmitted } from '../../lib/access/admission.js'
import { principalWith, RESOURCE } from '../helpers/guard.js'

const now = 1_700_000_000
const door = { resource: RESOURCE, now }

t.test('a live credential for this resource is admitted', async (t) => {
  t.equal(whyNotAdmitted(principalWith(['a'], { expiresAt: now + 1 }), door), null)
})

t.test('where everybody has to prove it, a credential that is bound to nothing is not admitted', async (t) => {
  const bound = principalWith(['a'], { confirmation: { jkt: 'x' } })

  t.equal(whyNotAdmitted(principalWith(['a']), { ...door, senderConstrained: true }), 'not sender-constrained')
  t.equal(whyNotAdmitted(bound, { ...door, senderConstrained: true }), null)
  t.equal(whyNotAdmitted(principalWith(['a']), { ...door, senderConstrained: false }), null)
})

t.test('a credential without an end is admitted', async (t) => {
  t.equal(whyNotAdmitted(principalWith(['a'], { expiresAt: null }), door), null)
})

t.test('a credential is dead at the second at which it expires', async (t) => {
  t.equal(whyNotAdmitted(principalWith(['a'], { expiresAt: now }), door), 'expired')
})

t.test('what is no time is no end to come, so that a credential without one says so', async (t) => {
  for (const expiresAt of [undefined, Number.NaN, 'tomorrow']) {
    t.equal(whyNotAdmitted(principalWith(['a'], { expiresAt: expiresAt as number }), door), 'expired')
  }
})

for (const resource of ['https://other.example.com/mcp', `${RESOURCE}/`, `${RESOURCE}x`, 'https://mcp.example.com', '']) {
  t.test(`a credential for ${resource || 'no resource'} is not for ${RESOURCE}`, async (t) => {
    t.equal(whyNotAdmitted(principalWith(['a'], { resource }), door), 'wrong audience')
  })
}
