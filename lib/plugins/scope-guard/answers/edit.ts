import { isJson, type Json } from '../../../protocol/json-edit.js'

export type { Json }

/** A message after its edit; `null` for one that the client is not to be told. */
export type Edited = Json | null

export type MessageEdit = (message: Json) => Edited | Promise<Edited>

/** An answer that has turned out to be an event stream. */
export interface OpenStream {
  /** Ends it at once. Whatever the host writes later is dropped. */
  end (): void
}

/** What becomes of the answer to one request, however the host sends it. */
export interface AnswerEdit {
  /**
   * Takes each JSON-RPC message of the answer, each element of a batch. The same object leaves the host's bytes as they
   * are, another one is written instead. When it throws, the answer is withheld.
   */
  readonly message?: MessageEdit
  /**
   * Whether a text, of a JSON answer or of one event, may hold what `message` changes: cheaper than to parse it. Where
   * no edit is concerned the text passes unread. Left out: all are.
   */
  readonly concerns?: (text: string) => boolean
  /** Takes each `id:` of an event stream. Must answer one line. */
  readonly eventId?: (id: string) => string
  /** Takes the header `Mcp-Session-Id`. */
  readonly sessionId?: (id: string) => string
  /** Set over what the host sets; `vary` and `cache-control` are combined with it. */
  readonly headers?: Readonly<Record<string, string>>
  /** Called once, when the answer turns out to be an event stream. */
  readonly onStream?: (stream: OpenStream) => void
  /**
   * What cannot be read (encoded, no JSON, larger than 16 MiB) passes as it is. Left out, it is withheld: JSON-RPC
   * -32603 with status 500, or the host's own from 400 up; an event stream is ended.
   */
  readonly optional?: boolean
}

/** The edits of one answer, put together. */
export interface Edits {
  readonly messages: readonly MessageEdit[]
  readonly eventIds: ReadonlyArray<(id: string) => string>
  readonly sessionIds: ReadonlyArray<(id: string) => string>
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly onStream: ReadonlyArray<(stream: OpenStream) => void>
  readonly strict: boolean
  /** Whether the messages of a text have to be read. */
  concern (text: string): boolean
}

const ALL = (): boolean => true

export function combine (edits: readonly AnswerEdit[]): Edits {
  const concerns = edits.flatMap(({ message, concerns = ALL }) => message === undefined ? [] : concerns)
  return {
    concern: (text) => concerns.some((concerned) => concerned(text)),
    messages: edits.flatMap(({ message }) => message ?? []),
    eventIds: edits.flatMap(({ eventId }) => eventId ?? []),
    sessionIds: edits.flatMap(({ sessionId }) => sessionId ?? []),
    headers: edits.flatMap(({ headers }) => headers === undefined ? [] : Object.entries(headers)),
    onStream: edits.flatMap(({ onStream }) => onStream ?? []),
    strict: edits.some(({ message, optional }) => message !== undefined && optional !== true)
  }
}

/** One value through all edits, in their order. */
export const editId = (edits: ReadonlyArray<(id: string) => string>, id: string): string =>
  edits.reduce((current, edit) => edit(current), id)

/** What was read of a text: one message, or the elements of a batch. */
export interface Messages {
  readonly text: string
  readonly batch: boolean
  readonly elements: readonly Json[]
}

/** Answers `null` for what is neither a JSON object nor a batch of them. */
export function readMessages (text: string): Messages | null {
  let parsed: unknown
  try { parsed = JSON.parse(text) } catch { return null }
  const batch = Array.isArray(parsed)
  const elements: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed]
  return elements.every(isJson) ? { text, batch, elements } : null
}

function editOne (edits: readonly MessageEdit[], message: Json): Edited | Promise<Edited> {
  let current: Json = message
  for (const [position, edit] of edits.entries()) {
    const edited = edit(current)
    if (edited instanceof Promise) {
      return edited.then((after) => after === null ? null : editOne(edits.slice(position + 1), after))
    }
    if (edited === null) return null
    current = edited
  }
  return current
}

async function editBatch (edits: readonly MessageEdit[], { text, elements }: Messages): Promise<string | null> {
  const left: Json[] = []
  for (const element of elements) {
    const edited = await editOne(edits, element)
    if (edited !== null) left.push(edited)
  }
  if (left.length === elements.length && left.every((after, position) => after === elements[position])) return text
  return left.length === 0 ? null : JSON.stringify(left)
}

/** Answers the text after the edits: the very same where nothing changed, `null` where nothing is left. */
export function editMessages (
  edits: readonly MessageEdit[], messages: Messages
): string | null | Promise<string | null> {
  const [only] = messages.elements
  if (messages.batch || only === undefined) return editBatch(edits, messages)
  const write = (edited: Edited): string | null =>
    edited === only ? messages.text : edited === null ? null : JSON.stringify(edited)
  const edited = editOne(edits, only)
  return edited instanceof Promise ? edited.then(write) : write(edited)
}
