import t from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { LOOPBACK, oauthApp, post, register, RESOURCE, VERIFIER, watchedStore } from '../helpers/oauth-app.js'

// AS-P1: nobody has to sign in to push a request, and everybody can register as a client.

t.test('what a stranger pushes is kept only when it is as short as requests are', async (t) => {
  const { store, added } = watchedStore()
  const { app } = await oauthApp(t, { store })
  const request = {
    response_type: 'code',
    client_id: await register(app),
    redirect_uri: LOOPBACK,
    code_challenge: sha256(VERIFIER),
    code_challenge_method: 'S256',
    resource: RESOURCE,
    state: 's'.repeat(4096)
  }
  const pushed = async (more: Record<string, string>) => (await post(app, '/par', { ...request, ...more })).statusCode

  t.equal(await pushed({}), 201)
  t.equal(await pushed({ ballast: 'x'.repeat(60_000) }), 413)
  t.equal(await pushed({ ['x'.repeat(60_000)]: '' }), 413)
  t.equal(await pushed({ scope: 'notes:read '.repeat(5000) }), 413)
  t.equal(added.filter((kind) => kind === 'pushed-request').length, 1)
})
