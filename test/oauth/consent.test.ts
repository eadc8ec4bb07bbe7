import t from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { failingStore } from '../helpers/failing-store.js'
import { addClient, buildContext, exchange, grantRequest, LIFETIMES, START } from '../helpers/token-context.js'

const SCOPES = ['notes:read', 'notes:write']

async function ask (overrides: Parameters<typeof grantRequest>[1] = {}) {
  const context = buildContext()
  const { client } = await addClient(context)
  const { grant, handle } = await context.grants.request(grantRequest(client.clientId, overrides), START)
  return { context, clientId: client.clientId, grants: context.grants, grant, handle }
}

t.test('an authorization keeps all that was asked, and only digests of what names it', async (t) => {
  const { grant, handle, clientId } = await ask()

  t.match(grant, { ...grantRequest(clientId), status: 'requested', createdAt: START, endsAt: START + 600 })
  t.match(grant, { codeDigest: null, exchangedAt: null, refresh: null })
  t.match(handle, /^[\w-]{22}\.[\w-]{43}$/)
  t.equal(grant.handleDigest, sha256(handle))
})

t.test('the store holds neither the handle nor the code', async (t) => {
  const { context, grants, handle, grant } = await ask()
  const approved = await grants.approve({ handle, subject: 'alice', scopes: SCOPES }, START)

  const record = await context.records.get({ tenant: 'default', kind: 'grant', id: grant.grantId }, START)
  t.notOk(record?.body.includes(handle.slice(23)))
  t.notOk(record?.body.includes(approved?.code.slice(23) ?? ''))
})

t.test('the page is found by its whole handle only', async (t) => {
  const { grants, handle, grant } = await ask()

  t.same(await grants.findRequested(handle, START), grant)
  for (const wrong of ['', '.', grant.grantId, `${grant.grantId}.`, `${handle}A`, handle.slice(0, -1), `x${handle}`]) {
    t.equal(await grants.findRequested(wrong, START), null, `by ${wrong}`)
  }
})

t.test('the page ends after its time', async (t) => {
  const { grants, handle } = await ask()
  const end = START + LIFETIMES.authorization

  t.ok(await grants.findRequested(handle, end - 1))
  t.equal(await grants.findRequested(handle, end), null)
  t.equal(await grants.approve({ handle, subject: 'alice', scopes: SCOPES }, end), null)
  t.equal(await grants.deny({ handle, subject: 'alice' }, end), null)
})

t.test('the user may grant less than was asked', async (t) => {
  const { grants, handle } = await ask()

  const approved = await grants.approve({ handle, subject: 'alice', scopes: ['notes:read'] }, START)

  t.same(approved?.grant.scopes, ['notes:read'])
  t.equal(approved?.grant.status, 'approved')
  t.equal(approved?.grant.endsAt, START + LIFETIMES.code)
})

t.test('a form that ticks more than was asked grants no more', async (t) => {
  const { grants, handle } = await ask({ scopes: ['notes:read'] })

  const approved = await grants.approve({ handle, subject: 'alice', scopes: ['admin', 'notes:read', '__proto__'] }, START)

  t.same(approved?.grant.scopes, ['notes:read'])
})

t.test('ticking nothing that was asked grants nothing', async (t) => {
  const { grants, handle, grant } = await ask()

  t.equal(await grants.approve({ handle, subject: 'alice', scopes: [] }, START), null)
  t.equal(await grants.approve({ handle, subject: 'alice', scopes: ['admin'] }, START), null)
  t.same(await grants.findRequested(handle, START), grant)
})

t.test('a grant is pinned to what the page named and the ticked scopes open, and to no more', async (t) => {
  const { grants, handle } = await ask({ consented: ['one', 'two'] })

  const approved = await grants.approve({ handle, subject: 'alice', scopes: SCOPES, opened: ['two', 'three'] }, START)

  t.same(approved?.grant.consented, ['two'])
})

t.test('a grant of a page that names components is pinned to none when nobody says what is open', async (t) => {
  const { grants, handle } = await ask({ consented: ['one'] })

  t.same((await grants.approve({ handle, subject: 'alice', scopes: SCOPES }, START))?.grant.consented, [])
})

t.test('a grant of a page that names nothing is not pinned', async (t) => {
  const { grants, handle } = await ask()

  t.notOk('consented' in ((await grants.approve({ handle, subject: 'alice', scopes: SCOPES, opened: ['one'] }, START))?.grant ?? {}))
})

