import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'

/** Somebody else who signs, and publishes the key under no real address: `fetch` answers it. */
export interface AssertionSigner {
  readonly issuer: string
  readonly jwksUri: string
  readonly fetch: typeof fetch
  /** The addresses that were fetched. */
  readonly fetched: string[]
  /** Signs whatever it is given; `undefined` leaves a member out. */
  sign (claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
}

const given = (members: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

export async function assertionSigner (issuer = 'https://idp.example'): Promise<AssertionSigner> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...await exportJWK(publicKey), kid: 'key-1', alg: 'ES256', use: 'sig' }
  const fetched: string[] = []
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    fetched,
    fetch: async (url) => {
      fetched.push(String(url))
      return Response.json({ keys: [jwk] })
    },
    sign: async (claims, header = {}) => await new SignJWT(given({ iss: issuer, ...claims }) as JWTPayload)
      .setProtectedHeader({ ...given({ kid: 'key-1', ...header }), alg: 'ES256' })
      .sign(privateKey)
  }
}
