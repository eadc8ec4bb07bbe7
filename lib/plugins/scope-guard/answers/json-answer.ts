import {
  forgetBody, MAX_ANSWER, NOTHING, passOn, sendBytes, sendEnd, sendHead, withhold, type Headed, type Sink
} from './answer.js'
import { editMessages, readMessages } from './edit.js'
import { readPiece } from './pieces.js'

/** Keeps a body back until it is complete, and sends what the edits make of it, with the right length. */
export function holdJson ({ answer, edits }: Headed): Sink {
  const { raw } = answer
  const parts: Buffer[] = []
  let size = 0

  function send (bytes: Buffer): void {
    if (raw.destroyed) return
    answer.sink = NOTHING
    if (raw.hasHeader('transfer-encoding')) raw.removeHeader('content-length')
    else raw.setHeader('content-length', bytes.length)
    sendHead(answer)
    if (bytes.length > 0) sendBytes(answer, bytes)
    sendEnd(answer)
  }

  function sendText (text: string | null, held: { text: string, bytes: Buffer }): void {
    if (text === held.text) { send(held.bytes); return }
    forgetBody(answer)
    send(Buffer.from(text ?? ''))
  }

  const refuse = (reason: unknown): void => { if (!raw.destroyed) withhold(answer, reason) }

  function edit (): void {
    const bytes = Buffer.concat(parts)
    const text = new TextDecoder().decode(bytes)
    if (bytes.length === 0 || !edits.concern(text)) { send(bytes); return }
    const messages = readMessages(text)
    if (messages === null) {
      if (edits.strict) refuse(new TypeError('not a JSON-RPC message'))
      else send(bytes)
      return
    }
    const edited = editMessages(edits.messages, messages)
    if (edited instanceof Promise) edited.then((after) => { sendText(after, { text, bytes }) }).catch(refuse)
    else sendText(edited, { text, bytes })
  }

  function letGo (): void {
    answer.held = false
    answer.sink = passOn(answer)
    sendHead(answer)
    for (const part of parts.splice(0)) sendBytes(answer, part)
  }

  function take (bytes: Uint8Array): void {
    size += bytes.length
    // The host may use its buffer again.
    parts.push(Buffer.from(bytes))
    if (size <= MAX_ANSWER) return
    if (edits.strict) refuse(new RangeError('answer too large'))
    else letGo()
  }

  answer.held = true
  return {
    write (args) {
      const { bytes, done } = readPiece(args)
      if (bytes !== null) take(bytes)
      if (done !== null) process.nextTick(done)
      return true
    },
    end (args) {
      const { bytes, done } = readPiece(args)
      if (done !== null) raw.once('finish', done)
      if (bytes !== null) take(bytes)
      answer.ended = true
      if (answer.sink === this) {
        try { edit() } catch (error) { refuse(error) }
      } else answer.sink?.end([])
    }
  }
}
