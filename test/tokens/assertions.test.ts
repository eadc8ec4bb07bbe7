import t from 'tap'
import { createAssertionVerifier } from '../../lib/tokens/assertions.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import type { AssertionIssuer } from '../../types/grant-options.js'
import { assertionSigner } from '../helpers/assertion-issuer.js'

const NOW = 1_700_000_000
const US = 'https://as.example'
const idp = await assertionSigner()
const ci = await assertionSigner('https://ci.example')
const stranger = await assertionSigner('https://stranger.example')
const issuers: readonly AssertionIssuer[] = [
  { issuer: idp.issuer, jwksUri: idp.jwksUri, fetch: idp.fetch, profile: 'id-jag' },
  {
    issuer: ci.issuer, jwksUri: ci.jwksUri, fetch: ci.fetch, profile: 'workload', workloads: [{ clientId: 'job', claims: { sub: 'a' } }]
  }
]
const verifier = createAssertionVerifier({ issuers, audience: US })

const USERS = {
  aud: US, sub: 'alice', client_id: 'desk', resource: 'https://mcp.example/mcp', jti: 'id-1', iat: NOW - 5, exp: NOW + 300
}
const WORKLOADS = { aud: US, sub: 'repo:acme/notes', iat: NOW - 5, exp: NOW + 300 }
const idJag = (changes: object = {}, header: Record<string, unknown> = {}) => idp.sign({ ...USERS, ...changes }, { typ: 'oauth-id-jag+jwt', ...header })
const workload = (changes: object = {}, header: Record<string, unknown> = {}) =>
  ci.sign({ ...WORKLOADS, ...changes }, header)

const refusals: Readonly<Record<string, readonly [() => Promise<string>, string]>> = {
  garbage: [async () => 'x.y.z', 'not a JWT'],
  'another type': [() => idJag({}, { typ: 'at+jwt' }), 'wrong type'],
  'a critical extension': [() => workload({}, { crit: ['b64'], b64: true }), 'unknown crit'],
  'an issuer that nobody configured': [() => stranger.sign(WORKLOADS), 'unknown issuer'],
  'no issuer': [() => ci.sign({ ...WORKLOADS, iss: undefined }), 'unknown issuer'],
  'the issuer with a slash': [() => workload({ iss: `${ci.issuer}/` }), 'unknown issuer'],
  'an ID-JAG of an issuer of workloads': [() => ci.sign(USERS, { typ: 'oauth-id-jag+jwt' }), 'unknown issuer'],
  'a plain JWT of an issuer of ID-JAGs': [() => idp.sign(USERS, { typ: 'JWT' }), 'unknown issuer'],
  'an untyped JWT of an issuer of ID-JAGs': [() => idp.sign(USERS), 'unknown issuer'],
  'the name of one issuer and the key of another': [() => stranger.sign({ ...WORKLOADS, iss: ci.issuer }), 'bad signature'],
  'another audience': [() => workload({ aud: 'https://other.example' }), 'wrong audience'],
  'the audience with a slash': [() => workload({ aud: `${US}/` }), 'wrong audience'],
  'the token endpoint as the audience': [() => workload({ aud: `${US}/token` }), 'wrong audience'],
  'two audiences': [() => idJag({ aud: [US, 'https://other.example'] }), 'wrong audience'],
  'an empty list of audiences': [() => idJag({ aud: [] }), 'wrong audience'],
  'no audience': [() => idJag({ aud: undefined }), 'wrong audience'],
  'an end at this very second': [() => workload({ exp: NOW }), 'expired'],
  'an end that is far away': [() => workload({ exp: NOW + 86_401 }), 'good for too long'],
  'an ID-JAG with an end that is far away': [() => idJag({ exp: NOW + 3601 }), 'good for too long'],
  'an end as text': [() => workload({ exp: 'soon' }), 'malformed exp'],
  'a time of issue over a minute ahead': [() => workload({ iat: NOW + 61 }), 'issued in the future'],
  'a beginning over a minute ahead': [() => workload({ nbf: NOW + 61 }), 'not good yet'],
  'an empty subject': [() => workload({ sub: '' }), 'malformed sub'],
  'a subject that is a number': [() => workload({ sub: 7 }), 'malformed sub'],
  'an ID-JAG with an empty id': [() => idJag({ jti: '' }), 'malformed jti']
}
for (const name of ['sub', 'exp', 'iat']) {
  Object.assign(refusals, { [`a workload without ${name}`]: [() => workload({ [name]: undefined }), `no ${name}`] })
}
for (const name of ['sub', 'exp', 'iat', 'jti', 'client_id', 'resource']) {
  Object.assign(refusals, { [`an ID-JAG without ${name}`]: [() => idJag({ [name]: undefined }), `no ${name}`] })
}

