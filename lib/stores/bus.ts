import type { RecordStore } from '../../types/stores.js'

export type Bus = Pick<RecordStore, 'publish' | 'subscribe' | 'close'>

type Listener = (text: string) => unknown

/** A listener that fails, at once or later, has to report that itself: nobody else may be harmed by it. */
async function deliver (listener: Listener, text: string): Promise<void> {
  try {
    await listener(text)
  } catch {}
}

/**
 * Publish and subscribe within this process. Every listener has been called when `publish` answers; none is called
 * after its subscription ended. `close` ends all subscriptions.
 */
export function createBus (): Bus {
  const channels = new Map<string, Set<{ readonly listener: Listener }>>()

  return {
    async publish ({ tenant, channel, text }) {
      const subscriptions = channels.get(`${tenant}\0${channel}`) ?? new Set()
      for (const subscription of [...subscriptions]) {
        // One may have ended while the message was on its way to the others.
        if (subscriptions.has(subscription)) deliver(subscription.listener, text)
      }
    },

    async subscribe ({ tenant, channel, listener }) {
      const name = `${tenant}\0${channel}`
      const subscriptions = channels.get(name) ?? new Set()
      const subscription = { listener }
      channels.set(name, subscriptions.add(subscription))
      return async () => {
        subscriptions.delete(subscription)
        if (subscriptions.size === 0 && channels.get(name) === subscriptions) channels.delete(name)
      }
    },

    async close () {
      for (const subscriptions of channels.values()) subscriptions.clear()
      channels.clear()
    }
  }
}
