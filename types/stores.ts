/**
 * Names one record. Two tenants with the same kind and id never meet. Each part is 1 to 512 UTF-16 code units,
 * well-formed and without NUL, compared exactly. Nothing is held under any other key: looking for one finds nothing,
 * adding, replacing or counting under one rejects with `TypeError`.
 */
export interface RecordKey {
  readonly tenant: string
  readonly kind: string
  readonly id: string
}

/** What a caller hands to `add`. */
export interface NewRecord extends RecordKey {
  /** Seconds since the Unix epoch; the record is dead at this second, not after it. `null` never expires. */
  readonly expiresAt: number | null
  /** Up to 8 values that `list` and `removeWhere` can ask for, each of up to 512 UTF-16 code units. Never a secret. */
  readonly index: Readonly<Record<string, string>>
  /** JSON text. A store never looks inside. */
  readonly body: string
}

/** What a store hands out: a snapshot, never a reference to what it keeps. */
export interface StoredRecord extends NewRecord {
  /** 1 when added, one more at each `replace`. */
  readonly version: number
}

export interface RecordPage {
  readonly records: readonly StoredRecord[]
  /** Hand it to the next `list`; `null` after the last page. */
  readonly cursor: string | null
}

/** The records of one kind, all of them or those with one index value. */
export interface RecordQuery {
  readonly tenant: string
  readonly kind: string
  readonly where?: { readonly name: string, readonly value: string }
}

export interface CountedWindow {
  /** The counter after this increment. */
  readonly count: number
  /** Seconds since the Unix epoch: the second at which the counter starts again from nothing. */
  readonly resetsAt: number
}

export interface Message {
  readonly tenant: string
  readonly channel: string
  readonly text: string
}

/**
 * Where every record lives. Each verb is atomic by itself: of any number of concurrent callers, in any number
 * of processes, exactly one sees `add`, `replace` or `take` succeed. No caller ever needs two verbs that agree.
 *
 * `now` is seconds since the Unix epoch. A record whose `expiresAt` is not after `now` is held by nobody: `get`,
 * `replace` and `take` do not find it and `add` puts a new one in its place.
 *
 * A store that cannot be reached, or is full, rejects with `StoreUnavailableError`; it never answers `null` for it,
 * and it never lets go of a live record or counter to make room.
 */
export interface RecordStore {
  /** Holds a record unless one is held under this key. Answers `false` when one is; never overwrites. */
  add (record: NewRecord, now: number): Promise<boolean>
  get (key: RecordKey, now: number): Promise<StoredRecord | null>
  /**
   * Compare-and-swap: puts `record` in the place of the held one if that has the version `record.version`.
   * The held version becomes one more. Answers `false` when the record is gone, expired or was replaced before.
   */
  replace (record: StoredRecord, now: number): Promise<boolean>
  /** Removes a record and answers it. Exactly one of any number of concurrent callers gets it. */
  take (key: RecordKey, now: number): Promise<StoredRecord | null>
  /** Answers whether a live record was removed. */
  remove (key: RecordKey, now: number): Promise<boolean>
  /**
   * Live records in the order of their ids (for ASCII that of the characters, otherwise one fixed order of the
   * engine's). No live record is skipped or repeated over the pages. `limit`: 1 to 1000. `after`: a page's cursor.
   */
  list (query: RecordQuery & { readonly limit: number, readonly after?: string }, now: number): Promise<RecordPage>
  /** Removes every live record that the query finds; answers how many there were. */
  removeWhere (query: RecordQuery, now: number): Promise<number>
  /**
   * Adds `by` (1 or more) to a counter that starts from nothing `window` seconds after its first increment. Counters
   * are no records, whatever their key: no other verb finds one, and only the end of its window ends one.
   */
  increment (key: RecordKey, input: { readonly by: number, readonly window: number }, now: number):
  Promise<CountedWindow>
  /**
   * Forgets up to `limit` dead records and counters; answers how many. Call again while it answers `limit`. An engine
   * that forgets by itself answers what was left to forget.
   */
  prune (limit: number, now: number): Promise<number>
  /**
   * Tells every subscriber of this tenant and channel, in every process that the engine reaches. At most once. Those
   * of this very store have been called when it answers, if the engine keeps its subscribers in memory.
   */
  publish (message: Message): Promise<void>
  /** Answers a function that ends the subscription. A listener that throws harms no other one. */
  subscribe (input: { readonly tenant: string, readonly channel: string, readonly listener: (text: string) => void }):
  Promise<() => Promise<void>>
  /**
   * The version of the record that `get` would find, told at once and for next to nothing. Only for an engine that
   * holds every record in this very process; left out by all others.
   */
  versionOf? (key: RecordKey, now: number): number | undefined
  /** Lets go of what the store itself opened; a handle that the host opened stays open. */
  close (): Promise<void>
}
