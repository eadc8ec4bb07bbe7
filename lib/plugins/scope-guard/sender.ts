import type { FastifyRequest } from 'fastify'
import type { Principal } from '../../../types/principal.js'
import { secretsEqual, sha256 } from '../../crypto/digest.js'
import { invalidProof, soleProof } from '../../protocol/dpop.js'
import { headerLines } from '../../protocol/header-lines.js'
import { normalHttpUri } from '../../protocol/http-uri.js'
import { neededProof, type Scheme } from '../../tokens/confirmation.js'
import { verifyDpopProof } from '../../tokens/dpop-proof.js'
import type { DpopSettings } from '../../tokens/dpop-settings.js'
import { InvalidTokenError } from '../../tokens/errors.js'
import { thumbprintOf } from '../support/client-certificate.js'
import type { IsMcp } from './routes.js'
import type { Settings } from './settings.js'

/** A token as a request shows it, and whom it stands for. */
export interface Shown {
  readonly token: string
  readonly scheme: Scheme
  readonly principal: Principal
}

/** What the request was sent to as its client knows it: the resource, or another route of its origin. */
function addressing (resource: string, isMcp: IsMcp): (request: FastifyRequest) => string | null {
  const endpoint = normalHttpUri(resource)
  const { origin } = new URL(resource)
  return (request) => {
    if (isMcp(request.routeOptions.url)) return endpoint
    // A request may name all of its address, host included.
    return request.originalUrl.startsWith('/') ? normalHttpUri(origin + request.originalUrl) : null
  }
}

/**
 * Asks a request for the proof that its token is the sender's (RS-18, EX-20, EX-22; RFC 9449 §4.3, §7; RFC 8705 §3), on
 * every request anew: a remembered token is no remembered proof. The token is to be verified before, so that a made-up
 * one costs no second signature check.
 *
 * Rejects with an {@link InvalidTokenError}, with an `OAuthError` for a proof that is not good, and with a
 * `StoreUnavailableError` when it cannot be known whether the proof is used for the first time.
 */
export function buildSenderCheck ({ settings, isMcp }: { settings: Settings, isMcp: IsMcp }) {
  const { resource, sender: { dpop, certificateOf } } = settings
  const possible = { dpop: dpop !== null, certificate: certificateOf !== null }
  const addressOf = addressing(resource, isMcp)
  const thumbprintIn = (request: FastifyRequest): string => {
    const shown = certificateOf?.(request) ?? null
    return shown === null ? '' : thumbprintOf(shown)
  }

  async function assertKey (request: FastifyRequest, shown: Shown, asked: {
    thumbprint: string, dpop: DpopSettings, now: number
  }): Promise<void> {
    const { thumbprint, dpop: { rules, isFirstUse }, now } = asked
    const uri = addressOf(request)
    if (uri === null) throw invalidProof('no address')
    const proof = verifyDpopProof({
      proof: soleProof(headerLines(request.raw.rawHeaders, 'dpop')),
      method: request.method,
      uri,
      accessTokenHash: sha256(shown.token),
      thumbprint,
      now
    }, rules)
    if (!await isFirstUse(proof, now)) throw invalidProof('proof used before')
  }

  return async function assertSender (request: FastifyRequest, shown: Shown, now: number): Promise<void> {
    const { principal: { confirmation }, scheme } = shown
    const { key, certificate } = neededProof({ confirmation, scheme }, possible)
    if (certificate !== null && !secretsEqual(thumbprintIn(request), certificate)) {
      throw new InvalidTokenError('bound to another certificate')
    }
    if (key !== null && dpop !== null) await assertKey(request, shown, { thumbprint: key, dpop, now })
  }
}
