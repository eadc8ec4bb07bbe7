import { memoryStore } from '../../../lib/stores/memory.js'
import type { Message, RecordStore } from '../../../types/stores.js'

/** The first listener that throws keeps the message from all after it. */
export function fragileBus (): RecordStore {
  const subscriptions = new Set<Omit<Message, 'text'> & { listener: (text: string) => void }>()
  return {
    ...memoryStore(),
    async publish ({ tenant, channel, text }) {
      for (const one of subscriptions) if (one.tenant === tenant && one.channel === channel) one.listener(text)
    },
    async subscribe (subscription) {
      subscriptions.add(subscription)
      return async () => { subscriptions.delete(subscription) }
    }
  }
}
