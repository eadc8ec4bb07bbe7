import {
  createSseReader, dataOf, typeOf, withData, writeEvent, type SseEvent, type SsePart
} from '../../../protocol/sse.js'
import { forgetBody, MAX_ANSWER, NOTHING, sendBytes, sendEnd, sendHead, type Headed, type Sink } from './answer.js'
import { editId, editMessages, readMessages, type Edits } from './edit.js'
import { openToClient } from './head.js'
import { readPiece } from './pieces.js'

function withIds (event: SseEvent, { eventIds }: Edits): SseEvent {
  if (eventIds.length === 0) return event
  const fields = event.fields.map((field) =>
    field.name === 'id' && field.value !== '' ? { ...field, value: editId(eventIds, field.value) } : field)
  return { fields }
}

/**
 * The bytes of an event after the edits.
 * @throws {TypeError} for a message that is none, where it had to be read.
 */
function editEvent (original: SseEvent, edits: Edits): string | Promise<string> {
  const event = withIds(original, edits)
  const data = dataOf(event)
  if (data === null || data === '' || !edits.concern(data)) return writeEvent(event)
  const messages = readMessages(data)
  if (messages === null) {
    // Events of other types hold what they like: no client takes them for messages.
    if (edits.strict && typeOf(event) === 'message') throw new TypeError('not a JSON-RPC message')
    return writeEvent(event)
  }
  const write = (after: string | null): string => writeEvent(after === data ? event : withData(event, after))
  const edited = editMessages(edits.messages, messages)
  return edited instanceof Promise ? edited.then(write) : write(edited)
}

/** Sends an event stream on, event by event and in order. An event that cannot be read ends it. */
export function rewriteEvents ({ answer, edits }: Headed): Sink {
  const { raw, reply } = answer
  const reader = createSseReader(MAX_ANSWER)
  let waiting = 0
  let last = Promise.resolve()
  let full = false
  raw.on('drain', () => { full = false })

  const isOpen = (sink: Sink): boolean => answer.sink === sink && !raw.destroyed

  function stop (reason: unknown): void {
    if (answer.sink !== sink) return
    reply.log.error({ err: reason }, 'an event that had to be edited could not be read: the stream was ended')
    answer.sink = NOTHING
    sendEnd(answer)
  }

  function send (text: string): void {
    if (isOpen(sink)) full = !sendBytes(answer, text)
  }

  /** Everything waits for an event whose edit is not done. */
  function queue (work: () => void | Promise<void>): void {
    waiting += 1
    last = last.then(work).catch(stop).then(() => {
      waiting -= 1
      if (waiting === 0 && !full && !answer.ended && isOpen(sink)) raw.emit('drain')
    })
  }

  function take (part: SsePart): void {
    if (typeof part === 'string') { send(part); return }
    if (waiting > 0) { queue(async () => { if (isOpen(sink)) send(await editEvent(part, edits)) }); return }
    const edited = editEvent(part, edits)
    if (edited instanceof Promise) queue(async () => { send(await edited) })
    else send(edited)
  }

  function read (bytes: Uint8Array | null): void {
    if (bytes === null || !isOpen(sink)) return
    try {
      for (const part of reader.read(bytes)) take(part)
    } catch (error) { stop(error) }
  }

  const sink: Sink = {
    write (args) {
      const { bytes, done } = readPiece(args)
      read(bytes)
      if (done !== null) last.then(done, done)
      return waiting === 0 && !full
    },
    end (args) {
      const { bytes, done } = readPiece(args)
      if (done !== null) raw.once('finish', done)
      read(bytes)
      if (answer.sink !== sink) return
      answer.ended = true
      const finish = (): void => {
        if (answer.sink !== sink) return
        answer.sink = NOTHING
        sendEnd(answer)
      }
      if (waiting === 0) finish()
      else last.then(finish, finish)
    }
  }
  forgetBody(answer)
  openToClient(raw)
  sendHead(answer)
  return sink
}
