import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { freePort } from '../helpers/free-port.js'

/** Runs an example to its end; answers what it printed. */
async function run (name: string): Promise<unknown> {
  const env = { ...process.env, PORT: String(await freePort()) }
  const running = spawn(process.execPath, [`dist/examples/${name}.js`], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks: Buffer[] = []
  running.stdout.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  await once(running, 'close')
  return JSON.parse(Buffer.concat(chunks).toString())
}

t.test('a CI job calls a tool over HTTP with a key and without a user', async (t) => {
  t.strictSame(await run('ci-job'), {
    jsonrpc: '2.0', id: 1, result: { subject: null, clientId: 'nightly', scopes: ['builds:write'] }
  })
})

t.test('a user of an enterprise calls a tool by what the identity provider has signed', async (t) => {
  t.strictSame(await run('enterprise'), { subject: 'IDP#alice' })
})
