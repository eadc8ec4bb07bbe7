import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { signInAndConsent } from '../../examples/support/form-browser.js'
import { freePort } from '../helpers/free-port.js'
import { PlainClient } from '../helpers/oauth-client.js'
import { startReferenceServer, user } from '../helpers/reference-server.js'

const SUITE = 'node_modules/@modelcontextprotocol/conformance/dist/index.js'
const tooOld = Number(process.versions.node.split('.')[0]) < 22

t.test('the official conformance suite passes its authorization scenarios through the real pages', {
  skip: tooOld && 'the conformance suite needs Node 22 or newer; CI runs it there',
  timeout: 120_000
}, async (t) => {
  const server = await startReferenceServer(t)
  const port = await freePort()
  const client = new PlainClient(server.origin)
  await client.register({ redirect_uris: [`http://127.0.0.1:${port}/callback`] })

  const suite = spawn(process.execPath, [
    SUITE, 'authorization', '--url', server.origin, '--client-id', client.clientId, '--resource', server.url.href, '--port', String(port)
  ], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(suite, 'exit')
  let output = ''
  for await (const line of createInterface({ input: suite.stdout })) {
    output += `${line}\n`
    if (!line.startsWith(`${server.origin}/authorize?`)) continue
    await fetch(await signInAndConsent(server.browser(), new URL(line), user))
  }

  const [code] = await exit
  t.equal(code, 0, output)
  t.match(output, /authorization-server-metadata-endpoint/)
  t.match(output, /authorization-code-grant/)
})
