import type {
  OAuthClientProvider, OAuthClientMetadata, OAuthDiscoveryState, StoredOAuthClientInformation, StoredOAuthTokens
} from '@modelcontextprotocol/client'

/** What an application keeps of one server, in memory; instead of opening a browser it remembers the URL. */
export class DemoClient implements OAuthClientProvider {
  authorizationUrl: URL | undefined
  stored: StoredOAuthTokens | undefined
  registered: StoredOAuthClientInformation | undefined
  #verifier = ''
  #discovery: OAuthDiscoveryState | undefined

  get scopeAskedFor (): string { return this.authorizationUrl?.searchParams.get('scope') ?? '' }
  get redirectUrl (): string { return 'http://127.0.0.1:8765/callback' }

  get clientMetadata (): OAuthClientMetadata {
    return {
      client_name: 'Demo client',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none'
    }
  }

  state (): string { return 'demo-state' }
  clientInformation (): StoredOAuthClientInformation | undefined { return this.registered }
  saveClientInformation (information: StoredOAuthClientInformation): void { this.registered = information }
  tokens (): StoredOAuthTokens | undefined { return this.stored }
  saveTokens (tokens: StoredOAuthTokens): void { this.stored = tokens }
  redirectToAuthorization (url: URL): void { this.authorizationUrl = url }
  saveCodeVerifier (verifier: string): void { this.#verifier = verifier }
  codeVerifier (): string { return this.#verifier }
  saveDiscoveryState (state: OAuthDiscoveryState): void { this.#discovery = state }
  discoveryState (): OAuthDiscoveryState | undefined { return this.#discovery }
}
