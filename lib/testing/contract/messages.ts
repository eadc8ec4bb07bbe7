import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { RecordStore } from '../../../types/stores.js'
import type { Checks } from './scene.js'

const CHANNEL = { tenant: 'tenant', channel: 'revoked' }
const LAST = 'last'
const PATIENCE_MS = 2000

interface Inbox {
  readonly texts: string[]
  /** Resolves when the message `last` has come, rejects when it does not come in time. */
  complete (): Promise<void>
  readonly end: () => Promise<void>
}

async function openInbox (store: RecordStore, channel = CHANNEL): Promise<Inbox> {
  const texts: string[] = []
  const last = new EventEmitter()
  const patience = new AbortController()
  const arrived = once(last, LAST, { signal: patience.signal })
  const listener = (text: string): void => {
    if (text === LAST) last.emit(LAST)
    else texts.push(text)
  }
  const end = await store.subscribe({ ...channel, listener })
  return {
    texts,
    end,
    async complete () {
      const timer = setTimeout(() => { patience.abort() }, PATIENCE_MS)
      await arrived.finally(() => { clearTimeout(timer) })
    }
  }
}

export const messageChecks: Checks = {
  'every subscriber of a channel gets each of its messages once and in order': async ({ store }) => {
    const inboxes = [await openInbox(store), await openInbox(store)]

    for (const text of ['one', 'two', 'naïve 😀', LAST]) await store.publish({ ...CHANNEL, text })

    for (const { texts, complete } of inboxes) {
      await complete()
      assert.deepEqual(texts, ['one', 'two', 'naïve 😀'])
    }
  },

  'no message reaches another tenant or channel': async ({ store }) => {
    const channels = [CHANNEL, { ...CHANNEL, tenant: 'other' }, { ...CHANNEL, channel: 'other' }]
    const inboxes = await Promise.all(channels.map((channel) => openInbox(store, channel)))

    for (const channel of channels) await store.publish({ ...channel, text: JSON.stringify(channel) })
    for (const channel of channels) await store.publish({ ...channel, text: LAST })

    await Promise.all(inboxes.map(({ complete }) => complete()))
    assert.deepEqual(inboxes.map(({ texts }) => texts), channels.map((channel) => [JSON.stringify(channel)]))
  },

  'a message that nobody listens for is gone': async ({ store }) => {
    await store.publish({ ...CHANNEL, text: 'early' })
    const { texts, complete } = await openInbox(store)
    await store.publish({ ...CHANNEL, text: LAST })

    await complete()
    assert.deepEqual(texts, [])
  },

  'a subscription that ended hears nothing more, and ends no other one': async ({ store }) => {
    const ended = await openInbox(store)
    const open = await openInbox(store)
    await ended.end()
    await ended.end()

    for (const text of ['one', LAST]) await store.publish({ ...CHANNEL, text })

    await open.complete()
    assert.deepEqual([ended.texts, open.texts], [[], ['one']])
    await open.end()
  },

  'the same listener may subscribe twice, and each subscription ends by itself': async ({ store }) => {
    const texts: string[] = []
    const listener = (text: string): void => { texts.push(text) }
    const endOne = await store.subscribe({ ...CHANNEL, listener })
    await store.subscribe({ ...CHANNEL, listener })
    const { complete } = await openInbox(store)

    await store.publish({ ...CHANNEL, text: 'one' })
    await endOne()
    for (const text of ['two', LAST]) await store.publish({ ...CHANNEL, text })

    await complete()
    assert.deepEqual(texts.filter((text) => text !== LAST), ['one', 'one', 'two'])
  },

  'a listener that throws or rejects harms no other one and not the publisher': async ({ store }) => {
    await store.subscribe({ ...CHANNEL, listener: () => { throw new Error('a listener threw') } })
    await store.subscribe({ ...CHANNEL, listener: async () => { throw new Error('a listener rejected') } })
    const { texts, complete } = await openInbox(store)

    for (const text of ['one', LAST]) await store.publish({ ...CHANNEL, text })

    await complete()
    assert.deepEqual(texts, ['one'])
  },

  'closing ends every subscription and may be repeated': async ({ store }) => {
    const { end } = await openInbox(store)

    await store.close()
    await store.close()
    await end()
  }
}
