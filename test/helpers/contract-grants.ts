import { JWT_BEARER, TOKEN_EXCHANGE } from '../../lib/protocol/grant-types.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import type { GrantOptions } from '../../types/grant-options.js'
import type { StaticClient } from '../../types/oauth.js'
import { assertionSigner } from './assertion-issuer.js'
import { ISSUER, RESOURCE } from './oauth-app.js'

export const DESK_SECRET = 'a-secret-of-the-desk-that-is-long-enough-for-us'
export const SERVICE = 'https://api.example/v1'
export const BADGE = 'https://desk.example/grants/badge'

const idp = await assertionSigner()
const ci = await assertionSigner('https://ci.example')
const away = await assertionSigner('https://away.example')
const broken = await assertionSigner('https://broken.example')

const grantTypes = [JWT_BEARER, TOKEN_EXCHANGE, BADGE]
export const GRANT_CLIENTS: readonly StaticClient[] = [
  { clientId: 'desk', redirectUris: [], secret: DESK_SECRET, grantTypes },
  { clientId: 'open-desk', redirectUris: [], grantTypes },
  { clientId: 'deploy', redirectUris: [], grantTypes: [JWT_BEARER], scope: 'notes:read' }
]

/** As an HTTP client of the host's throws it: its status is about somebody else's answer. */
const failure = (message: string): Error => Object.assign(new Error(message), { statusCode: 404 })

/** The ways to a token without a browser, each with somebody who fails. */
export const GRANT_OPTIONS: GrantOptions = {
  assertionIssuers: [
    { issuer: idp.issuer, jwksUri: idp.jwksUri, fetch: idp.fetch, profile: 'id-jag' },
    { issuer: broken.issuer, jwksUri: broken.jwksUri, fetch: broken.fetch, profile: 'id-jag', user: () => { throw failure('a secret detail') } },
    { issuer: ci.issuer, jwksUri: ci.jwksUri, fetch: ci.fetch, profile: 'workload', workloads: [{ clientId: 'deploy', claims: { sub: 'main' } }] },
    { issuer: away.issuer, jwksUri: away.jwksUri, fetch: async () => { throw failure('a secret detail') }, profile: 'id-jag' }
  ],
  tokenExchange: [{ audience: SERVICE, clients: ['desk'], scopes: ['notes:read'] }],
  grantTypes: {
    [BADGE]: ({ parameters: { badge } }) => {
      if (badge === 'away') throw new StoreUnavailableError('a secret detail')
      if (badge === 'broken') throw failure('a secret detail')
      return badge === 'alice' ? { subject: 'alice', scopes: ['notes:read'] } : null
    }
  }
}

type Issuers = 'idp' | 'broken' | 'away'
const enterprises = { idp, broken, away }

/** Of an identity provider, about a user. */
export const idJag = async (now: number, by: Issuers = 'idp', changes: object = {}): Promise<string> =>
  await enterprises[by].sign({
    aud: ISSUER, sub: 'alice', client_id: 'desk', resource: RESOURCE, scope: 'notes:read', jti: 'one', iat: now, exp: now + 300, ...changes
  }, { typ: 'oauth-id-jag+jwt' })

/** Of a CI service, about a job. */
export const workload = async (now: number, sub = 'main'): Promise<string> =>
  await ci.sign({ aud: ISSUER, sub, iat: now, exp: now + 300 })
