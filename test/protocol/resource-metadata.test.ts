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

t.test('members without a value are left out', async (t) => {
  for (const name of [undefined, '']) {
    t.strictSame(Object.keys(buildResourceMetadata({ ...input, scopes: [], name })),
      ['resource', 'authorization_servers', 'bearer_methods_supported'])
  }
})

t.test('the SDK reads the document', async (t) => {
  t.equal(OAuthProtectedResourceMetadataSchema.safeParse(buildResourceMetadata(input)).success, true)
})
