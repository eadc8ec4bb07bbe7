// What all servers agree about, so that they are asked the same.
import { createHash, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const HOUR = 3600
export const CLIENT = 'bench-client'
export const SUBJECT = 'user-1'
export const SCOPE = 'notes:read'
export const REDIRECT = 'http://127.0.0.1/callback'
export const VERIFIER = 'v'.repeat(43)
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')
export const issuerOf = (port) => `http://127.0.0.1:${port}`
export const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const now = () => Math.floor(Date.now() / 1000)

/** The forms that exchange codes, one a line. */
export function writeExchanges (folder, codes, resource) {
  const form = (code) => new URLSearchParams({
    grant_type: 'authorization_code', client_id: CLIENT, code, code_verifier: VERIFIER, redirect_uri: REDIRECT, resource
  })
  writeFileSync(join(folder, 'exchanges'), codes.map((code) => `${form(code)}\n`).join(''))
}

export const registration = JSON.stringify({
  redirect_uris: [REDIRECT],
  client_name: 'A client',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code']
})
