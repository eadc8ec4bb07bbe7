import { OAuthError, type OAuthErrorInput } from '../protocol/oauth-error.js'
import type { AuditInput } from '../../types/audit.js'
import type { Grant } from '../../types/oauth.js'

/** A refusal that knows whom it was about: `events` is what the audit gets to hear, in order. */
export class TokenRefusal extends OAuthError {
  readonly events: readonly AuditInput[]

  constructor (input: OAuthErrorInput, events: readonly AuditInput[]) {
    super(input)
    this.events = events
  }
}

/** What an event tells about a decision, besides its type and reason. */
export type AuditFacts = Omit<AuditInput, 'type' | 'reason'>

export function factsOf (grant: Grant): AuditFacts {
  const { subject, clientId, grantId, resource } = grant
  return { subject, clientId, grantId, resource }
}

/** Runs checks that throw OAuthErrors, and has the audit told what they were about. */
export function refusedWith<T> (facts: AuditFacts, check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw refusalAbout(facts, error)
  }
}

/** The same for a check that has to be waited for. */
export async function rejectedWith<T> (facts: AuditFacts, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    throw refusalAbout(facts, error)
  }
}

function refusalAbout (facts: AuditFacts, error: unknown): unknown {
  if (!(error instanceof OAuthError)) return error
  return new TokenRefusal(error, [{ type: 'token.refused', reason: error.reason, ...facts }])
}
