import type { Static } from '@sinclair/typebox'
import { expect, test } from 'tstyche'
import type { hostGrantAnswerSchema } from '../lib/oauth/host-grant.js'
import type { HostGrantAnswer } from './grant-options.js'

test('what a host may answer is the same in the schema and in the documented interface', () => {
  expect<Static<typeof hostGrantAnswerSchema>>().type.toBeAssignableTo<HostGrantAnswer>()
  expect<HostGrantAnswer>().type.toBeAssignableTo<Static<typeof hostGrantAnswerSchema>>()
  expect<keyof Static<typeof hostGrantAnswerSchema>>().type.toBe<keyof HostGrantAnswer>()
})
