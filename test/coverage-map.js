import { existsSync } from 'node:fs'

/** Small files that have no test of their own, under the test that answers for them. */
export const also = {
  'test/index.test.ts': ['lib/clock.ts', 'lib/errors.ts'],
  'test/crypto/keyring.test.ts': ['lib/crypto/errors.ts'],
  'test/stores/memory.test.ts': ['lib/stores/errors.ts'],
  'test/testing/store-contract.test.ts': [
    'lib/testing/contract/counters.ts',
    'lib/testing/contract/expiry.ts',
    'lib/testing/contract/lists.ts',
    'lib/testing/contract/messages.ts',
    'lib/testing/contract/races.ts',
    'lib/testing/contract/records.ts',
    'lib/testing/contract/scene.ts'
  ],
  'test/plugins/oauth-routes/index.test.ts': [
    'lib/plugins/oauth-routes/json-endpoint.ts', 'lib/plugins/oauth-routes/oauth-errors.ts',
    'lib/plugins/oauth-routes/register.ts', 'lib/plugins/oauth-routes/revoke.ts', 'lib/plugins/oauth-routes/token.ts'
  ],
  'test/plugins/oauth-routes/authorize.test.ts': [
    'lib/plugins/oauth-routes/authorization-response.ts', 'lib/plugins/oauth-routes/authorization-target.ts',
    'lib/plugins/oauth-routes/page-errors.ts', 'lib/plugins/oauth-routes/signed-in-user.ts'
  ],
  'test/cli/account.test.ts': ['lib/cli/account-commands.ts'],
  'test/plugins/sign-in/index.test.ts': [
    'lib/plugins/sign-in/identity.ts', 'lib/plugins/sign-in/routes.ts'
  ],
  'test/plugins/sign-in/sign-in-routes.test.ts': [
    'lib/plugins/sign-in/form-guard.ts', 'lib/plugins/sign-in/page-errors.ts'
  ],
  'test/plugins/sign-in/sign-out-routes.test.ts': [
    'lib/plugins/sign-in/going-on.ts', 'lib/plugins/sign-in/session-cookie.ts'
  ],
  'test/plugins/scope-guard/authorize.test.ts': ['lib/plugins/scope-guard/report.ts'],
  'test/plugins/scope-guard/routes.test.ts': ['lib/plugins/scope-guard/route-security.ts'],
  'test/oauth/token-endpoint.test.ts': ['lib/oauth/token-context.ts'],
  'test/tokens/jws.test.ts': ['lib/tokens/errors.ts'],
  'test/pages/layout.test.ts': ['lib/pages/marks.ts']
}

/** A test answers for the file it is named after, so that nothing is covered by accident. */
export default function filesOf (test) {
  const own = test.replace(/^test\//, 'lib/').replace(/\.test\.ts$/, '.ts')
  const files = [...(existsSync(own) ? [own] : []), ...(also[test] ?? [])]
  // tap takes a test that answers for an empty list to answer for everything.
  return files.length === 0 ? null : files
}