for (const [name, [make, reason]] of Object.entries(refusals)) {
  t.test(`${name} is refused: ${reason}`, async (t) => {
    await t.rejects(verifier.verify(await make(), NOW), new InvalidTokenError(reason))
  })
}

t.test('what an issuer has signed for us is answered together with the issuer', async (t) => {
  t.match(await verifier.verify(await idJag({ aud: [US] }), NOW), { issuer: { profile: 'id-jag' }, claims: { sub: 'alice' } })
  t.match(await verifier.verify(await workload(), NOW), { issuer: { profile: 'workload' } })
  t.match(await verifier.verify(await workload({}, { typ: 'JWT' }), NOW), { claims: { sub: 'repo:acme/notes' } })
  t.match(await verifier.verify(await workload({ nbf: NOW }), NOW), { claims: { nbf: NOW } })
})

t.test('keys come from the configuration, whatever a header names', async (t) => {
  const forged = await stranger.sign({ ...WORKLOADS, iss: ci.issuer }, { jku: stranger.jwksUri, x5u: stranger.jwksUri })

  await t.rejects(verifier.verify(forged, NOW), new InvalidTokenError('bad signature'))
  t.strictSame(stranger.fetched, [])
})

t.test('an algorithm that this issuer may not use is refused, although another one may', async (t) => {
  const [first, second] = issuers
  if (first === undefined || second === undefined) throw new Error('no issuers')
  const mixed = createAssertionVerifier({ issuers: [{ ...first, algorithms: ['PS256'] }, second], audience: US })

  await t.rejects(mixed.verify(await idJag(), NOW), new InvalidTokenError('wrong algorithm'))
})

t.test('one issuer can have both profiles, each with its own rules', async (t) => {
  const both = createAssertionVerifier({
    issuers: [
      { issuer: idp.issuer, jwksUri: idp.jwksUri, fetch: idp.fetch, profile: 'id-jag' },
      { issuer: idp.issuer, jwksUri: idp.jwksUri, fetch: idp.fetch, profile: 'workload', workloads: [] }
    ],
    audience: US
  })

  t.equal((await both.verify(await idJag(), NOW)).issuer.profile, 'id-jag')
  t.equal((await both.verify(await idp.sign(WORKLOADS), NOW)).issuer.profile, 'workload')
})

t.test('an issuer whose keys cannot be had is no reason to call an assertion bad', async (t) => {
  const down = createAssertionVerifier({
    issuers: [{ issuer: idp.issuer, jwksUri: idp.jwksUri, fetch: async () => { throw new Error('down') }, profile: 'id-jag' }],
    audience: US
  })

  await t.rejects(down.verify(await idJag(), NOW), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
})

const wrong: Readonly<Record<string, readonly [AssertionIssuer[], RegExp]>> = {
  'an issuer without TLS': [[{ issuer: 'http://idp.example', jwksUri: idp.jwksUri, profile: 'id-jag' }], /^assertionIssuers\.0\.issuer must be https/],
  'keys without TLS': [[{ issuer: idp.issuer, jwksUri: 'http://idp.example/jwks', profile: 'id-jag' }], /^assertionIssuers\.0\.jwksUri must be https/],
  'ourselves as an issuer': [[{ issuer: US, jwksUri: idp.jwksUri, profile: 'id-jag' }], /^assertionIssuers\.0\.issuer must not be this server/],
  'an issuer twice': [[...issuers, ...issuers], /^assertionIssuers\.2\.issuer is there twice/]
}
for (const [name, [list, message]] of Object.entries(wrong)) {
  t.test(`${name} stops the boot with its path`, async (t) => {
    t.throws(() => createAssertionVerifier({ issuers: list, audience: US }), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('an issuer without a fetch of its own is asked by the global one', async (t) => {
  const plain = createAssertionVerifier({
    issuers: [{ issuer: idp.issuer, jwksUri: 'http://127.0.0.1:9/jwks', profile: 'id-jag', timeoutMs: 100 }], audience: US
  })

  await t.rejects(plain.verify(await idJag(), NOW), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
})
