// Access tokens as the token endpoint leaves them, each with a grant of its own, and such as nobody issued.
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { library } from './library.js'

const HOUR = 3600
const now = () => Math.floor(Date.now() / 1000)

async function issueToken ({ grants, keyring }, { issuer, resource }) {
  const { issueAccessToken } = await library('tokens/access-token.js')
  const asked = await grants.request({
    clientId: randomUUID(),
    subject: 'user-1',
    redirectUri: 'http://127.0.0.1/callback',
    resource,
    scopes: ['notes:read'],
    state: null,
    codeChallenge: 'x'.repeat(43),
    authenticatedAt: now(),
    acr: null,
    amr: []
  }, now())
  const held = await grants.read(asked.grant.grantId, now())
  const grant = { ...held.grant, status: 'active', exchangedAt: now() }
  await grants.advance(held, grant, now())
  const input = { keyring, issuer, grant, scopes: grant.scopes, expiresAt: now() + HOUR, now: now() }
  return issueAccessToken(input)
}

/** So many good tokens of an app with the PKCE store. */
export async function issueTokens (app, at, count) {
  const tokens = []
  for (let made = 0; made < count; made += 1) tokens.push(await issueToken(app.pkceStore, at))
  return tokens
}

/** Tokens with a good header and claims under a signature that no key of ours made: of another token. */
export const forgeTokens = (tokens) => tokens.map((token, index) => {
  const other = tokens[(index + 1) % tokens.length]
  return token.slice(0, token.lastIndexOf('.')) + other.slice(other.lastIndexOf('.'))
})

/** One token a line, for the load generator. */
export function writeTokens (path, tokens) {
  writeFileSync(path, tokens.join('\n'))
  return path
}
