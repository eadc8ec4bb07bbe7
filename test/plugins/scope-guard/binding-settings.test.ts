import type { FastifyInstance, FastifyReply } from 'fastify'
import t from 'tap'
import { systemClock } from '../../../lib/clock.js'
import type { Streams } from '../../../lib/plugins/scope-guard/streams.js'
import { memoryStore } from '../../../lib/stores/memory.js'
import type { Principal } from '../../../types/principal.js'
import { readBindingSettings, type BindingSettings } from '../../../lib/plugins/scope-guard/binding-settings.js'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import { buildApp } from '../../helpers/build-app.js'
import { guardOptions, principalWith } from '../../helpers/guard.js'

const SECRET = 'a secret of more than thirty-two characters'

async function settingsFor (app: FastifyInstance, more: Partial<ScopeGuardOptions> = {}): Promise<BindingSettings> {
  const { verifier, clock, ...options } = guardOptions()
  if (verifier === undefined || clock === undefined) throw new Error('the guard has a verifier and a clock')
  const authentication = { onSwitch: () => {} }
  return await readBindingSettings(app, { verifier, clock, authentication, options: { ...options, verifier, ...more } })
}

t.test('the secrets of the store are used where there is one', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore, { secrets: [SECRET] })

  t.equal((await settingsFor(app)).secrets, app.pkceStore.secrets)
})

t.test('secrets beside the store stop the boot', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore, {})

  await t.rejects(settingsFor(app, { secrets: [SECRET] }), { code: 'MCPS_ERR_INVALID_OPTION', message: /^secrets cannot/ })
})

t.test('without the store those that are given are used', async (t) => {
  const app = buildApp(t)

  const tag = (await settingsFor(app, { secrets: [SECRET] })).secrets.mac('bound-ids', 'text')
  t.equal((await settingsFor(app, { secrets: [SECRET] })).secrets.verifyMac('bound-ids', 'text', tag), true)
})

t.test('without any they are random: no two guards know each other\'s', async (t) => {
  const app = buildApp(t)

  const tag = (await settingsFor(app)).secrets.mac('bound-ids', 'text')
  t.equal((await settingsFor(app)).secrets.verifyMac('bound-ids', 'text', tag), false)
})

t.test('a server has tasks when its host says so, and a state lasts ten minutes unless it says otherwise', async (t) => {
  const app = buildApp(t)

  t.match(await settingsFor(app), { tasks: false, stateLifetime: 600 })
  t.match(await settingsFor(app, { tasks: false }), { tasks: false })
  t.match(await settingsFor(app, { tasks: true }), { tasks: true })
  const more = { tasks: { list: false }, stateLifetime: 60, streamRecheck: 5 }
  t.match(await settingsFor(app, more), { tasks: true, stateLifetime: 60 })
})

t.test('what each option may be is checked at boot', async (t) => {
  const { scopeGuard } = await import('../../../lib/plugins/scope-guard.js')

  const wrong: Record<string, object> = {
    'tasks.list is required': { tasks: {} },
    'stateLifetime must': { stateLifetime: 9 },
    'streamRecheck must': { streamRecheck: 0 },
    'secrets.0 must': { secrets: ['short'] },
    'secrets must': { secrets: [] }
  }
  for (const [message, more] of Object.entries(wrong)) {
    const app = buildApp(t)
    const register = async () => await app.register(scopeGuard, { ...guardOptions(), ...more })
    await t.rejects(register, { message: new RegExp(`^${message}`) })
  }
})

/** A stream of `principal` that was opened and is being read. */
async function openStream (app: FastifyInstance, streams: Streams, principal: Principal) {
  const replies: FastifyReply[] = []
  app.get('/', (request, reply) => {
    replies.push(reply)
    streams.watch(request, reply, principal)
    reply.hijack()
    reply.raw.writeHead(200).write('first')
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { body } = await fetch(app.listeningOrigin)
  const reader = body?.getReader()
  await reader?.read()
  const isOpen = (): boolean => replies[0]?.raw.destroyed === false
  return { isOpen, ended: async (): Promise<void> => { await reader?.read() } }
}

t.test('streams of the anonymous principal end when authentication is switched on, not when it is switched off', async (t) => {
  const { verifier, clock, ...options } = guardOptions()
  if (verifier === undefined || clock === undefined) throw new Error('the guard has a verifier and a clock')
  const listeners: Array<(enabled: boolean) => void> = []
  const authentication = { onSwitch (listener: (enabled: boolean) => void) { listeners.push(listener) } }
  const app = buildApp(t)
  const input = { verifier, clock, authentication, options: { ...options, verifier } }
  const { streams } = await readBindingSettings(app, input)
  const anonymous = principalWith([], { credential: 'anonymous', expiresAt: null })
  const { ended, isOpen } = await openStream(app, streams, anonymous)

  for (const tell of listeners) tell(false)
  t.equal(isOpen(), true)
  for (const tell of listeners) tell(true)

  await t.rejects(ended)
})

t.test('streams of a grant of our own store end when it is revoked', async (t) => {
  const app = buildApp(t)
  const store = memoryStore()
  await app.register(pkceStore, { store, secrets: [SECRET] })
  const { verifier, clock = systemClock, ...options } = guardOptions()
  if (verifier === undefined) throw new Error('the guard has a verifier')
  const authentication = { onSwitch: () => {} }
  const { streams } = await readBindingSettings(app, { verifier, clock, authentication, options })
  const { ended } = await openStream(app, streams, principalWith([], { grantId: 'grant-1' }))

  await store.publish({ tenant: 'default', channel: 'grant-revoked', text: 'grant-1' })

  await t.rejects(ended)
})
