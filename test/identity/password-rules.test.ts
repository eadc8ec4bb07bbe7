import t from 'tap'
import { weaknessOf } from '../../lib/identity/password-rules.js'

const REFUSED = {
  'no password': ['', /at least 12/],
  'eleven characters': ['elevenchars', /at least 12/],
  'eleven characters that take more than eleven units': ['😀'.repeat(11), /at least 12/],
  'characters that NFKC puts together': ['e\u0301'.repeat(11), /at least 12/],
  '257 characters': [`${'ab'.repeat(128)}c`, /at most 256/],
  'a character that NFKC makes many of': ['\ufdfa'.repeat(20), /at most 256/],
  'two megabytes': ['a'.repeat(2_000_000), /at most 256/],
  'a NUL': ['twelve chars\0', /cannot be typed/],
  'a line break': ['twelve\nchars and more', /cannot be typed/],
  'a lone surrogate': ['twelve chars\ud800', /cannot be typed/],
  'a common one': ['Password1234', /guess/],
  'the name of the account': ['Ada.Lovelace', /account name/]
} as const

for (const [what, [password, sentence]] of Object.entries(REFUSED)) {
  t.test(`${what} cannot be chosen`, async (t) => {
    t.match(weaknessOf(password, 'ada.lovelace'), sentence)
  })
}

for (const password of ['twelve chars', 'correct horse battery staple', 'ВОСЕМЬ слонов', '😀🐘🦊🐙🦉🐝🐳🦀🐞🦋🐢🐧', `${'ab'.repeat(126)}cdef`]) {
  t.test(`${[...password].length} characters can be chosen, whatever they are: ${password.slice(0, 12)}`, async (t) => {
    t.equal(weaknessOf(password, 'ada'), null)
  })
}
