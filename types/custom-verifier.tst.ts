import type { Static } from '@sinclair/typebox'
import { expect, test } from 'tstyche'
import type { verifiedTokenSchema } from '../lib/tokens/custom-principal.js'
import type { customVerifier, customVerifierSchema } from '../lib/tokens/custom-verifier.js'
import type { CustomVerifierOptions, VerifiedToken } from './custom-verifier.js'
import type { ScopeGuardOptions } from './options.js'

test('the schemas and the documented interfaces say the same', () => {
  expect<Static<typeof customVerifierSchema>>().type.toBeAssignableTo<CustomVerifierOptions>()
  expect<CustomVerifierOptions>().type.toBeAssignableTo<Static<typeof customVerifierSchema>>()
  expect<keyof Static<typeof customVerifierSchema>>().type.toBe<keyof CustomVerifierOptions>()
  expect<Static<typeof verifiedTokenSchema>>().type.toBeAssignableTo<VerifiedToken>()
  expect<VerifiedToken>().type.toBeAssignableTo<Static<typeof verifiedTokenSchema>>()
  expect<keyof Static<typeof verifiedTokenSchema>>().type.toBe<keyof VerifiedToken>()
})

test('the guard takes what a verifier is made as', () => {
  expect<ReturnType<typeof customVerifier>>().type.toBeAssignableTo<NonNullable<ScopeGuardOptions['verifier']>>()
})
