import t from 'tap'
import { readClientCredentials } from '../../lib/protocol/client-credentials.js'
import { readForm } from '../../lib/protocol/form.js'
import { introspectionRequest } from '../../lib/tokens/introspection-request.js'

const client = { clientId: 'https://mcp.example.com/client', clientSecret: 'a b+c:d%e&f=\u00e9' }

t.test('by Basic, the client is in the header and not in the form', async (t) => {
  const { method, headers, body = '' } = introspectionRequest({ clientId: 'mcp server', clientSecret: 's:+%' })('a.token~+/=')

  t.equal(method, 'POST')
  t.equal(headers?.['content-type'], 'application/x-www-form-urlencoded')
  t.equal(body, 'token=a.token%7E%2B%2F%3D&token_type_hint=access_token')
  t.strictSame(readClientCredentials({ authorization: headers?.['authorization'], form: readForm(body) }), {
    clientId: 'mcp server', secret: 's:+%', method: 'client_secret_basic'
  })
})

t.test('by post, the client is in the form and not in the header', async (t) => {
  const request = introspectionRequest({ ...client, clientAuthentication: 'client_secret_post' })('token')

  t.notOk('authorization' in (request.headers ?? {}))
  t.strictSame(Object.fromEntries(new URLSearchParams(request.body)), {
    token: 'token', token_type_hint: 'access_token', client_id: client.clientId, client_secret: client.clientSecret
  })
})

t.test('Basic says the same as post, whatever the secret holds', async (t) => {
  const { headers } = introspectionRequest(client)('token')
  const [, encoded = ''] = headers?.['authorization']?.split(' ') ?? []
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(':')
  const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))

  t.strictSame([decode(id), decode(secret)], [client.clientId, client.clientSecret])
})
