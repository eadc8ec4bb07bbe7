import { createHash, randomBytes } from 'node:crypto'
import { FormBrowser, signInAndConsent } from '../../examples/support/form-browser.js'
import { user } from './reference-server.js'

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_in: number
  readonly scope: string
}

export interface Authorized {
  readonly code: string
  readonly verifier: string
  readonly redirect: URL
}

/** A client that speaks plain HTTP, so that tests see every byte. Revision 2025-03-26: it knows paths, no metadata. */
export class PlainClient {
  readonly origin: string
  readonly redirectUri = 'http://127.0.0.1:9/callback'
  readonly browser = new FormBrowser()
  clientId = ''

  constructor (origin: string) { this.origin = origin }

  async register (metadata: Readonly<Record<string, unknown>> = {}): Promise<Response> {
    const response = await fetch(`${this.origin}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'Plain client',
        redirect_uris: [this.redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
        ...metadata
      })
    })
    const { client_id: clientId } = await response.clone().json() as { client_id?: string }
    this.clientId = clientId ?? ''
    return response
  }

  authorizationUrl (verifier: string, parameters: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(`${this.origin}/authorize`)
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters
    }).toString()
    return url
  }

  async authorize (parameters: Readonly<Record<string, string>> = {}, who = user): Promise<Authorized> {
    const verifier = randomBytes(32).toString('base64url')
    const redirect = await signInAndConsent(this.browser, this.authorizationUrl(verifier, parameters), who)
    return { code: redirect.searchParams.get('code') ?? '', verifier, redirect }
  }

  async token (fields: Readonly<Record<string, string>>): Promise<Response> {
    return await fetch(`${this.origin}/token`, {
      method: 'POST', body: new URLSearchParams({ client_id: this.clientId, ...fields })
    })
  }

  async exchange ({ code, verifier }: Authorized): Promise<Response> {
    return await this.token({
      grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: this.redirectUri
    })
  }

  async refresh (refreshToken: string): Promise<Response> {
    return await this.token({ grant_type: 'refresh_token', refresh_token: refreshToken })
  }

  /** Registers when that was not done, signs in, consents and exchanges. */
  async signIn (parameters: Readonly<Record<string, string>> = {}): Promise<Tokens> {
    if (this.clientId === '') await this.register()
    const response = await this.exchange(await this.authorize(parameters))
    return await readTokens(response)
  }

  async call (accessToken: string | undefined, method: string, params: unknown = {}): Promise<Response> {
    return await fetch(`${this.origin}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` })
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    })
  }

  async callTool (accessToken: string | undefined, name: string, args: unknown = {}): Promise<Response> {
    return await this.call(accessToken, 'tools/call', { name, arguments: args })
  }
}

export async function readTokens (response: Response): Promise<Tokens> {
  const text = await response.text()
  if (response.status !== 200) throw new Error(`no tokens: ${response.status} ${text}`)
  return JSON.parse(text) as Tokens
}
