import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** Names in lower case; of repeated lines a list. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
}

function read (text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const [name = '', ...value] = line.split(':')
    headers.set(name.toLowerCase(), [...headers.get(name.toLowerCase()) ?? [], value.join(':').trim()])
  }
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(first)?.[1]), headers, body: text.slice(end + 4) }
}

/** Sends bytes that no client would send, and answers what comes back before the server closes. */
export async function rawExchange (origin: string, lines: readonly string[], body: string | Buffer = ''): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin)
  const length = lines.some((line) => /^(content-length|transfer-encoding):/i.test(line))
    ? []
    : [`Content-Length: ${Buffer.byteLength(body)}`]
  return await new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname)
    socket.setEncoding('latin1').on('data', (part: string) => { text += part })
    socket.on('close', () => { resolve(read(text)) }).on('error', (error) => { if (text === '') reject(error) })
    const head = Buffer.from([...lines, ...length, 'Connection: close', '', ''].join('\r\n'), 'latin1')
    // All at once: what is written after the server has closed resets the connection, and its answer is lost.
    socket.write(Buffer.concat([head, Buffer.from(body)]))
  })
}
