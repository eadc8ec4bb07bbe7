import { createWriteStream } from 'node:fs'

const CHUNK = 64 * 1024

/** The obvious good sink: JSON lines, gathered for a tenth of a second or 64 KB, whichever is first. */
export function fileSink (path) {
  const stream = createWriteStream(path)
  let lines = ''

  function flush () {
    if (lines !== '') stream.write(lines)
    lines = ''
  }
  setInterval(flush, 100).unref()

  return (event) => {
    lines += `${JSON.stringify(event)}\n`
    if (lines.length >= CHUNK) flush()
  }
}
