import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** The cursor is an offset, so a record that goes between two pages makes another one skipped. */
export function skippingCursor (): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    async list ({ after = '0', limit, ...query }, now) {
      if (limit < 1 || limit > 1000 || !Number.isInteger(limit)) throw new RangeError('limit')
      const { records } = await store.list({ ...query, limit: 1000 }, now)
      const end = Number(after) + limit
      return { records: records.slice(Number(after), end), cursor: end < records.length ? String(end) : null }
    }
  }
}
