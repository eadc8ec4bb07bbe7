import { Type } from '@sinclair/typebox'
import { assertOptions } from '../options.js'
import type { Form } from '../protocol/form.js'
import { hasControlCharacters, isWellFormed } from '../protocol/text.js'
import type { HostGrant, HostGrantAnswer } from '../../types/grant-options.js'
import { askHost } from './ask-host.js'
import {
  allowedScopes, issueDirect, MAX_SUBJECT, readDirectRequest, resourceOf, type DirectFacts, type DirectRules
} from './direct-grant.js'
import { invalidGrant } from './grant-binding.js'
import type { ExchangeInput, GrantTypeReader } from './grant-type.js'
import { rejectedWith } from './token-refusal.js'

/** What a client shows who it is with: not the host's to see. */
const CREDENTIALS = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type']

const text = Type.String({ minLength: 1, maxLength: MAX_SUBJECT })

/** `types/grant-options.ts` documents it; a type test holds both equal. */
export const hostGrantAnswerSchema = Type.Object({
  subject: Type.Union([text, Type.Null()]),
  scopes: Type.Unsafe<readonly string[]>(Type.Array(text, { maxItems: 1000 })),
  authenticatedAt: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000_000_000 })),
  acr: Type.Optional(text),
  amr: Type.Optional(Type.Unsafe<readonly string[]>(Type.Array(text, { maxItems: 100 })))
}, { additionalProperties: false })

/**
 * A grant type that the host adds: it decides, we issue. What it gives stays within what the resource has and what the
 * operator gave the client.
 *
 * @throws {OAuthError} `invalid_grant` when the host says no, `invalid_scope`, `invalid_target`
 * @throws {InvalidOptionError} when the host answers something that cannot be: 500.
 * @throws {StoreUnavailableError} when the host throws one: 503. Whatever else it throws is 500.
 */
export function hostGrant (
  name: string, { decide, rules }: { readonly decide: HostGrant, readonly rules: DirectRules }
): GrantTypeReader {
  return (form) => {
    const asked = readDirectRequest(form, rules)
    const parameters = parametersOf(form)
    return async (input) => {
      const { client: { clientId }, now } = input
      const facts = { clientId, operation: name, scopesAsked: asked.scopes }
      const given = await rejectedWith(facts, async () => {
        const target = resourceOf(asked, rules)
        const { resource: { resource } } = target
        const request = { clientId, parameters, scopes: asked.scopes, resource, now }
        const answer = await askHost(`grantTypes.${name}`, () => decide(request))
        if (answer === null) throw invalidGrant('refused by the host')
        assertAnswer(answer, name)
        return factsOfAnswer(answer, target, input)
      })
      return await issueDirect(given, { operation: name, asked }, input)
    }
  }
}

/** Nothing is repeated but `resource` and `audience`, whose first one this is. */
function parametersOf (form: Form): Readonly<Record<string, string>> {
  const members = [...form].filter(([name]) => !CREDENTIALS.includes(name)).map(([name, [first]]) => [name, first])
  return Object.freeze({ __proto__: null, ...Object.fromEntries(members) })
}

function assertAnswer (answer: HostGrantAnswer, name: string): void {
  assertOptions(hostGrantAnswerSchema, answer, `grantTypes.${name}()`)
  const { subject } = answer
  if (subject !== null && (hasControlCharacters(subject) || !isWellFormed(subject))) {
    throw new TypeError(`grantTypes.${name}() must answer a subject without control characters`)
  }
}

function factsOfAnswer (
  { scopes, ...answer }: HostGrantAnswer,
  { resource, leniencies }: ReturnType<typeof resourceOf>, { client }: ExchangeInput
): DirectFacts {
  const given = allowedScopes(scopes, [client.metadata.scope?.split(' ')], resource)
  return { ...answer, scopes: given, resource: resource.resource, leniencies }
}
