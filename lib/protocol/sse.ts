/** What a line of an event stream may say. Clients ignore every other name. */
export type SseFieldName = 'id' | 'event' | 'retry' | 'data'

export interface SseField {
  readonly name: SseFieldName
  /** One line: holds neither CR nor LF. */
  readonly value: string
}

/** The lines of one event, in the order in which they were sent. */
export interface SseEvent {
  readonly fields: readonly SseField[]
}

/** A comment or a blank line, ready to be passed on, or an event that is complete. */
export type SsePart = string | SseEvent

export interface SseReader {
  /**
   * Takes the next bytes and answers what they complete.
   * @throws {RangeError} when an event, or one line, is longer than the bound. Nothing is to be read after that.
   */
  read (chunk: Uint8Array): readonly SsePart[]
}

const NAMES: ReadonlySet<string> = new Set<SseFieldName>(['id', 'event', 'retry', 'data'])
const LINE_END = /\r\n|\n|\r/

const isName = (name: string): name is SseFieldName => NAMES.has(name)

/** A line without colon is a name with an empty value. One space after the colon is not part of the value. */
function readField (line: string): SseField | null {
  const colon = line.indexOf(':')
  const name = colon === -1 ? line : line.slice(0, colon)
  if (!isName(name)) return null
  const value = colon === -1 ? '' : line.slice(colon + 1)
  return { name, value: value.startsWith(' ') ? value.slice(1) : value }
}

/**
 * Reads an event stream (WHATWG HTML §9.2) from chunks that may end anywhere, inside of a character and between CR and
 * LF too. Comments and blank lines are answered at once, also before the event in whose midst they stand. A line that
 * no client would read is left out, and so is an event that the stream ends in: it is never answered.
 *
 * `maxEvent` bounds an event and a line, in UTF-16 code units.
 */
export function createSseReader (maxEvent: number): SseReader {
  const decoder = new TextDecoder()
  let unfinished = ''
  let fields: SseField[] = []
  let size = 0
  let afterCr = false

  function assertSize (length: number): void {
    if (length > maxEvent) throw new RangeError('event too large')
  }

  function readLine (line: string): SsePart | null {
    if (line === '') {
      const event = { fields }
      fields = []
      size = 0
      return event.fields.length === 0 ? '\n' : event
    }
    assertSize(size + line.length)
    if (line.startsWith(':')) return `${line}\n`
    const field = readField(line)
    if (field === null) return null
    // A line costs something by itself, however short it is.
    size += line.length + 1
    fields.push(field)
    return null
  }

  function decode (chunk: Uint8Array): string {
    const text = decoder.decode(chunk, { stream: true })
    if (text === '') return text
    const rest = afterCr && text.startsWith('\n') ? text.slice(1) : text
    afterCr = text.endsWith('\r')
    return rest
  }

  return {
    read (chunk) {
      const [first = '', ...others] = decode(chunk).split(LINE_END)
      const lines = [unfinished + first, ...others]
      unfinished = lines.splice(-1).join('')
      const parts = lines.flatMap((line) => readLine(line) ?? [])
      assertSize(size + unfinished.length)
      return parts
    }
  }
}

/** What a client is given as the event's data: its lines, joined. `null` for an event without. */
export function dataOf ({ fields }: SseEvent): string | null {
  const lines = fields.filter(({ name }) => name === 'data')
  return lines.length === 0 ? null : lines.map(({ value }) => value).join('\n')
}

/** The event's type: `message` where it names none. */
export function typeOf ({ fields }: SseEvent): string {
  const named = fields.findLast(({ name }) => name === 'event')
  return named === undefined || named.value === '' ? 'message' : named.value
}

/** The event with one line of data instead of its own, or with none: clients take up its id, and are told nothing. */
export function withData ({ fields }: SseEvent, data: string | null): SseEvent {
  const others = fields.filter(({ name }) => name !== 'data' && (data !== null || name !== 'event'))
  return { fields: data === null ? others : [...others, { name: 'data', value: data }] }
}

/** The bytes of an event, for clients of every kind: lines end with LF. */
export function writeEvent ({ fields }: SseEvent): string {
  return `${fields.map(({ name, value }) => `${name}: ${value}\n`).join('')}\n`
}
