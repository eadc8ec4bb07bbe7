import t from 'tap'
import { createDeviceAuthorizations } from '../../lib/oauth/device-authorizations.js'
import { deviceGrant } from '../../lib/oauth/device-grant.js'
import type { TokenContext } from '../../lib/oauth/token-context.js'
import { DEVICE_GRANT } from '../../lib/protocol/grant-types.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { GrantType } from '../../types/oauth.js'
import { failingStore } from '../helpers/failing-store.js'
import {
  addClient, buildContext, grantRequest, postToken, refresh, RESOURCE, START, type ContextInput
} from '../helpers/token-context.js'

const NETWORK = '192.0.2.1'

async function open (input: ContextInput & { grantTypes?: readonly GrantType[] } = {}) {
  const base = buildContext(input)
  const devices = createDeviceAuthorizations(base)
  const grantTypes = new Map([...base.grantTypes, [DEVICE_GRANT, deviceGrant(devices)]])
  const context: TokenContext = { ...base, grantTypes }
  const { client: { clientId } } = await addClient(context, { grant_types: input.grantTypes ?? [DEVICE_GRANT, 'refresh_token'] })
  const asked = { clientId, resource: RESOURCE, scopes: ['notes:read', 'notes:write'], network: NETWORK }
  const { deviceCode, userCode } = await devices.open(asked, START)
  const { deviceId, endsAt } = await devices.findByUserCode(userCode, START) ?? { deviceId: '', endsAt: 0 }

  const poll = (now = START, fields: Readonly<Record<string, string>> = {}) =>
    postToken(context, { grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: clientId, ...fields }, now)
  /** What the consent page does. */
  async function approve (scopes = ['notes:read'], subject = 'alice') {
    const { grants } = context
    const { grant, handle } = await grants.request(grantRequest(clientId, {
      subject, redirectUri: '', codeChallenge: '', state: null, device: { deviceId, endsAt }
    }), START)
    const approved = await grants.approve({ handle, subject, scopes }, START)
    await devices.decide(deviceId, { grantId: grant.grantId }, START)
    return { grantId: grant.grantId, code: approved?.code ?? '' }
  }
  return { ...base, context, devices, clientId, deviceCode, deviceId, poll, approve }
}

t.test('a device waits, and gets what a person ticked once that is decided', async (t) => {
  const { context, poll, approve, clientId } = await open()
  await t.rejects(poll(), { code: 'authorization_pending', status: 400, events: [] })
  await approve()

  const { tokens, event } = await poll(START + 5)

  t.match(tokens, { token_type: 'Bearer', scope: 'notes:read', expires_in: 900 })
  t.match(event, { type: 'token.issued', subject: 'alice', clientId, operation: 'device_code', scopesGranted: ['notes:read'] })
  const next = await refresh(context, { client_id: clientId, refresh_token: tokens.refresh_token ?? '' }, START + 6)
  t.equal(next.tokens.scope, 'notes:read')
})

t.test('a client that did not register the refresh grant gets no refresh token', async (t) => {
  const { poll, approve } = await open({ grantTypes: [DEVICE_GRANT] })
  await approve()

  t.notHas((await poll()).tokens, 'refresh_token')
})

t.test('a device that asks too fast is told so, and nothing is lost by it', async (t) => {
  const { poll, approve } = await open()
  await t.rejects(poll(), { code: 'authorization_pending' })
  await t.rejects(poll(START + 1), { code: 'slow_down', status: 400, events: [{ type: 'token.refused', operation: 'device_code' }] })
  await approve()

  t.match((await poll(START + 1)).tokens, { token_type: 'Bearer' })
})

t.test('a device that was denied hears it, every time', async (t) => {
  const { devices, deviceId, poll } = await open()
  await devices.decide(deviceId, { grantId: null }, START)

  await t.rejects(poll(), { code: 'access_denied', status: 400, events: [{ type: 'token.refused' }] })
  await t.rejects(poll(), { code: 'access_denied' })
})

