import t from 'tap'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { chosenVerifier } from '../../lib/tokens/chosen-verifier.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import type { TokenVerifier } from '../../types/principal.js'
import { signAnything, START } from '../helpers/foreign-server.js'
import { principalWith } from '../helpers/guard.js'

const key = await createSigningKey('ES256')
const jwtOf = (claims: object) => signAnything({ alg: 'ES256' }, claims, key)
const [staff, guest] = [jwtOf({ iss: 'https://staff.example' }), jwtOf({ iss: 'https://guests.example/' })]

/** Remembers everything that it verifies; `error` refuses everything. */
class Recording implements TokenVerifier {
  readonly asked: string[] = []
  readonly principal = principalWith(['notes:read'])
  readonly error: Error | null

  constructor (error: Error | null = null) { this.error = error }

  recall (token: string) { return this.error === null && this.asked.includes(token) ? this.principal : undefined }

  async verify (token: string) {
    this.asked.push(token)
    if (this.error !== null) throw this.error
    return this.principal
  }
}

function scene (error: Error | null = null) {
  const [ofStaff, ofGuests, opaque] = [new Recording(error), new Recording(), new Recording()]
  const issuers = { 'https://staff.example': ofStaff, 'https://guests.example/': ofGuests }
  return { ofStaff, ofGuests, opaque, issuers, verifier: chosenVerifier({ issuers, opaque }) }
}

t.test('a JWT is verified by the verifier of the issuer that it names, and by nobody else', async (t) => {
  const { ofStaff, ofGuests, opaque, verifier } = scene()

  t.equal(await verifier.verify(guest, START), ofGuests.principal)
  t.strictSame([ofStaff.asked, ofGuests.asked, opaque.asked], [[], [guest], []])
})

t.test('what is no JWT is verified by the one for opaque tokens', async (t) => {
  const { opaque, verifier } = scene()
  const tokens = ['opaque', 'a.b', 'a.b.c', 'a.b.c.d.e', `${staff}.x`]
  for (const token of tokens) t.equal(await verifier.verify(token, START), opaque.principal)

  t.strictSame(opaque.asked, tokens)
})

for (const error of [new InvalidTokenError('bad signature'), new StoreUnavailableError('down'), new Error('broken')]) {
  t.test(`when the chosen one says "${error.message}", that is the answer, and no other one is asked`, async (t) => {
    const { ofStaff, ofGuests, opaque, verifier } = scene(error)

    await t.rejects(verifier.verify(staff, START), error)
    t.strictSame([ofStaff.asked, ofGuests.asked, opaque.asked], [[staff], [], []])
  })
}

for (const [name, claims, reason] of [
  ['an unknown issuer', { iss: 'https://evil.example' }, 'unknown issuer'],
  ['a known issuer and a slash', { iss: 'https://staff.example/' }, 'unknown issuer'],
  ['an issuer that every object has', { iss: '__proto__' }, 'unknown issuer'],
  ['no issuer', {}, 'no issuer'],
  ['two issuers', { iss: ['https://staff.example', 'https://guests.example/'] }, 'no issuer']
] as const) {
  t.test(`a JWT of ${name} is refused, and nobody is asked`, async (t) => {
    const { ofStaff, ofGuests, opaque, verifier } = scene()

    await t.rejects(verifier.verify(jwtOf(claims), START), new InvalidTokenError(reason))
    t.strictSame([ofStaff.asked, ofGuests.asked, opaque.asked], [[], [], []])
  })
}

t.test('without one for opaque tokens they are refused', async (t) => {
  const { issuers } = scene()

  await t.rejects(chosenVerifier({ issuers }).verify('opaque', START), new InvalidTokenError('not a JWT'))
})

t.test('a token is recalled by the one that verified it', async (t) => {
  const { ofGuests, opaque, verifier } = scene()
  t.equal(verifier.recall(guest, START), undefined)
  await verifier.verify(guest, START)
  await verifier.verify('opaque', START)

  t.equal(verifier.recall(guest, START), ofGuests.principal)
  t.equal(verifier.recall('opaque', START), opaque.principal)
  t.equal(verifier.recall(staff, START), undefined)
})

t.test('whoever is added to the options later is not asked', async (t) => {
  const { issuers, ofGuests } = scene()
  const verifier = chosenVerifier({ issuers })
  Object.assign(issuers, { 'https://evil.example': ofGuests })

  await t.rejects(verifier.verify(jwtOf({ iss: 'https://evil.example' }), START), new InvalidTokenError('unknown issuer'))
})

const { issuers } = scene()
const half = { verify: async () => principalWith([]) }

const wrongs: readonly (readonly [string, object, RegExp])[] = [
  ['nobody to choose', { issuers: {} }, /^chosenVerifier\.issuers must/],
  ['no issuers', { issuers: undefined }, /^chosenVerifier\.issuers is required/],
  ['a verifier that is none', { issuers: { ...issuers, 'https://a.example': half } }, /^chosenVerifier\.issuers\.https:.* must be/],
  ['a verifier for opaque tokens that is none', { opaque: half }, /^chosenVerifier\.opaque must be/],
  ['an unknown option', { fallback: new Recording() }, /^chosenVerifier\.fallback is not an option/]
]

for (const [what, options, message] of wrongs) {
  t.test(`${what} stops the boot`, async (t) => {
    t.throws(() => chosenVerifier(Object.assign({ issuers }, options)), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}
