import t from 'tap'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { VerifierUnavailableError } from '../../lib/tokens/errors.js'
import { readSignedAnswer, SIGNED_ANSWER } from '../../lib/tokens/signed-introspection.js'
import { signAnything, START, type Members } from '../helpers/foreign-server.js'

const [key, stranger] = [await createSigningKey('ES256'), await createSigningKey('ES256')]
const said = { active: true, aud: 'https://mcp.example/mcp' }
const claims = { iss: 'https://as.example', aud: 'mcp-server', iat: START, token_introspection: said }
const header = { alg: 'ES256', kid: 'k', typ: 'token-introspection+jwt' }

const signed = (changes: Members = {}, more: Members = {}, by = key) =>
  signAnything({ ...header, ...more }, { ...claims, ...changes }, by)

const read = async (text: string, find = async () => key.publicKey) => await readSignedAnswer(text, {
  keys: { find }, algorithms: ['ES256'], issuer: 'https://as.example', clientId: 'mcp-server'
}, START)

t.test('a signed answer says what its token_introspection says (RFC 9701 §5)', async (t) => {
  t.strictSame(await read(signed()), said)
  t.strictSame(await read(signed({ aud: ['another', 'mcp-server'], iat: START - 60 })), said)
  t.strictSame(await read(signed({ iat: START + 60 }, { typ: 'application/Token-Introspection+JWT' })), said)
  t.equal(SIGNED_ANSWER, 'application/token-introspection+jwt')
})

const bad: Record<string, string> = {
  'no JWT': JSON.stringify(said),
  'an access token': signed({ ...said }, { typ: 'at+jwt' }),
  'a JWT of no type': signed({}, { typ: undefined }),
  'another algorithm': signed({}, { alg: 'RS256' }),
  'no signature': signed({}, { alg: 'none' }).replace(/[^.]*$/, ''),
  'the signature of a stranger': signed({}, {}, stranger),
  'an unknown crit': signed({}, { crit: ['x'], x: 1 }),
  'another issuer': signed({ iss: 'https://evil.example' }),
  'no issuer': signed({ iss: undefined }),
  'another audience': signed({ aud: 'another-server' }),
  'no audience': signed({ aud: undefined }),
  'an audience of another type': signed({ aud: { a: 'mcp-server' } }),
  'no time': signed({ iat: undefined }),
  'a time as text': signed({ iat: String(START) }),
  'a time that is long gone': signed({ iat: START - 61 }),
  'a time to come': signed({ iat: START + 61 }),
  'no token_introspection': signed({ token_introspection: undefined }),
  'its members at the top': signed({ ...said, token_introspection: true })
}

for (const [name, text] of Object.entries(bad)) {
  t.test(`an answer with ${name} is no answer: 503, not 401 and not a pass`, async (t) => {
    const error: unknown = await read(text).catch((error: unknown) => error)

    t.ok(error instanceof VerifierUnavailableError)
    t.match(error, { reason: 'introspection answer not properly signed' })
  })
}

t.test('when the keys cannot be had, that is the reason', async (t) => {
  const down = new StoreUnavailableError('down')

  await t.rejects(read(signed(), async () => { throw down }), down)
})
