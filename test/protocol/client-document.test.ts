import fc from 'fast-check'
import t from 'tap'
import { isClientIdUrl, readClientDocument, readClientIdUrl } from '../../lib/protocol/client-document.js'
import { OAuthError } from '../../lib/protocol/oauth-error.js'

const ID = 'https://client.example/oauth/client.json'
const DOCUMENT = { client_id: ID, client_name: 'A client', redirect_uris: ['http://127.0.0.1:7777/cb'] }
const read = (more: object, clientId = ID) => readClientDocument({ ...DOCUMENT, ...more }, { clientId, schemes: [] })
const refused = (reason: string) => ({
  name: 'OAuthError', code: 'invalid_client', description: 'the application is not known here', status: 400, reason
})

t.test('a client id is the URL of a document when it begins with https', async (t) => {
  t.ok(isClientIdUrl(ID))
  for (const id of ['', 'client', 'http://client.example/c', 'HTTPS://client.example/c', ' https://client.example/c']) t.notOk(isClientIdUrl(id), id)
})

t.test('a URL in its normal form is a client id (PX-10)', async (t) => {
  for (const id of [ID, 'https://client.example:8443/c', 'https://client.example/c?v=1', 'https://xn--bcher-kva.example/c']) {
    t.equal(readClientIdUrl(id).href, id)
  }
})

t.test('every other spelling and kind of URL is none (PX-10)', async (t) => {
  const table: ReadonlyArray<readonly [string, string]> = [
    ['https://', 'client id is no URL'],
    ['https://client.example/'.padEnd(513, 'x'), 'client id is no URL'],
    ['http://client.example/c', 'client id is not https'],
    ['https://me@client.example/c', 'client id holds a user'],
    ['https://:pass@client.example/c', 'client id holds a user'],
    ['https://client.example/c#x', 'client id has a fragment'],
    ['https://client.example/c#', 'client id has a fragment'],
    ['https://client.example', 'client id has no path'],
    ['https://client.example/', 'client id has no path'],
    ['https://client.example/?c', 'client id has no path'],
    ['https://client.example/a/../c', 'client id is not in its normal form'],
    ['https://client.example/./c', 'client id is not in its normal form'],
    ['https://client.example/%2e%2e/c', 'client id is not in its normal form'],
    ['https://CLIENT.example/c', 'client id is not in its normal form'],
    ['https://client.example:443/c', 'client id is not in its normal form'],
    ['https:/client.example/c', 'client id is not in its normal form'],
    ['https://client.example/c d', 'client id is not in its normal form'],
    ['https://bücher.example/c', 'client id is not in its normal form'],
    ['https://2130706433/c', 'client id is not in its normal form']
  ]
  for (const [id, reason] of table) t.throws(() => readClientIdUrl(id), refused(reason), id)
})

t.test('a document says who a client is, with the grants of the code flow unless it names some (PX-14, AS-T10)', async (t) => {
  t.strictSame(read({ scope: '', logo_uri: null, unknown: {} }), {
    redirect_uris: ['http://127.0.0.1:7777/cb'],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    client_name: 'A client'
  })
  t.strictSame(read({ grant_types: ['authorization_code'] }).grant_types, ['authorization_code'])
})

t.test('whatever else a document says, nobody learns why it is not taken (PX-14, PX-15)', async (t) => {
  const table: ReadonlyArray<readonly [object, string]> = [
    [{ client_id: 'https://client.example/other.json' }, 'client document of another client'],
    [{ client_id: undefined }, 'client document of another client'],
    [{ client_id: [ID] }, 'client document of another client'],
    [{ client_secret: '' }, 'client document with a secret'],
    [{ client_secret_expires_at: 0 }, 'client document with a secret'],
    [{ client_name: undefined }, 'client document without a name'],
    [{ client_name: ' ' }, 'client document without a name'],
    [{ client_name: 7 }, 'client document without a name'],
    [{ token_endpoint_auth_method: 'client_secret_basic' }, 'client document with a method that is not offered'],
    [{ token_endpoint_auth_method: 'client_secret_jwt' }, 'client document with a method that is not offered'],
    [{ token_endpoint_auth_method: null }, 'client document with a method that is not offered'],
    [{ redirect_uris: undefined }, 'client document is not valid'],
    [{ redirect_uris: [] }, 'client document is not valid'],
    [{ redirect_uris: ['javascript:alert(1)'] }, 'client document is not valid'],
    [{ redirect_uris: ['http://elsewhere.example/cb'] }, 'client document is not valid'],
    [{ grant_types: ['client_credentials'] }, 'client document is not valid']
  ]
  for (const [more, reason] of table) t.throws(() => read(more), refused(reason), JSON.stringify(more))
})

t.test('what is no object is no document', async (t) => {
  for (const document of [null, undefined, 1, 'text', [], [DOCUMENT]]) {
    t.throws(() => readClientDocument(document, { clientId: ID, schemes: [] }), refused('client document is no object'))
  }
})

t.test('members of a prototype are none', async (t) => {
  const inherited = Object.create({ client_id: ID, client_name: 'x', redirect_uris: ['https://c.example/cb'] })
  t.throws(() => readClientDocument(inherited, { clientId: ID, schemes: [] }), refused('client document of another client'))
})

t.test('no JSON makes it throw anything but a refusal', async () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    try {
      readClientDocument(typeof value === 'object' && value !== null ? { ...DOCUMENT, ...value } : value, { clientId: ID, schemes: [] })
      return true
    } catch (error) {
      return error instanceof OAuthError
    }
  }))
})
