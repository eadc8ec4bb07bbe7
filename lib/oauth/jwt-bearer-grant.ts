import { JWT_BEARER } from '../protocol/grant-types.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { required } from '../protocol/token-request.js'
import type { Assertion, AssertionVerifier } from '../tokens/assertions.js'
import { claimAt, type Claims } from '../tokens/claims.js'
import { readConfirmation } from '../tokens/confirmation.js'
import { InvalidTokenError } from '../tokens/errors.js'
import type { WorkloadIssuer } from '../../types/grant-options.js'
import { isOperatorsClient } from './client-scopes.js'
import {
  clientFacts, isTrusted, issueDirect, readDirectRequest, type AskedDirectly, type DirectFacts, type DirectRules
} from './direct-grant.js'
import { readEnterpriseAssertion } from './enterprise-assertion.js'
import { assertSender, invalidGrant } from './grant-binding.js'
import type { ExchangeInput, GrantTypeReader } from './grant-type.js'
import { rejectedWith } from './token-refusal.js'

/** Characters. Those of the big platforms have a third of it. */
const MAX_ASSERTION = 16_384

/**
 * Gives tokens for what somebody else has signed (RFC 7523): the identity provider of an enterprise for its users
 * (EX-10 to EX-14), or a platform for its workloads (EX-30, EX-31). Which of the two an assertion is says its type,
 * and what it then has to show is its own: no failure of one is tried as the other. No refresh token: the client brings
 * another assertion.
 *
 * @throws {OAuthError} `invalid_grant` for whatever is wrong with the assertion, `invalid_client`, `invalid_scope`,
 * `invalid_target`, `unauthorized_client`
 */
export function jwtBearerGrant (
  { rules, assertions }: { readonly rules: DirectRules, readonly assertions: AssertionVerifier }
): GrantTypeReader {
  return (form) => {
    const assertion = required(form, 'assertion', MAX_ASSERTION)
    const asked = readDirectRequest(form, rules)
    return async (input) => {
      const facts = { clientId: input.client.clientId, operation: JWT_BEARER, scopesAsked: asked.scopes }
      const given = await rejectedWith(facts, () => exchange(assertion, { asked, rules, assertions, input }))
      return await issueDirect(given, { operation: JWT_BEARER, asked }, input)
    }
  }
}

async function exchange (assertion: string, { asked, rules, assertions, input }: {
  asked: AskedDirectly, rules: DirectRules, assertions: AssertionVerifier, input: ExchangeInput
}): Promise<DirectFacts> {
  try {
    const { issuer, claims } = await assertions.verify(assertion, input.now)
    // EX-13: what is bound to a key is good only together with a proof of it.
    assertSender(readConfirmation(claims) ?? {}, input.confirmation)
    if (issuer.profile === 'workload') return workloadFacts({ issuer, claims }, { asked, rules, input })
    assertConfidential(input)
    const { client, context: { tenant } } = input
    return await readEnterpriseAssertion(claims, { issuer, client, tenant, asked, rules })
  } catch (error) {
    if (error instanceof InvalidTokenError) throw invalidGrant(`assertion: ${error.reason}`)
    throw error
  }
}

/** A workload acts as a client, and is no user (RS-19). */
function workloadFacts (
  { issuer, claims }: Assertion & { readonly issuer: WorkloadIssuer },
  { asked, rules, input: { client } }: { asked: AskedDirectly, rules: DirectRules, input: ExchangeInput }
): DirectFacts {
  const known = issuer.workloads.filter(({ clientId }) => clientId === client.clientId)
  if (!isOperatorsClient(client) || known.length === 0) {
    throw new OAuthError({
      code: 'unauthorized_client',
      description: 'no workload of this issuer may act as this client',
      reason: 'client without a workload'
    })
  }
  if (!known.some((workload) => hasClaims(claims, workload.claims))) throw new InvalidTokenError('unknown workload')
  return clientFacts(asked, { client, rules })
}

const hasClaims = (claims: Claims, wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([name, value]) => claimAt(claims, name) === value)

/** For users nobody but a client that shows who it is may speak (EX-10). */
function assertConfidential ({ client }: ExchangeInput): void {
  if (isTrusted(client)) return
  throw new OAuthError({
    code: 'invalid_client', description: 'client authentication failed', reason: 'assertion for a user from a public client'
  })
}
