import fc from 'fast-check'
import t from 'tap'
import {
  createSseReader, dataOf, typeOf, withData, writeEvent, type SseEvent, type SsePart
} from '../../lib/protocol/sse.js'

const MANY = 10_000

function readAll (chunks: readonly Uint8Array[], maxEvent = MANY): readonly SsePart[] {
  const reader = createSseReader(maxEvent)
  return chunks.flatMap((chunk) => reader.read(chunk))
}

const read = (text: string, maxEvent?: number) => readAll([Buffer.from(text)], maxEvent)

function only (text: string): SseEvent {
  const [event] = read(text)
  if (event === undefined || typeof event === 'string') throw new Error('no event')
  return event
}

const PARTS: ReadonlyArray<readonly [says: string, text: string, parts: readonly SsePart[]]> = [
  ['an event of one line', 'data: x\n\n', [{ fields: [{ name: 'data', value: 'x' }] }]],
  ['a comment is handed on by itself', ': ping\n\n', [': ping\n', '\n']],
  ['a comment within an event comes before it', 'data: x\n: ping\n\n', [': ping\n', { fields: [{ name: 'data', value: 'x' }] }]],
  ['one space after the colon is left out, two are one', 'data:  x\n\n', [{ fields: [{ name: 'data', value: ' x' }] }]],
  ['a line without colon is a name', 'data\n\n', [{ fields: [{ name: 'data', value: '' }] }]],
  ['a name that nobody knows is left out', 'x: y\ndata: z\n\n', [{ fields: [{ name: 'data', value: 'z' }] }]],
  ['names are exact', 'Data: y\n\n', ['\n']],
  ['a byte order mark is no part of the first line', '\uFEFFdata: x\n\n', [{ fields: [{ name: 'data', value: 'x' }] }]],
  ['CR alone ends a line', 'id: 1\rdata: x\r\r', [{ fields: [{ name: 'id', value: '1' }, { name: 'data', value: 'x' }] }]],
  ['CRLF is one end', 'data: x\r\n\r\n', [{ fields: [{ name: 'data', value: 'x' }] }]],
  ['an event that the stream ends in is never answered', 'data: x\n', []],
  ['a line that the stream ends in is never answered', ': pin', []]
]

for (const [says, text, parts] of PARTS) {
  t.test(`reading an event stream: ${says}`, async (t) => { t.same(read(text), parts) })
}

t.test('an event is answered with the CR that ends it, and the LF behind is no line of its own', async (t) => {
  const reader = createSseReader(MANY)

  t.equal(reader.read(Buffer.from('data: x\r\n\r')).length, 1)
  t.same(reader.read(Buffer.from('')), [])
  t.same(reader.read(Buffer.from('\n')), [])
  t.same(reader.read(Buffer.from('\n')), ['\n'])
})

t.test('no way of cutting a stream changes what is read', async (t) => {
  const text = '\uFEFF: grüße\r\nid: 1\r\ndata: {"a":"🎉"}\r\n\r\ndata: y\r\rretry: 5\n\nevent: z\ndata: a\ndata: b\n\n'
  const bytes = Buffer.from(text)
  const whole = readAll([bytes])

  t.equal(whole.length, 5)
  for (let at = 0; at <= bytes.length; at++) {
    t.same(readAll([bytes.subarray(0, at), bytes.subarray(at)]), whole, `cut at ${at}`)
  }
  t.same(readAll(Array.from(bytes, (byte) => Uint8Array.of(byte))), whole, 'byte by byte')
})

const BOUNDS: ReadonlyArray<readonly [says: string, text: string, passes: boolean]> = [
  ['a line of the bound', `data:${'x'.repeat(95)}\n\n`, true],
  ['a line over the bound', `data:${'x'.repeat(96)}\n\n`, false],
  ['a line over the bound that does not end', `data:${'x'.repeat(96)}`, false],
  ['a comment over the bound', `:${'x'.repeat(100)}\n`, false],
  ['lines that are too many together', 'data\n'.repeat(25), false],
  ['two events that are too long together', `data:${'x'.repeat(90)}\n\n`.repeat(2), true]
]

for (const [says, text, passes] of BOUNDS) {
  t.test(`an event is bounded: ${says} ${passes ? 'passes' : 'does not pass'}`, async (t) => {
    if (passes) t.ok(read(text, 100).length > 0)
    else t.throws(() => read(text, 100), RangeError)
  })
}

t.test('the data of an event is its lines, joined', async (t) => {
  t.equal(dataOf(only('data: a\nid: 1\ndata: b\n\n')), 'a\nb')
  t.equal(dataOf(only('data\n\n')), '')
  t.equal(dataOf(only('id: 1\n\n')), null)
})

t.test('the type of an event is the last that it names, and message without one', async (t) => {
  t.equal(typeOf(only('event: a\nevent: b\n\n')), 'b')
  t.equal(typeOf(only('event:\ndata: x\n\n')), 'message')
  t.equal(typeOf(only('data: x\n\n')), 'message')
})

t.test('other data takes the place of all lines of data', async (t) => {
  t.equal(writeEvent(withData(only('data: a\nevent: e\nid: 1\ndata: b\n\n'), 'c')), 'event: e\nid: 1\ndata: c\n\n')
})

t.test('an event without its data keeps its id, and tells a client nothing', async (t) => {
  t.equal(writeEvent(withData(only('data: a\nevent: e\nid: 1\n\n'), null)), 'id: 1\n\n')
})

t.test('what is written reads the same', async (t) => {
  const name = fc.constantFrom('id' as const, 'event' as const, 'retry' as const, 'data' as const)
  const value = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n]/g, ''))
  const field = fc.record({ name, value }, { noNullPrototype: true })
  const event = fc.record({ fields: fc.array(field, { minLength: 1, maxLength: 5 }) }, { noNullPrototype: true })
  fc.assert(fc.property(fc.array(event), (events) => {
    t.strictSame(read(`\n${events.map(writeEvent).join('')}`), ['\n', ...events])
  }), { numRuns: 200 })
})
