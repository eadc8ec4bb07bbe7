import type { Static } from '@sinclair/typebox'
import { expect, test } from 'tstyche'
import type { foreignSchemas } from '../lib/tokens/foreign-options.js'
import type { jwksVerifier } from '../lib/tokens/jwks-verifier.js'
import type { IntrospectionVerifierOptions, JwksVerifierOptions } from './foreign-tokens.js'
import type { ScopeGuardOptions } from './options.js'

type Checked<K extends keyof typeof foreignSchemas> = Static<(typeof foreignSchemas)[K]>

test('the schema and the documented interface of each verifier say the same', () => {
  expect<Checked<'jwksVerifier'>>().type.toBeAssignableTo<JwksVerifierOptions>()
  expect<JwksVerifierOptions>().type.toBeAssignableTo<Checked<'jwksVerifier'>>()
  expect<keyof Checked<'jwksVerifier'>>().type.toBe<keyof JwksVerifierOptions>()
  expect<Checked<'introspectionVerifier'>>().type.toBeAssignableTo<IntrospectionVerifierOptions>()
  expect<IntrospectionVerifierOptions>().type.toBeAssignableTo<Checked<'introspectionVerifier'>>()
  expect<keyof Checked<'introspectionVerifier'>>().type.toBe<keyof IntrospectionVerifierOptions>()
})

test('the guard takes what a verifier is made as', () => {
  expect<ReturnType<typeof jwksVerifier>>().type.toBeAssignableTo<NonNullable<ScopeGuardOptions['verifier']>>()
})
