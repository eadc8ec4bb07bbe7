import { OAuthError } from '../protocol/oauth-error.js'
import { requestedResource } from '../protocol/resource-uri.js'
import { required } from '../protocol/token-request.js'
import type { DeviceAuthorization, DeviceAuthorizations } from './device-authorizations.js'
import { issueFirstTokens, refuseReplay } from './first-tokens.js'
import { assertBound, invalidGrant } from './grant-binding.js'
import type { HeldGrant } from './grant-records.js'
import type { ExchangeInput, GrantTypeReader } from './grant-type.js'
import { targetOf } from './resources.js'
import type { TokenAnswer } from './token-answer.js'
import { factsOf, refusedWith, TokenRefusal, type AuditFacts } from './token-refusal.js'

const OPERATION = 'device_code'

/**
 * Answers a device that asks whether somebody has decided yet (RFC 8628 §3.4, §3.5). What a person approved becomes
 * tokens once: one compare-and-swap decides who gets them. A second use of the code ends the grant, as with the codes
 * of browsers. Neither waiting nor being too fast uses anything up.
 *
 * @throws {OAuthError} `authorization_pending`, `slow_down`, `access_denied`, `expired_token`, `invalid_grant`; a
 * TokenRefusal for what the audit has to know about. Waiting is no decision, so no event tells about it.
 */
export function deviceGrant (devices: DeviceAuthorizations): GrantTypeReader {
  return (form) => {
    const deviceCode = required(form, 'device_code')
    const resource = requestedResource(form)
    return async (input) => {
      const asked = await devices.findByDeviceCode(deviceCode, input.now)
      return await answerDevice(asked, devices, { ...input, resource })
    }
  }
}

/** `resource`: the one that the device names now. */
interface DeviceInput extends ExchangeInput {
  readonly resource: string | undefined
}

async function answerDevice (
  asked: DeviceAuthorization | 'expired' | null, devices: DeviceAuthorizations, input: DeviceInput
): Promise<TokenAnswer> {
  const { client: { clientId }, now } = input
  if (asked === null) throw invalidGrant('unknown device code')
  if (asked === 'expired') throw refused('expired_token', 'the device code has expired')
  const facts: AuditFacts = { clientId, resource: asked.resource, operation: OPERATION }
  if (asked.clientId !== clientId) throw refusal(invalidGrant('device code of another client'), facts)
  if (asked.decision === null) {
    if (await devices.keepsPace(asked.deviceId, now)) throw waiting()
    throw refusal(refused('slow_down', 'wait 5 seconds longer between two questions'), facts)
  }
  if (asked.decision.grantId === null) throw refusal(refused('access_denied', 'the user did not allow it'), facts)
  return await exchange(asked.decision.grantId, asked, input)
}

async function exchange (
  grantId: string, { deviceId }: DeviceAuthorization, input: DeviceInput
): Promise<TokenAnswer> {
  const { client, context, now, resource } = input
  const read = async (): Promise<HeldGrant> => {
    const held = await context.grants.read(grantId, now)
    if (held?.grant.device?.deviceId !== deviceId) throw invalidGrant('the grant has ended')
    return held
  }
  const held = await read()
  const facts = { ...factsOf(held.grant), operation: OPERATION }
  const target = refusedWith(facts, () => {
    assertBound(held.grant, { client, context })
    return targetOf(held.grant, resource, context.resources)
  })
  if (held.grant.status === 'active') throw await refuseReplay(held.grant, { operation: OPERATION, context, now })
  const answer = await issueFirstTokens(held, { ...input, target, facts })
  if (answer !== null) return answer
  throw await refuseReplay((await read()).grant, { operation: OPERATION, context, now })
}

function waiting (): TokenRefusal {
  return new TokenRefusal(refused('authorization_pending', 'nobody has decided yet'), [])
}

function refused (code: OAuthError['code'], description: string): OAuthError {
  return new OAuthError({ code, description })
}

function refusal (error: OAuthError, facts: AuditFacts): TokenRefusal {
  return new TokenRefusal(error, [{ type: 'token.refused', reason: error.reason, ...facts }])
}
