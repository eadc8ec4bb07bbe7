import { secretsEqual, sha256 } from '../crypto/digest.js'
import { openUnder, sealUnder } from '../crypto/token-seal.js'
import { narrowDetails } from '../protocol/authorization-details.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { readRefreshRequest, type RefreshRequest } from '../protocol/token-request.js'
import type { RefreshState } from '../../types/oauth.js'
import { assertBound, assertSender, bindingOf, invalidGrant } from './grant-binding.js'
import type { HeldGrant } from './grant-records.js'
import type { ExchangeInput, GrantTypeReader } from './grant-type.js'
import { grantIdOfRefreshToken, mintRefreshToken } from './refresh-token.js'
import { targetOf, type TokenTarget } from './resources.js'
import { issueTokens, type TokenAnswer } from './token-answer.js'
import { factsOf, refusedWith, rejectedWith, TokenRefusal, type AuditFacts } from './token-refusal.js'

const OPERATION = 'refresh_token'
const SEAL = 'refresh-answer'
/** Who loses a compare-and-swap finds its token to be the previous one the next time; two would do. */
const ATTEMPTS = 5

/** There is one successor, and it went out with a token for another resource of the same grant. */
const otherAnswer = new OAuthError({
  code: 'invalid_target', description: 'use the newest refresh token', reason: 'repeated for another resource'
})

/** A refresh request about a grant that was read, with its refresh half. */
interface Attempt extends ExchangeInput {
  readonly request: RefreshRequest
  readonly held: HeldGrant
  readonly refresh: RefreshState
  readonly facts: AuditFacts
}

/**
 * Rotates a refresh token (AS-T9), exactly: one compare-and-swap on one record makes one successor, whatever the
 * concurrency. A repeat of the previous token within `lifetimes.refreshRepeat` gets the very same answer, byte by
 * byte, which is kept sealed under the token itself: leniency `refreshRepeat`, a deviation from strict reuse detection
 * for clients that share a token or lost an answer. A token that is bound to a key or certificate is nobody's without
 * it: that is refused, and changes nothing, unless the token is older than the binding. Any older token that we issued
 * revokes this grant and no other, whatever else the client asks for; one that we did not issue does nothing. Scope may
 * be narrowed for the access token; the refresh token keeps all of it.
 *
 * @throws {OAuthError} `invalid_grant`, `invalid_scope`, `invalid_target`; a TokenRefusal once the grant is known.
 */
export const refreshGrant: GrantTypeReader = (form) => {
  const request = readRefreshRequest(form)
  return (input) => refresh(request, input)
}

async function refresh (request: RefreshRequest, input: ExchangeInput): Promise<TokenAnswer> {
  const { client, context, now } = input
  const grantId = grantIdOfRefreshToken(request.refreshToken, context.secrets)
  if (grantId === null) throw invalidGrant('not a refresh token of ours')

  for (let attempts = 0; attempts < ATTEMPTS; attempts += 1) {
    const held = await context.grants.read(grantId, now)
    const refresh = held === null ? null : held.grant.refresh
    if (held === null || refresh === null) throw invalidGrant('the grant has ended')
    const { grant } = held
    const scopesAsked = request.scope ?? grant.scopes
    const facts = { ...factsOf(grant), clientId: client.clientId, operation: OPERATION, scopesAsked }
    refusedWith(facts, () => { assertBound(grant, { client, context }) })
    const attempt = { ...input, request, held, refresh, facts }
    await assertHolder(attempt)
    const answer = await answerOnce(attempt)
    if (answer !== null) return answer
  }
  throw new OAuthError({ code: 'temporarily_unavailable', description: 'try again', reason: 'too many concurrent refreshes' })
}

/**
 * Where the first tokens of the grant were bound to nothing, whoever shows one of those again may be the one it was
 * stolen from, and the key the thief's: that is reuse like any other.
 */
async function assertHolder (attempt: Attempt): Promise<void> {
  const { request, confirmation, refresh, held: { grant }, facts } = attempt
  try {
    refusedWith(facts, () => { assertSender(grant.confirmation ?? {}, confirmation) })
  } catch (error) {
    const isCurrent = secretsEqual(sha256(request.refreshToken), refresh.current)
    throw grant.boundLater === true && !isCurrent ? await refuseReuse(attempt) : error
  }
}

/** `null` when another request rotated the token in the meantime. */
async function answerOnce (attempt: Attempt): Promise<TokenAnswer | null> {
  const { request, context, refresh, held: { grant }, facts } = attempt
  const digest = sha256(request.refreshToken)
  const isCurrent = secretsEqual(digest, refresh.current)
  const kept = secretsEqual(digest, refresh.previous ?? '') ? keptAnswer(attempt) : null
  if (!isCurrent && kept === null) throw await refuseReuse(attempt)

  const target = refusedWith(facts, () => {
    const { resource, scopes } = targetOf(grant, request.resource, context.resources)
    if (kept !== null && resource.resource !== (refresh.answerFor ?? grant.resource)) throw otherAnswer
    return {
      resource,
      scopes: narrow(scopes, request.scope),
      authorizationDetails: narrowDetails(grant.authorizationDetails, request.authorizationDetails)
    }
  })
  await rejectedWith(facts, attempt.useProof)
  return kept ?? await rotate(attempt, target)
}

async function rotate (attempt: Attempt, target: TokenTarget): Promise<TokenAnswer | null> {
  const { request, client, context, confirmation, now, held, refresh, facts } = attempt
  const refreshToken = mintRefreshToken(held.grant.grantId, context.secrets)
  const { resource } = target.resource
  const binding = bindingOf(client, confirmation)
  const isBoundNow = held.grant.confirmation === undefined && binding.confirmation !== undefined
  const successor = {
    current: sha256(refreshToken), previous: refresh.current, rotatedAt: now, answer: null, answerFor: resource
  }
  const { body, grant } = await issueTokens({
    grant: { ...held.grant, ...binding, ...(isBoundNow ? { boundLater: true } : {}), refresh: successor },
    target,
    confirmation,
    refreshToken,
    context,
    now
  })
  const answer = sealUnder(request.refreshToken, SEAL, body)
  const rotated = await context.grants.advance(held, { ...grant, refresh: { ...successor, answer } }, now)
  if (!rotated) return null
  return { status: 200, body, event: { ...facts, type: 'token.issued', resource, scopesGranted: target.scopes } }
}

function keptAnswer ({ request, context, now, refresh, facts }: Attempt): TokenAnswer | null {
  const isLate = now >= refresh.rotatedAt + context.lifetimes.refreshRepeat
  if (refresh.answer === null || isLate || !context.leniencies.refreshRepeat) return null
  const body = openUnder(request.refreshToken, SEAL, refresh.answer)
  if (body === null) return null
  return { status: 200, body, event: { type: 'token.repeated', ...facts }, leniencies: ['refreshRepeat'] }
}

async function refuseReuse ({ context, now, held, facts }: Attempt): Promise<TokenRefusal> {
  const reason = 'refresh token reused'
  await context.grants.revoke(held.grant.grantId, now)
  return new TokenRefusal(invalidGrant(reason), [
    { type: 'refresh.reused', reason, ...facts },
    { type: 'grant.revoked', reason, ...facts }
  ])
}

function narrow (granted: readonly string[], asked: readonly string[] | undefined): readonly string[] {
  if (asked === undefined) return granted
  if (asked.every((scope) => granted.includes(scope))) return asked
  throw new OAuthError({
    code: 'invalid_scope', description: 'scope goes beyond what was granted', reason: 'scope beyond the grant'
  })
}
