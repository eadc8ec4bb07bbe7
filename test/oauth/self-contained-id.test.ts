import { deflateRawSync } from 'node:zlib'
import t from 'tap'
import fc from 'fast-check'
import { randomId } from '../../lib/crypto/digest.js'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import { isSelfContainedId, readSelfContainedId, writeSelfContainedId } from '../../lib/oauth/self-contained-id.js'
import { PUBLIC_CLIENT, SECRETS, START } from '../helpers/token-context.js'

const ours = { tenant: 'default', secrets: SECRETS }
const registered = {
  metadata: PUBLIC_CLIENT, authenticationMethods: ['none' as const], secretDigest: null, issuedAt: START
}
const id = writeSelfContainedId(registered, ours) ?? ''
const [said = '', tag = ''] = id.split('.')

/** As somebody would write it who had our secrets, and other words. */
const signed = (bytes: Buffer): string => {
  const text = bytes.toString('base64url')
  return `${text}.${SECRETS.mac('client-ids', `default\0${text}`)}`
}

t.test('an id says what was registered, in unreserved characters and briefly', async (t) => {
  t.strictSame(readSelfContainedId(id, ours), registered)
  t.match(id, /^[\w.-]{1,200}$/)
  t.ok(isSelfContainedId(id))
})

t.test('what is registered by clients that people use fits', async (t) => {
  const editor = {
    ...PUBLIC_CLIENT,
    redirect_uris: ['https://insiders.editor.example/redirect', 'https://editor.example/redirect', 'http://localhost/',
      'http://127.0.0.1/', 'http://localhost:33418/', 'http://127.0.0.1:33418/'],
    client_name: 'An editor with a long name',
    client_uri: 'https://code.editor.example',
    application_type: 'native' as const
  }
  t.ok(writeSelfContainedId({ ...registered, metadata: editor, secretDigest: 'x'.repeat(43) }, ours))
})

t.test('what does not fit has no such id', async (t) => {
  const metadata = { ...PUBLIC_CLIENT, redirect_uris: Array.from({ length: 20 }, () => `https://c.example/${randomId(40)}`) }

  t.equal(writeSelfContainedId({ ...registered, metadata }, ours), null)
})

const strangers: Readonly<Record<string, string>> = {
  'no id': '',
  'an id of another kind': 'a'.repeat(22),
  'a tag that is not ours': `${said}.${'a'.repeat(43)}`,
  'a tag of something else': `${said}.${SECRETS.mac('codes', `default\0${said}`)}`,
  'something behind it': `${id}a`,
  'two tags': `${id}.${tag}`,
  'text that no packer wrote': signed(Buffer.from('what is this')),
  'what is no JSON': signed(deflateRawSync('no JSON')),
  'what unpacks to too much': signed(deflateRawSync(`["${'a'.repeat(100_000)}"]`))
}

for (const [name, text] of Object.entries(strangers)) {
  t.test(`${name} says nothing`, async (t) => {
    t.equal(readSelfContainedId(text, ours), null)
  })
}

t.test('an id of another tenant, or under other secrets, says nothing', async (t) => {
  t.equal(readSelfContainedId(id, { ...ours, tenant: 'other' }), null)
  t.equal(readSelfContainedId(id, { ...ours, secrets: deriveSecrets(['x'.repeat(32)]) }), null)
})

t.test('no change of one character goes unnoticed', async () => {
  fc.assert(fc.property(fc.nat(id.length - 1), fc.constantFrom(...'aZ0-_.'), (at, character) => {
    const changed = id.slice(0, at) + character + id.slice(at + 1)
    return changed === id || readSelfContainedId(changed, ours) === null
  }))
})

t.test('whatever may be registered comes back as it was, or does not fit', async (t) => {
  const metadata = fc.record({
    client_name: fc.string({ maxLength: 256 }), redirect_uris: fc.array(fc.webUrl(), { maxLength: 5 })
  })
  fc.assert(fc.property(metadata, (given) => {
    const whole = { ...registered, metadata: { ...PUBLIC_CLIENT, ...given } }
    const written = writeSelfContainedId(whole, ours)
    if (written === null) return true
    t.ok(written.length <= 500 && isSelfContainedId(written))
    t.strictSame(readSelfContainedId(written, ours), whole)
    return true
  }))
})