t.test('another user can neither approve, deny nor repeat', async (t) => {
  const { grants, handle } = await ask()

  t.equal(await grants.approve({ handle, subject: 'mallory', scopes: SCOPES }, START), null)
  t.equal(await grants.deny({ handle, subject: 'mallory' }, START), null)
  t.ok(await grants.approve({ handle, subject: 'alice', scopes: SCOPES }, START))
  t.equal(await grants.approve({ handle, subject: 'mallory', scopes: SCOPES }, START), null)
})

t.test('the same decision again gets the same code until it is exchanged', async (t) => {
  const { context, grants, handle, clientId } = await ask()
  const decision = { handle, subject: 'alice', scopes: SCOPES }
  const first = await grants.approve(decision, START)

  t.same(await grants.approve({ ...decision, scopes: [...SCOPES].reverse() }, START + 1), first)
  t.same(await grants.findRequested(handle, START), first?.grant)

  await exchange(context, { client_id: clientId, code: first?.code ?? '' })
  t.equal(await grants.approve(decision, START + 2), null)
  t.equal(await grants.findRequested(handle, START), null)
})

t.test('another decision after the first is refused and changes nothing', async (t) => {
  const { context, grants, handle, clientId } = await ask()
  const approved = await grants.approve({ handle, subject: 'alice', scopes: ['notes:read'] }, START)

  t.equal(await grants.approve({ handle, subject: 'alice', scopes: SCOPES }, START), null)
  t.equal(await grants.deny({ handle, subject: 'alice' }, START), null)
  const { tokens } = await exchange(context, { client_id: clientId, code: approved?.code ?? '' })
  t.equal(tokens.scope, 'notes:read')
})

t.test('what is approved for a device can be fetched as long as its code lives', async (t) => {
  const { grants, handle } = await ask({ device: { deviceId: 'd'.repeat(43), endsAt: START + 600 } })
  const approved = await grants.approve({ handle, subject: 'alice', scopes: SCOPES }, START + 100)

  t.equal(approved?.grant.endsAt, START + 600)
  t.ok(await grants.find(approved?.grant.grantId ?? '', START + 599))
  t.equal(await grants.find(approved?.grant.grantId ?? '', START + 600), null)
})

t.test('denying ends the authorization and answers it for the redirect', async (t) => {
  const { grants, handle, grant } = await ask()

  t.same(await grants.deny({ handle, subject: 'alice' }, START), grant)
  t.equal(await grants.deny({ handle, subject: 'alice' }, START), null)
  t.equal(await grants.approve({ handle, subject: 'alice', scopes: SCOPES }, START), null)
  t.equal(await grants.find(grant.grantId, START), null)
})

t.test('of twenty equal approvals at once all answer one code', async (t) => {
  const { grants, handle } = await ask()

  const all = await Promise.all(Array.from({ length: 20 }, () =>
    grants.approve({ handle, subject: 'alice', scopes: SCOPES }, START)))

  t.equal(new Set(all.map((approved) => approved?.code)).size, 1)
  t.ok(all[0])
})

t.test('of different decisions at once exactly one counts', async (t) => {
  const { grants, handle } = await ask()

  const [narrow, wide, denied] = await Promise.all([
    grants.approve({ handle, subject: 'alice', scopes: ['notes:read'] }, START),
    grants.approve({ handle, subject: 'alice', scopes: SCOPES }, START),
    grants.deny({ handle, subject: 'alice' }, START)
  ])

  t.equal([narrow, wide, denied].filter((answer) => answer !== null).length, 1)
})

for (const when of ['before', 'after'] as const) {
  t.test(`a crash ${when} the approval is committed loses nothing: the form sent again gets the code`, async (t) => {
    const records = failingStore(memoryStore())
    const context = buildContext({ records })
    const { client: { clientId } } = await addClient(context)
    const { handle } = await context.grants.request(grantRequest(clientId), START)
    const approve = () => context.grants.approve({ handle, subject: 'alice', scopes: SCOPES }, START)
    records.failOnce('replace', when)

    await t.rejects(approve(), StoreUnavailableError)
    const code = (await approve())?.code ?? ''

    t.ok((await exchange(context, { client_id: clientId, code })).tokens.access_token)
  })
}

t.test('an id that is taken is not used', async (t) => {
  const { context, clientId } = await ask()
  const { records } = context
  const answers = [false, true]
  const picky = buildContext({ records: { ...records, add: async () => answers.shift() ?? true } })

  const { grant } = await picky.grants.request(grantRequest(clientId), START)

  t.match(grant.grantId, /^[\w-]{22}$/)
  t.same(answers, [])
})
