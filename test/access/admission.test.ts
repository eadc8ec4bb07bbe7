import t from 'tap'
import { whyNotAdmitted } from '../../lib/access/admission.js'
import { principalWith, RESOURCE } from '../helpers/guard.js'

const now = 1_700_000_000
const door = { resource: RESOURCE, now }

t.test('a live credential for this resource is admitted', async (t) => {
  t.equal(whyNotAdmitted(principalWith(['a'], { expiresAt: now + 1 }), door), null)
})

t.test('a credential without an end is admitted', async (t) => {
  t.equal(whyNotAdmitted(principalWith(['a'], { expiresAt: null }), door), null)
})

t.test('a credential is dead at the second at which it expires', async (t) => {
  t.equal(whyNotAdmitted(principalWith(['a'], { expiresAt: now }), door), 'expired')
})

for (const resource of ['https://other.example.com/mcp', `${RESOURCE}/`, `${RESOURCE}x`, 'https://mcp.example.com', '']) {
  t.test(`a credential for ${resource || 'no resource'} is not for ${RESOURCE}`, async (t) => {
    t.equal(whyNotAdmitted(principalWith(['a'], { resource }), door), 'wrong audience')
  })
}