t.test('a code that has ended is told from one that never was', async (t) => {
  const { poll, approve } = await open()

  await t.rejects(poll(START + 600), { code: 'expired_token', status: 400 })
  await t.rejects(poll(START, { device_code: 'a guess' }), { code: 'invalid_grant' })
  await approve()
  await t.rejects(poll(START + 600), { code: 'expired_token' }, 'approved and not fetched in time')
})

const malformed: Record<string, Record<string, string>> = {
  'no device code': { device_code: '' },
  'an endless device code': { device_code: 'x'.repeat(1025) }
}

for (const [what, fields] of Object.entries(malformed)) {
  t.test(`${what} is an invalid request`, async (t) => {
    const { poll } = await open()
    await t.rejects(poll(START, fields), { code: 'invalid_request' })
  })
}

t.test('the code of another client is nothing, and stays good for its own', async (t) => {
  const { context, poll, approve } = await open()
  const { client } = await addClient(context, { grant_types: [DEVICE_GRANT] })
  await approve()

  await t.rejects(poll(START, { client_id: client.clientId }), { code: 'invalid_grant', events: [{ type: 'token.refused' }] })
  t.match((await poll()).tokens, { token_type: 'Bearer' })
})

t.test('of many that ask at once one gets tokens', async (t) => {
  const { poll, approve, context } = await open({ leniencies: { codeRepeat: true } })
  const { grantId } = await approve()

  const answers = await Promise.allSettled(Array.from({ length: 8 }, () => poll()))

  t.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
  t.equal(await context.grants.isLive(grantId, START), true, 'within 5 seconds a repeat revokes nothing')
})

t.test('a second use later on ends the grant, as with the codes of browsers (AS-T6)', async (t) => {
  const { poll, approve, context } = await open()
  const { grantId } = await approve()
  await poll()

  await t.rejects(poll(START + 6), { code: 'invalid_grant', events: [{ type: 'code.replayed' }, { type: 'grant.revoked' }] })
  t.equal(await context.grants.isLive(grantId, START + 6), false)
  await t.rejects(poll(START + 7), { code: 'invalid_grant' })
})

t.test('a grant that was revoked before the device came back gives nothing', async (t) => {
  const { poll, approve, context } = await open()
  await approve()
  await context.grants.revokeSubject('alice', START)

  await t.rejects(poll(), { code: 'invalid_grant' })
})

t.test('what a person approved for one device is nothing for another', async (t) => {
  const { devices, context, clientId, approve } = await open()
  const { grantId } = await approve()
  const asked = { clientId, resource: RESOURCE, scopes: [], network: NETWORK }
  const { deviceCode, userCode } = await devices.open(asked, START)
  const { deviceId } = await devices.findByUserCode(userCode, START) ?? { deviceId: '' }
  await devices.decide(deviceId, { grantId }, START)

  const fields = { grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: clientId }
  await t.rejects(postToken(context, fields), { code: 'invalid_grant' })
})

t.test('the code of the grant, were it known, is no code for a browser', async (t) => {
  const { context, approve, clientId } = await open({ grantTypes: [DEVICE_GRANT, 'authorization_code'] })
  const { code } = await approve()

  await t.rejects(postToken(context, {
    grant_type: 'authorization_code', code, client_id: clientId, code_verifier: 'v'.repeat(43)
  }), { code: 'invalid_grant' })
})

t.test('a store that fails before the exchange is committed loses nothing', async (t) => {
  const records = failingStore(memoryStore())
  const { poll, approve } = await open({ records })
  await approve()
  records.failOnce('replace', 'before')

  await t.rejects(poll(), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
  t.match((await poll()).tokens, { token_type: 'Bearer' })
})

t.test('a grant whose resource is not served here any more gives nothing', async (t) => {
  const { context, clientId, deviceCode, approve } = await open()
  await approve()

  await t.rejects(postToken({ ...context, resources: new Map() }, {
    grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: clientId
  }), { code: 'invalid_grant', events: [{ type: 'token.refused', subject: 'alice' }] })
})
