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
  const isThere = await isReachable(url)
  const skip = !isThere && process.env['REQUIRE_SERVICES'] !== '1' && `there is no ${name} at ${url.host}`

  t.test(`${name} is there when services are required`, { skip }, async (t) => {
    t.ok(isThere, `${name} answers at ${url.host}`)
  })
}
