import { decodeJwt } from 'jose'
import t from 'tap'
import { hostGrant } from '../../lib/oauth/host-grant.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import type { HostGrant, HostGrantAnswer, HostGrantRequest } from '../../types/grant-options.js'
import { buildContext, DIRECT, postToken, RESOURCE, START } from '../helpers/token-context.js'

const NAME = 'https://desk.example/grants/badge'
const secret = 'a-secret-of-thirty-two-characters-or-more'
const desk = { secret, tokenEndpointAuthMethod: 'client_secret_post', grantTypes: [NAME] } as const
const statics = [{ clientId: 'desk', ...desk }, { clientId: 'reader', ...desk, scope: 'notes:read' }]
const DESK = { grant_type: NAME, client_id: 'desk', client_secret: secret, badge: '42', resource: RESOURCE }

const build = (decide: HostGrant) =>
  buildContext({ statics, further: new Map([[NAME, hostGrant(NAME, { decide, rules: DIRECT })]]) })

t.test('the host sees what was asked and by whom, and nothing that the client shows who it is with', async (t) => {
  const seen: HostGrantRequest[] = []
  const context = build((request) => {
    seen.push(request)
    return { subject: 'alice', scopes: ['notes:read'] }
  })

  await postToken(context, { ...DESK, scope: 'notes:write', __proto__x: 'y' })

  t.strictSame(seen.map(({ parameters, ...rest }) => ({ ...rest, parameters: { ...parameters } })), [{
    clientId: 'desk',
    scopes: ['notes:write'],
    resource: RESOURCE,
    now: START,
    parameters: { grant_type: NAME, badge: '42', resource: RESOURCE, scope: 'notes:write', __proto__x: 'y' }
  }])
  t.notOk('toString' in (seen[0]?.parameters ?? {}))
})

t.test('what the host decides is issued, without a refresh token', async (t) => {
  const context = build(async () => ({ subject: 'alice', scopes: ['notes:write'], authenticatedAt: START - 5, acr: 'badge', amr: ['hwk'] }))
  const { tokens, event } = await postToken(context, DESK)

  t.match(decodeJwt(tokens.access_token), {
    sub: 'alice', client_id: 'desk', scope: 'notes:write', auth_time: START - 5, acr: 'badge', amr: ['hwk'], aud: RESOURCE
  })
  t.notOk('refresh_token' in tokens)
  t.match(event, { type: 'token.issued', operation: NAME, subject: 'alice' })
})

t.test('the host can let a client act for itself', async (t) => {
  const { tokens } = await postToken(build(() => ({ subject: null, scopes: ['notes:read'] })), DESK)

  t.match(decodeJwt(tokens.access_token), { sub: 'desk', sub_type: 'client' })
})

t.test('what the resource does not have or the client may not get is left out of what the host gives', async (t) => {
  const context = build(() => ({ subject: 'alice', scopes: ['notes:read', 'notes:admin', 'mail'] }))

  t.equal((await postToken(context, DESK)).tokens.scope, 'notes:read notes:admin')
  t.equal((await postToken(context, { ...DESK, client_id: 'reader' })).tokens.scope, 'notes:read')
  await t.rejects(postToken(build(() => ({ subject: 'alice', scopes: [] })), DESK), { code: 'invalid_scope' })
})

t.test('a no of the host is an invalid grant, and the audit hears whose', async (t) => {
  const error: unknown = await postToken(build(() => null), DESK).catch((error: unknown) => error)

  t.match(error, { code: 'invalid_grant', events: [{ type: 'token.refused', reason: 'refused by the host', clientId: 'desk', operation: NAME }] })
})

t.test('what the host throws is no answer for the client, whatever status it has, unless the host cannot decide now', async (t) => {
  const thrown = async (error: Error): Promise<unknown> =>
    await postToken(build(() => { throw error }), DESK).catch((error: unknown) => error)

  const failure = Object.assign(new Error('not found elsewhere'), { statusCode: 404 })
  t.match(await thrown(failure), { name: 'Error', message: `grantTypes.${NAME}() of the host failed`, cause: failure })
  t.notOk('statusCode' in Object(await thrown(failure)))
  const away = new StoreUnavailableError('away')
  t.equal(await thrown(away), away)
})

t.test('the host is not asked about a resource that is not ours', async (t) => {
  const context = build(() => { throw new Error('was asked') })

  await t.rejects(postToken(context, { ...DESK, resource: 'https://other.example/mcp' }), { code: 'invalid_target' })
})

t.test('a client that was not configured with it cannot use it', async (t) => {
  const other = buildContext({
    statics: [{ clientId: 'desk', redirectUris: ['https://desk.example/'], secret, tokenEndpointAuthMethod: 'client_secret_post' }],
    further: new Map([[NAME, hostGrant(NAME, { decide: () => ({ subject: 'alice', scopes: ['notes:read'] }), rules: DIRECT })]])
  })

  await t.rejects(postToken(other, DESK), { code: 'unauthorized_client' })
})

const wrong: Readonly<Record<string, unknown>> = {
  'an empty subject': { subject: '', scopes: ['notes:read'] },
  'no subject': { scopes: ['notes:read'] },
  'a subject that is too long': { subject: 'a'.repeat(256), scopes: ['notes:read'] },
  'a subject with a line break': { subject: 'a\nb', scopes: ['notes:read'] },
  'half a character as a subject': { subject: '\ud800', scopes: ['notes:read'] },
  'scopes as text': { subject: 'alice', scopes: 'notes:read' },
  'something that we do not know': { subject: 'alice', scopes: ['notes:read'], roles: ['admin'] },
  nothing: undefined
}
for (const [name, answer] of Object.entries(wrong)) {
  t.test(`${name} from the host is a mistake of ours, and gives nothing`, async (t) => {
    const context = build(() => answer as HostGrantAnswer)

    const error: unknown = await postToken(context, DESK).catch((error: unknown) => error)
    t.ok(error instanceof Error)
    t.notMatch(error, { name: 'OAuthError' })
  })
}
