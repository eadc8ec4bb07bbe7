import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'

const services = {
  PostgreSQL: new URL(process.env['TEST_POSTGRES_URL'] ?? 'postgres://127.0.0.1:5432'),
  Redis: new URL(process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379')
}

async function isReachable (url: URL): Promise<boolean> {
  const socket = connect(Number(url.port), url.hostname)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

// No store speaks to them yet; the gate has to start them all the same, and this says whether it did.
for (const [name, url] of Object.entries(services)) {
  t.test(`${name} is there when services are required`, async (t) => {
    const isThere = await isReachable(url)
    if (!isThere && process.env['REQUIRE_SERVICES'] !== '1') {
      t.comment(`skipped: no ${name} at ${url.host}`)
      t.skip(`no ${name} at ${url.host}`)
      return
    }
    t.ok(isThere, `${name} answers at ${url.host}`)
  })
}
