import t from 'tap'
import { readStoredClient } from '../../lib/oauth/stored-client.js'
import { PUBLIC_CLIENT, START } from '../helpers/token-context.js'

const rest = {
  clientId: 'a', metadata: PUBLIC_CLIENT, authenticationMethods: ['none'], origin: 'dynamic', issuedAt: START
} as const

t.test('a client that is in the store is read as it was kept', async (t) => {
  const client = { ...rest, secretDigests: ['one', 'two'] }

  t.equal(readStoredClient(client), client)
})

t.test('a client that version 0.2 kept has the one secret that it had, or none', async (t) => {
  t.strictSame(readStoredClient({ ...rest, secretDigest: 'one' }), { ...rest, secretDigests: ['one'] })
  t.strictSame(readStoredClient({ ...rest, secretDigest: null }), { ...rest, secretDigests: [] })
})
