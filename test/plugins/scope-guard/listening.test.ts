import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { isOpenServer, watchListen } from '../../../lib/plugins/scope-guard/listening.js'

const directory = mkdtempSync(join(tmpdir(), 'mcp-listening-'))
t.teardown(() => { rmSync(directory, { recursive: true, force: true }) })

/** A server that may listen on loopback only. */
function watched (t: { teardown (act: () => void): void }) {
  const server = createServer()
  let asked = 0
  watchListen(server, () => { asked += 1; return new Error('no') })
  t.teardown(() => { server.close() })
  return { server, asked: () => asked }
}

const beyond: Record<string, unknown[]> = {
  'every address': [{ port: 0, host: '0.0.0.0' }],
  'every address of IPv6': [{ port: 0, host: '::' }],
  'no address in particular': [{ port: 0 }],
  'a port alone': [0],
  'a port with a callback': [0, () => {}],
  'a host elsewhere': [0, 'mcp.example.com'],
  'a Unix socket': [{ path: join(directory, 'a.sock') }],
  'a Unix socket with a host beside it': [{ path: join(directory, 'b.sock'), host: 'localhost' }],
  'a Unix socket by itself': [join(directory, 'c.sock')]
}

for (const [what, args] of Object.entries(beyond)) {
  t.test(`a server that would listen on ${what} fails as if its port were taken`, async (t) => {
    const { server } = watched(t)
    const failed = once(server, 'error')

    Reflect.apply(server.listen, server, args)

    t.match(await failed, [{ message: 'no' }])
    t.equal(server.listening, false)
  })
}

const within: Record<string, unknown[]> = {
  'an address': [{ port: 0, host: '127.0.0.1' }],
  'an address beside the port': [0, '127.0.0.1'],
  'a name': [{ port: 0, host: 'localhost', path: undefined }]
}

for (const [what, args] of Object.entries(within)) {
  t.test(`a server that listens on loopback by ${what} is let, and nobody is asked`, async (t) => {
    const { server, asked } = watched(t)
    const listening = once(server, 'listening')

    Reflect.apply(server.listen, server, args)
    await listening

    t.equal(asked(), 0)
    t.equal(isOpenServer(server), false)
  })
}

t.test('a server that may listen everywhere does, and is known to be open', async (t) => {
  const server = createServer()
  watchListen(server, () => null)
  t.equal(isOpenServer(server), false)

  server.listen({ port: 0, host: '0.0.0.0' })
  await once(server, 'listening')

  t.equal(isOpenServer(server), true)
  server.close()
  t.equal(isOpenServer({ address: () => '/run/mcp.sock' }), true)
})
