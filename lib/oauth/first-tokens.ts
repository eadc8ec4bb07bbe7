import { sha256 } from '../crypto/digest.js'
import type { Grant } from '../../types/oauth.js'
import { bindingOf, invalidGrant } from './grant-binding.js'
import type { HeldGrant } from './grant-records.js'
import type { ExchangeInput } from './grant-type.js'
import { mintRefreshToken } from './refresh-token.js'
import type { TokenTarget } from './resources.js'
import { issueTokens, type TokenAnswer } from './token-answer.js'
import type { TokenContext } from './token-context.js'
import { factsOf, rejectedWith, TokenRefusal, type AuditFacts } from './token-refusal.js'

/** Clients that submit twice do it at once; whoever comes later than this has had the code for some time. */
const REPEAT_SECONDS = 5

/**
 * Makes an approved grant active and answers its first tokens, for the target and bound to what the client has shown,
 * with a refresh token for a client that registered that.
 * One compare-and-swap decides who gets them, in any number of processes: `null` when somebody else was first.
 */
export async function issueFirstTokens (
  held: HeldGrant, input: ExchangeInput & { readonly target: TokenTarget, readonly facts: AuditFacts }
): Promise<TokenAnswer | null> {
  const { client, context, confirmation, now, target, facts } = input
  await rejectedWith(facts, input.useProof)
  const { grant } = held
  const { lifetimes, secrets } = context
  const refreshToken = client.metadata.grant_types.includes('refresh_token')
    ? mintRefreshToken(grant.grantId, secrets)
    : null
  const active: Grant = {
    ...grant,
    ...bindingOf(client, confirmation),
    status: 'active',
    // It has gone back to the client; nobody needs it for the months that the grant may live.
    state: null,
    exchangedAt: now,
    refresh: refreshToken === null
      ? null
      : { current: sha256(refreshToken), previous: null, rotatedAt: now, answer: null },
    endsAt: now + (refreshToken === null ? target.resource.accessTokenLifetime : lifetimes.refreshAbsolute)
  }
  const issued = await issueTokens({ grant: active, target, confirmation, refreshToken, context, now })
  if (!await context.grants.advance(held, issued.grant, now)) return null
  const { resource: { resource }, scopes: scopesGranted } = target
  return { status: 200, body: issued.body, event: { ...facts, type: 'token.issued', resource, scopesGranted } }
}

/**
 * What a second use of a code gets that is otherwise valid: it ends the grant, except under leniency `codeRepeat`
 * within 5 seconds of the first one, a deviation from AS-T6 for clients that submit twice.
 */
export async function refuseReplay (
  grant: Grant, { operation, context, now }: { operation: string, context: TokenContext, now: number }
): Promise<TokenRefusal> {
  const facts = { ...factsOf(grant), operation }
  const { codeRepeat } = context.leniencies
  if (codeRepeat && grant.exchangedAt !== null && now <= grant.exchangedAt + REPEAT_SECONDS) {
    return new TokenRefusal(invalidGrant('code repeated at once'), [
      { type: 'code.replayed', reason: 'code repeated at once', ...facts },
      { ...facts, type: 'leniency.used', operation: 'codeRepeat' }
    ])
  }
  await context.grants.revoke(grant.grantId, now)
  return new TokenRefusal(invalidGrant('code replayed'), [
    { type: 'code.replayed', reason: 'code replayed', ...facts },
    { type: 'grant.revoked', reason: 'code replayed', ...facts }
  ])
}
