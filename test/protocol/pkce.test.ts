import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { assertCodeChallenge, assertCodeVerifier } from '../../lib/protocol/pkce.js'

// RFC 7636, Appendix B.
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

t.test('the verifier of RFC 7636, Appendix B, fits its challenge', async (t) => {
  t.equal(assertCodeChallenge({ challenge: CHALLENGE, method: 'S256' }), CHALLENGE)
  t.doesNotThrow(() => { assertCodeVerifier({ verifier: VERIFIER, challenge: CHALLENGE }) })
})

const REFUSED_CHALLENGES: Record<string, { challenge: string | undefined, method: string | undefined }> = {
  'no challenge': { challenge: undefined, method: undefined },
  'no challenge but a method': { challenge: undefined, method: 'S256' },
  'no method, which means plain': { challenge: CHALLENGE, method: undefined },
  'method plain': { challenge: CHALLENGE, method: 'plain' },
  'a method in another case': { challenge: CHALLENGE, method: 's256' },
  'a challenge of 42 characters': { challenge: CHALLENGE.slice(1), method: 'S256' },
  'a challenge of 44 characters': { challenge: `${CHALLENGE}A`, method: 'S256' },
  'a padded challenge': { challenge: `${CHALLENGE}=`, method: 'S256' },
  'a challenge in plain base64': { challenge: `+${CHALLENGE.slice(1)}`, method: 'S256' },
  'a challenge with a line break': { challenge: `${CHALLENGE}\n`, method: 'S256' }
}

for (const [name, input] of Object.entries(REFUSED_CHALLENGES)) {
  t.test(`${name} is refused as invalid_request`, async (t) => {
    t.throws(() => assertCodeChallenge(input), { code: 'invalid_request' })
  })
}

const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url')

t.test('verifiers of 43 and of 128 characters are accepted', async (t) => {
  for (const verifier of ['a'.repeat(43), '-._~'.repeat(32)]) {
    t.doesNotThrow(() => { assertCodeVerifier({ verifier, challenge: challengeOf(verifier) }) })
  }
})

const MALFORMED: Record<string, string> = {
  'a verifier of 42 characters': 'a'.repeat(42),
  'a verifier of 129 characters': 'a'.repeat(129),
  'a verifier with a plus': `${'a'.repeat(43)}+`,
  'a verifier with a line break': `${'a'.repeat(43)}\n`,
  'an empty verifier': ''
}

for (const [name, verifier] of Object.entries(MALFORMED)) {
  t.test(`${name} is refused as invalid_grant, although its digest fits`, async (t) => {
    t.throws(() => { assertCodeVerifier({ verifier, challenge: challengeOf(verifier) }) }, { code: 'invalid_grant' })
  })
}

t.test('a verifier that is missing, wrong, or the challenge itself is refused with one and the same answer', async (t) => {
  const refusals = [undefined, VERIFIER.replace('d', 'e'), CHALLENGE].map((verifier) => {
    try {
      assertCodeVerifier({ verifier, challenge: CHALLENGE })
    } catch (error) {
      return JSON.stringify(error)
    }
    return 'accepted'
  })

  t.equal(new Set(refusals).size, 1)
  t.match(refusals[0], /invalid_grant/)
})

t.test('the audit event learns which check failed', async (t) => {
  const reasons = { 'no code verifier': undefined, 'malformed code verifier': 'short', 'wrong code verifier': CHALLENGE }
  for (const [reason, verifier] of Object.entries(reasons)) {
    t.throws(() => { assertCodeVerifier({ verifier, challenge: CHALLENGE }) }, { code: 'invalid_grant', message: `invalid_grant: ${reason}` })
  }
})

t.test('a kept challenge of another length never fits', async (t) => {
  t.throws(() => { assertCodeVerifier({ verifier: VERIFIER, challenge: 'short' }) }, { code: 'invalid_grant' })
})

t.test('a verifier fits its own challenge and no other one', async (t) => {
  const verifiers = Array.from({ length: 20 }, () => randomBytes(32).toString('base64url'))
  for (const verifier of verifiers) {
    for (const other of verifiers) {
      const check = (): void => { assertCodeVerifier({ verifier, challenge: challengeOf(other) }) }
      if (verifier === other) t.doesNotThrow(check)
      else t.throws(check, { code: 'invalid_grant' })
    }
  }
})
