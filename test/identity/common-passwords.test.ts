import t from 'tap'
import { isCommonPassword } from '../../lib/identity/common-passwords.js'

for (const password of ['password1234', 'PassWord1234', '123456789012', 'qwertyuiopasdf', 'aaaaaaaaaaaa', 'abababababab', 'abcabcabcabc', '            ']) {
  t.test(`"${password}" is what anybody would guess`, async (t) => {
    t.equal(isCommonPassword(password), true)
  })
}

for (const password of ['correct horse battery staple', 'aaaaaaaaaaab', 'hunter2hunter2', 'wXq9-vTr2-mLp7']) {
  t.test(`"${password}" is not on the list`, async (t) => {
    t.equal(isCommonPassword(password), false)
  })
}

t.test('half a million characters do not send the search astray', async (t) => {
  t.equal(isCommonPassword(`${'ab'.repeat(250_000)}c`), false)
})
