import fc from 'fast-check'
import t from 'tap'
import { readClientCredentials, soleAuthorization } from '../../lib/protocol/client-credentials.js'
import { readForm } from '../../lib/protocol/form.js'
import { OAuthError } from '../../lib/protocol/oauth-error.js'

const encode = (text: string): string => Buffer.from(text).toString('base64')
const read = (text: string, authorization?: string): ReturnType<typeof readClientCredentials> =>
  readClientCredentials({ authorization, form: readForm(text) })

t.test('a client that sends only its id is a public one', async (t) => {
  t.strictSame(read('client_id=abc'), { clientId: 'abc', secret: undefined, method: 'none' })
  t.strictSame(read('client_id=abc&client_secret='), { clientId: 'abc', secret: undefined, method: 'none' })
})

t.test('nothing at all is nobody', async (t) => {
  t.strictSame(read(''), { clientId: undefined, secret: undefined, method: 'none' })
})

t.test('id and secret in the form are client_secret_post', async (t) => {
  t.strictSame(read('client_id=abc&client_secret=s%2Bt'), { clientId: 'abc', secret: 's+t', method: 'client_secret_post' })
})

t.test('id and secret in the header are client_secret_basic', async (t) => {
  const credentials = { clientId: 'abc', secret: 'xyz', method: 'client_secret_basic' }

  t.strictSame(read('', `Basic ${encode('abc:xyz')}`), credentials)
  t.strictSame(read('client_id=abc', `bAsIc  ${encode('abc:xyz')}`), credentials)
})

t.test('the example of RFC 6749 §2.3.1 is read', async (t) => {
  t.match(read('', 'Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3'), { clientId: 's6BhdRkqt3', secret: '7Fjfp0ZBr1KtDRbnfVdmIw' })
})

t.test('both parts of the header are form-decoded, the colon between them is the first one', async (t) => {
  t.match(read('', `Basic ${encode('a%3Ab:c+d%25:e')}`), { clientId: 'a:b', secret: 'c d%:e' })
})

t.test('an empty password is no secret', async (t) => {
  t.strictSame(read('', `Basic ${encode('abc:')}`), { clientId: 'abc', secret: undefined, method: 'client_secret_basic' })
})

const MALFORMED: Record<string, string> = {
  'an empty header': '',
  'another scheme': 'Bearer abc',
  'something before the scheme': `X Basic ${encode('a:b')}`,
  'only the scheme': 'Basic',
  'the scheme and a blank': 'Basic ',
  'what is not base64': 'Basic a:b',
  'two values': `Basic ${encode('a:b')} ${encode('a:b')}`,
  'no colon': `Basic ${encode('abc')}`,
  'no id': `Basic ${encode(':xyz')}`,
  'half an escape': `Basic ${encode('abc:%4')}`,
  'an escaped NUL': `Basic ${encode('abc:%00')}`,
  'a NUL': `Basic ${encode('abc:\0')}`,
  'an escaped line break': `Basic ${encode('abc%0a:x')}`,
  'a letter outside of ASCII': `Basic ${encode('abc:ä')}`,
  'an escaped letter outside of ASCII': `Basic ${encode('abc:%c3%a4')}`,
  'more than 4096 characters': `Basic ${encode(`abc:${'x'.repeat(4096)}`)}`
}

for (const [name, header] of Object.entries(MALFORMED)) {
  t.test(`an Authorization header with ${name} is refused as invalid_client`, async (t) => {
    t.throws(() => read('client_id=abc', header), { code: 'invalid_client', status: 401 })
  })
}

t.test('two mechanisms at once are refused as invalid_request', async (t) => {
  for (const form of ['client_secret=xyz', 'client_id=abc&client_secret=xyz', 'client_id=other']) {
    t.throws(() => read(form, `Basic ${encode('abc:xyz')}`), { code: 'invalid_request', status: 400 })
  }
})

t.test('repeated credentials are refused as invalid_request', async (t) => {
  for (const form of ['client_id=a&client_id=a', 'client_id=a&client_secret=b&client_secret=b']) {
    t.throws(() => read(form), { code: 'invalid_request' })
  }
})

const TYPE = 'client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

t.test('an assertion is private_key_jwt, with the id of the client or without', async (t) => {
  const credentials = { secret: undefined, assertion: 'a.b.c', method: 'private_key_jwt' }

  t.strictSame(read(`${TYPE}&client_assertion=a.b.c`), { clientId: undefined, ...credentials })
  t.strictSame(read(`${TYPE}&client_assertion=a.b.c&client_id=abc`), { clientId: 'abc', ...credentials })
})

t.test('a client assertion that is not whole is refused, never taken for a public client', async (t) => {
  for (const form of [
    'client_id=a&client_assertion=eyJ', 'client_id=a&client_assertion_type=urn:x', `client_id=a&${TYPE}`,
    `client_id=a&${TYPE}&client_assertion=`, `client_id=a&${TYPE.toUpperCase()}&client_assertion=a.b.c`,
    'client_id=a&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:saml2-bearer&client_assertion=a.b.c',
    `client_id=a&${TYPE}&client_assertion=${'x'.repeat(8193)}`
  ]) {
    t.throws(() => read(form), { code: 'invalid_client' })
  }
})

t.test('an assertion beside another mechanism is refused as invalid_request', async (t) => {
  const form = `client_id=abc&${TYPE}&client_assertion=a.b.c`

  t.throws(() => read(`${form}&client_secret=xyz`), { code: 'invalid_request' })
  t.throws(() => read(form, `Basic ${encode('abc:xyz')}`), { code: 'invalid_request' })
  t.throws(() => read(`${form}&client_assertion=a.b.c`), { code: 'invalid_request' })
})

t.test('the error never repeats what was sent', async (t) => {
  try {
    read('', `Basic ${encode('abc:s3cret%4')}`)
    t.fail('must be refused')
  } catch (error) {
    t.notMatch(`${String(error)} ${JSON.stringify(error)}`, /s3cret/)
  }
})

const visible = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code))
const printable = fc.string({ unit: visible, maxLength: 40 })

t.test('every id and secret of the grammar comes back from a header that encodes them', async () => {
  const formEncode = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+')
  fc.assert(fc.property(printable.filter((id) => id !== ''), printable, (clientId, secret) => {
    const credentials = read('', `Basic ${encode(`${formEncode(clientId)}:${formEncode(secret)}`)}`)
    return credentials.clientId === clientId && (credentials.secret ?? '') === secret
  }))
})

t.test('whatever the header holds, it is read or refused', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, encoded) => {
    try {
      return read('', encoded ? `Basic ${encode(text)}` : text).method === 'client_secret_basic'
    } catch (error) {
      return error instanceof OAuthError && error.code === 'invalid_client'
    }
  }))
})

t.test('the Authorization header is found in any case, and only as the name of a header', async (t) => {
  t.equal(soleAuthorization(['Host', 'a', 'AUTHORIZATION', 'Basic eDp5']), 'Basic eDp5')
  t.equal(soleAuthorization(['X-Name', 'authorization', 'Accept', 'Basic eDp5']), undefined)
  t.equal(soleAuthorization([]), undefined)
})

t.test('two Authorization headers are refused, never picked from, even when they are equal', async (t) => {
  for (const second of ['Basic eDp5', 'Basic eDp6', '']) {
    t.throws(() => soleAuthorization(['authorization', 'Basic eDp5', 'Authorization', second]), { code: 'invalid_request' })
  }
})
