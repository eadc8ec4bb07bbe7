import { invalidProof, soleProof } from '../protocol/dpop.js'
import { single, type Form } from '../protocol/form.js'
import { normalHttpUri } from '../protocol/http-uri.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { CERTIFICATE, KEY } from '../tokens/confirmation.js'
import { verifyDpopProof } from '../tokens/dpop-proof.js'
import type { DpopSettings } from '../tokens/dpop-settings.js'
import type { Client } from '../../types/oauth.js'
import type { Confirmation } from '../../types/sender-constraint.js'
import { isOperatorsClient } from './client-scopes.js'
import type { ClientRequest } from './client-request.js'

const NO_PROOF = { proof: null, async use () {} }

/** What a request has shown of its sender, besides who the client is. */
export interface SenderBinding {
  /** What new access tokens are bound to; `null` for bearer tokens. */
  readonly confirmation: Confirmation | null
  /**
   * Uses the DPoP proof up, if there is one. Call it when nothing is left to be refused and nothing is written yet: a
   * flood of proofs without a good grant then fills no memory.
   * @throws {OAuthError} `invalid_dpop_proof` for one that was used before.
   * @throws {StoreUnavailableError} when that cannot be known.
   */
  readonly useProof: () => Promise<void>
}

/** @throws {OAuthError} `invalid_dpop_proof`, `use_dpop_nonce`, `invalid_request`, `unauthorized_client` */
export type ReadSender = (request: ClientRequest, client: Client, now: number) => SenderBinding

/** `null` where DPoP proofs mean nothing, as if there were no RFC 9449. */
export interface ProofContext {
  readonly dpop: DpopSettings | null
  /** Of the endpoint, as clients know it. */
  readonly url: string
}

/**
 * Reads what a request to the token endpoint shows of its sender: the key of its DPoP proof (RFC 9449 §5; EX-20,
 * EX-21), and the certificate of its connection when the client registered for that (RFC 8705 §3). A client that
 * registered for either has to come with it. Where DPoP is off, only the operator's word for it counts (RFC 7591 §2).
 */
export function createSenderReader (context: ProofContext): ReadSender {
  const readProof = createProofReader(context)
  return (request, client, now) => {
    if (context.dpop === null) assertNeedsNoKey(client)
    const { proof, use } = readProof(request.proofs, now, client.metadata.dpop_bound_access_tokens === true)
    const certificate = readCertificate(request, client)
    const members = {
      ...(proof === null ? {} : { [KEY]: proof.thumbprint }),
      ...(certificate === null ? {} : { [CERTIFICATE]: certificate })
    }
    return { confirmation: proof === null && certificate === null ? null : members, useProof: use }
  }
}

/**
 * Reads the DPoP proof of a pushed authorization request, where there is one (RFC 9449 §10.1), and answers the form
 * with the key in `dpop_jkt`, as the client might have said it itself.
 */
export function createPushReader (context: ProofContext) {
  const readProof = createProofReader(context)
  return ({ form, proofs }: ClientRequest, now: number): Pick<SenderBinding, 'useProof'> & { readonly form: Form } => {
    const { proof, use: useProof } = readProof(proofs, now, false)
    if (proof === null) return { form, useProof }
    const said = single(form, 'dpop_jkt') ?? proof.thumbprint
    if (said !== proof.thumbprint) throw invalidProof('proof of another key than dpop_jkt')
    return { form: new Map([...form, ['dpop_jkt', [said]] as const]), useProof }
  }
}

function createProofReader ({ dpop, url }: ProofContext) {
  // What has no normal form is the address of no proof.
  const uri = normalHttpUri(url) ?? ''

  return (lines: readonly string[], now: number, isNeeded: boolean) => {
    if (dpop === null || (lines.length === 0 && !isNeeded)) return NO_PROOF
    const { rules, isFirstUse } = dpop
    const input = { proof: soleProof(lines), method: 'POST', uri, accessTokenHash: null, thumbprint: null, now }
    const proof = verifyDpopProof(input, rules)
    let isUsed = false
    // Who loses a compare-and-swap comes by here again.
    async function use (): Promise<void> {
      if (!isUsed && !await isFirstUse(proof, now)) throw invalidProof('proof used before')
      isUsed = true
    }
    return { proof, use }
  }
}

/** @throws {OAuthError} `unauthorized_client` when the operator wants tokens bound that nobody can bind here. */
function assertNeedsNoKey (client: Client): void {
  if (client.metadata.dpop_bound_access_tokens !== true || !isOperatorsClient(client)) return
  throw new OAuthError({
    code: 'unauthorized_client', description: 'tokens of this client need DPoP, which is off here', reason: 'DPoP is off'
  })
}

function readCertificate ({ certificate }: ClientRequest, { metadata }: Client): string | null {
  if (metadata.tls_client_certificate_bound_access_tokens !== true) return null
  if (certificate !== null) return certificate.thumbprint
  throw new OAuthError({
    code: 'invalid_request', description: 'a client certificate is needed', reason: 'no client certificate'
  })
}
