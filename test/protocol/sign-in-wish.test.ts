import t from 'tap'
import { readForm } from '../../lib/protocol/form.js'
import { readSignInWish, signInWishOf } from '../../lib/protocol/sign-in-wish.js'

const NOTHING = { silent: false, again: false, maxAge: undefined, acrValues: [], loginHint: undefined }

t.test('a request that says nothing of the sign-in wishes nothing', async (t) => {
  for (const text of ['', 'prompt=&max_age=&acr_values=&login_hint=', 'prompt=consent', 'prompt=select_account+create']) {
    t.strictSame(readSignInWish(readForm(text)), NOTHING)
  }
})

t.test('what a request wishes is read whole', async (t) => {
  t.strictSame(readSignInWish(readForm('prompt=consent+login&max_age=0&acr_values=urn:a+urn:b&login_hint=alice')), {
    silent: false, again: true, maxAge: 0, acrValues: ['urn:a', 'urn:b'], loginHint: 'alice'
  })
  t.match(readSignInWish(readForm('prompt=none&max_age=300')), { silent: true, again: false, maxAge: 300 })
})

const refused: Record<string, string> = {
  'none beside login': 'prompt=login+none',
  'a negative max_age': 'max_age=-1',
  'a max_age that is no number': 'max_age=1e3',
  'a max_age without end': `max_age=${'9'.repeat(10)}`,
  'eleven acr_values': `acr_values=${Array.from({ length: 11 }, (_, index) => index).join('+')}`,
  'endless acr_values': `acr_values=${'a'.repeat(1001)}`,
  'an endless login_hint': `login_hint=${'a'.repeat(256)}`,
  'a repeated prompt': 'prompt=login&prompt=none'
}

for (const [what, text] of Object.entries(refused)) {
  t.test(`${what} is invalid_request, and wishes nothing but to be silent`, async (t) => {
    t.throws(() => readSignInWish(readForm(text)), { code: 'invalid_request' })
    t.strictSame(signInWishOf(readForm(text)), { ...NOTHING, silent: text.includes('none') })
  })
}

t.test('of a right request the lenient reading is the same', async (t) => {
  const form = readForm('prompt=login&max_age=5')

  t.strictSame(signInWishOf(form), readSignInWish(form))
})
