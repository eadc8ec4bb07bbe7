import { secretsEqual, sha256 } from '../crypto/digest.js'
import { narrowDetails } from '../protocol/authorization-details.js'
import { assertCodeVerifier } from '../protocol/pkce.js'
import { readCodeRequest, type CodeRequest } from '../protocol/token-request.js'
import { KEY } from '../tokens/confirmation.js'
import type { Grant } from '../../types/oauth.js'
import { issueFirstTokens, refuseReplay } from './first-tokens.js'
import { assertBound, assertSender, invalidGrant } from './grant-binding.js'
import type { HeldGrant } from './grant-records.js'
import type { ExchangeInput, GrantTypeReader } from './grant-type.js'
import { targetOf, type TokenTarget } from './resources.js'
import type { TokenAnswer } from './token-answer.js'
import type { TokenContext } from './token-context.js'
import { factsOf, refusedWith } from './token-refusal.js'

const OPERATION = 'authorization_code'

/**
 * Exchanges a code for tokens (AS-T4 to AS-T7, AS-T10). Client, redirect URI, resource, verifier and the key that the
 * code is bound to are checked first and a failure consumes nothing, so a thief without the verifier cannot spoil the
 * code; then one compare-and-swap decides who gets the tokens, in any number of processes.
 *
 * A second use that is otherwise valid revokes the grant, except under leniency `codeRepeat` within 5 seconds of the
 * first one: a deviation from AS-T6 for clients that submit twice.
 *
 * @throws {OAuthError} `invalid_grant`, `invalid_target`; a TokenRefusal as soon as the grant is known.
 */
export const codeGrant: GrantTypeReader = (form) => {
  const request = readCodeRequest(form)
  return (input) => exchangeCode(request, input)
}

async function exchangeCode (request: CodeRequest, input: ExchangeInput): Promise<TokenAnswer> {
  const { client, context, now } = input
  const held = await readByCode(request.code, context, now)
  const { grant } = held
  const facts = { ...factsOf(grant), clientId: client.clientId, operation: OPERATION }
  const target = refusedWith(facts, () => checkExchange(request, grant, input))
  if (grant.status === 'active') throw await refuseReplay(grant, { operation: OPERATION, context, now })

  const answer = await issueFirstTokens(held, { ...input, target, facts })
  if (answer !== null) return answer
  const winner = await readByCode(request.code, context, now)
  throw await refuseReplay(winner.grant, { operation: OPERATION, context, now })
}

async function readByCode (code: string, { grants }: TokenContext, now: number): Promise<HeldGrant> {
  const held = await grants.read(code.slice(0, code.indexOf('.')), now)
  if (held === null || !secretsEqual(sha256(code), held.grant.codeDigest ?? '')) {
    throw invalidGrant('unknown or expired code')
  }
  return held
}

function checkExchange (
  request: CodeRequest, grant: Grant, { client, context, confirmation }: ExchangeInput
): TokenTarget {
  assertBound(grant, { client, context })
  const target = targetOf(grant, request.resource, context.resources)
  if (request.redirectUri !== undefined && request.redirectUri !== grant.redirectUri) {
    throw invalidGrant('another redirect_uri')
  }
  assertCodeVerifier({ verifier: request.codeVerifier, challenge: grant.codeChallenge })
  if (grant.codeKey !== undefined) assertSender({ [KEY]: grant.codeKey }, confirmation)
  const authorizationDetails = narrowDetails(grant.authorizationDetails, request.authorizationDetails)
  return { ...target, authorizationDetails }
}
