import { OAuthProtectedResourceMetadataSchema } from '@modelcontextprotocol/sdk/shared/auth.js'
import t from 'tap'
import { buildResourceMetadata } from '../../lib/protocol/resource-metadata.js'

const input = { resource: 'https://h.example/mcp', issuers: ['https://h.example'], scopes: ['mcp:read'], name: 'Notes' }

t.test('the document says which server issues tokens for which resource', async (t) => {
  t.strictSame(buildResourceMetadata(input), {
    resource: 'https://h.example/mcp',
    authorization_servers: ['https://h.example'],
    scopes_supported: ['mcp:read'],
    bearer_methods_supported: ['header'],
    resource_name: 'Notes'
  })
})

t.test('several servers may issue tokens, written as they write themselves', async (t) => {
  const issuers = ['https://b.example/', 'https://a.example/realms/x']

  t.strictSame(buildResourceMetadata({ ...input, issuers }).authorization_servers, issuers)
})

t.test('RS-7: what tokens can be bound to is said, and nothing where it is off', async (t) => {
  const dpop = { dpopAlgorithms: ['ES256'], dpopRequired: true, certificates: false }
  const document = buildResourceMetadata({ ...input, sender: dpop })

  t.match(document, { dpop_signing_alg_values_supported: ['ES256'], dpop_bound_access_tokens_required: true })
  t.notOk('tls_client_certificate_bound_access_tokens' in document)
  const certificates = { dpopAlgorithms: [], dpopRequired: false, certificates: true }
  t.strictSame(buildResourceMetadata({ ...input, sender: certificates }),
    { ...buildResourceMetadata(input), tls_client_certificate_bound_access_tokens: true })
})

t.test('members without a value are left out', async (t) => {
  for (const name of [undefined, '']) {
    t.strictSame(Object.keys(buildResourceMetadata({ ...input, scopes: [], name })),
      ['resource', 'authorization_servers', 'bearer_methods_supported'])
  }
})

t.test('the SDK reads the document', async (t) => {
  t.equal(OAuthProtectedResourceMetadataSchema.safeParse(buildResourceMetadata(input)).success, true)
})
