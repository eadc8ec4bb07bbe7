import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SCRIPT = new URL('./servers.js', import.meta.url)

/** Starts one server in a process of its own, with a folder for its files. */
export async function startServer ({ script = SCRIPT, name, count = 1, pin, root, build }) {
  const folder = join(root, `${name}-${build}`.replaceAll('/', '_'))
  mkdirSync(folder)
  const [program, ...args] = [...pin, process.execPath, '--expose-gc', fileURLToPath(script), name, String(count), folder]
  const env = { ...process.env, NODE_ENV: 'production', BENCH_BUILD: build }
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const read = async () => {
    const { done, value } = await lines.next()
    if (done) throw new Error(`the server ${name} has ended`)
    return JSON.parse(value)
  }
  const { port, ...more } = await read()
  return {
    ...more,
    port,
    url: `http://127.0.0.1:${port}/mcp`,
    folder,
    stop: () => { child.stdin.end() },
    /** What it has used since it began. Asked for `memory`, it collects garbage before. */
    async used (what = '') {
      child.stdin.write(`${what}\n`)
      return await read()
    }
  }
}
