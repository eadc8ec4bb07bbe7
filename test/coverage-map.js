import { existsSync } from 'node:fs'

/** Small files that have no test of their own, under the test that answers for them. */
export const also = {
  'test/options.test.ts': [
    'lib/check-options.ts', 'lib/grant-options.ts', 'lib/guard-options.ts', 'lib/oauth-options.ts', 'lib/option-parts.ts', 'lib/store-options.ts'
  ],
  'test/index.test.ts': ['lib/clock.ts', 'lib/errors.ts'],
  'test/crypto/bound-id.test.ts': ['lib/crypto/owner.ts'],
  'test/protocol/brought-ids.test.ts': ['lib/protocol/json-edit.ts', 'lib/protocol/task-members.ts'],
  'test/crypto/keyring.test.ts': [
    'lib/crypto/errors.ts', 'lib/crypto/key-changes.ts', 'lib/crypto/key-names.ts', 'lib/crypto/key-record.ts',
    'lib/crypto/key-schedule.ts', 'lib/crypto/key-set.ts'
  ],
  'test/plugins/support/key-keeping.test.ts': ['lib/plugins/support/key-rotation.ts'],
  'test/stores/memory.test.ts': ['lib/stores/errors.ts'],
  'test/oauth/host-grant.test.ts': ['lib/oauth/ask-host.ts'],
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
  'test/plugins/oauth-routes/device.test.ts': [
    'lib/plugins/oauth-routes/authorization-input.ts', 'lib/plugins/oauth-routes/consent.ts',
    'lib/plugins/oauth-routes/consent-model.ts', 'lib/plugins/oauth-routes/context.ts',
    'lib/plugins/oauth-routes/device-authorization.ts', 'lib/plugins/oauth-routes/index.ts'
  ],
  'test/pages/consent-page.test.ts': ['lib/pages/client-trust.ts', 'lib/pages/consent-device.ts'],
  'test/pages/device-page.test.ts': ['lib/pages/account.ts'],
  'test/protocol/server-metadata.test.ts': ['lib/protocol/grant-types.ts'],
  'test/plugins/oauth-routes/authorize.test.ts': [
    'lib/plugins/oauth-routes/authorization-response.ts', 'lib/plugins/oauth-routes/authorization-target.ts',
    'lib/plugins/oauth-routes/page-errors.ts', 'lib/plugins/oauth-routes/signed-in-user.ts'
  ],
  'test/plugins/oauth-routes/remembered.test.ts': [
    'lib/plugins/oauth-routes/authorization-response.ts', 'lib/plugins/oauth-routes/authorize.ts'
  ],
  'test/plugins/oauth-routes/authorization-target.test.ts': [
    'lib/plugins/oauth-routes/authorize.ts', 'lib/plugins/oauth-routes/consent-model.ts', 'lib/plugins/oauth-routes/context.ts'
  ],
  'test/plugins/oauth-routes/push.test.ts': [
    'lib/plugins/oauth-routes/authorization-input.ts', 'lib/plugins/oauth-routes/context.ts',
    'lib/plugins/oauth-routes/discovery.ts'
  ],
  'test/plugins/oauth-routes/detail-types.test.ts': [
    'lib/plugins/oauth-routes/authorization-input.ts', 'lib/plugins/oauth-routes/authorize.ts'
  ],
  'test/plugins/oauth-routes/fresh-sign-in.test.ts': ['lib/plugins/oauth-routes/authorize.ts'],
  'test/plugins/oauth-routes/resources.test.ts': [
    'lib/oauth/refresh-grant.ts', 'lib/plugins/oauth-routes/authorize.ts', 'lib/plugins/oauth-routes/consent-model.ts'
  ],
  'test/attacks/bound-tokens.test.ts': ['lib/oauth/refresh-grant.ts'],
  'test/attacks/client-authentication.test.ts': [
    'lib/plugins/oauth-routes/context.ts', 'lib/plugins/oauth-routes/discovery.ts', 'lib/plugins/oauth-routes/token.ts'
  ],
  'test/attacks/tags.test.ts': [
    'lib/plugins/scope-guard.ts', 'lib/plugins/oauth-routes/context.ts'
  ],
  'test/plugins/resource-metadata.test.ts': ['lib/plugins/support/resource-documents.ts'],
  'test/plugins/oauth-routes/discovery.test.ts': ['lib/plugins/support/resource-documents.ts'],
  'test/plugins/scope-guard/authentication.test.ts': ['lib/plugins/scope-guard.ts'],
  'test/plugins/scope-guard/request-handles.test.ts': ['lib/plugins/scope-guard.ts'],
  'test/attacks/hidden.test.ts': ['lib/plugins/scope-guard/authorize.ts'],
  'test/plugins/scope-guard/wire.test.ts': ['lib/plugins/scope-guard/authorize.ts', 'lib/plugins/scope-guard/wish.ts'],
  'test/plugins/scope-guard/verdict.test.ts': ['lib/plugins/scope-guard/refusals.ts', 'lib/protocol/challenge.ts'],
  'test/plugins/scope-guard/settings.test.ts': [
    'lib/plugins/scope-guard/sender-settings.ts', 'lib/plugins/support/dpop-settings.ts'
  ],
  'test/plugins/support/own-verifier.test.ts': ['lib/oauth/grant-records.ts'],
  'test/stores/sqlite.test.ts': ['lib/testing/contract/records.ts'],
  'test/tokens/custom-principal.test.ts': ['lib/tokens/claims.ts'],
  'test/cli/account.test.ts': ['lib/cli/account-commands.ts'],
  'test/plugins/sign-in/index.test.ts': [
    'lib/plugins/sign-in/going-on.ts', 'lib/plugins/sign-in/identity.ts', 'lib/plugins/sign-in/routes.ts'
  ],
  'test/plugins/sign-in/sign-in-routes.test.ts': [
    'lib/plugins/sign-in/form-guard.ts', 'lib/plugins/sign-in/page-errors.ts'
  ],
  'test/plugins/sign-in/sign-out-routes.test.ts': [
    'lib/plugins/sign-in/going-on.ts', 'lib/plugins/sign-in/session-cookie.ts'
  ],
  'test/plugins/scope-guard/answers/edit-answer.test.ts': [
    'lib/plugins/scope-guard/answers/answer.ts', 'lib/plugins/scope-guard/answers/head.ts',
    'lib/plugins/scope-guard/answers/pieces.ts'
  ],
  'test/plugins/scope-guard/answers/list-filter.test.ts': ['lib/plugins/scope-guard/answers/list-requests.ts'],
  'test/attacks/consent.test.ts': [
    'lib/plugins/oauth-routes/authorization-input.ts', 'lib/plugins/oauth-routes/consent.ts'
  ],
  'test/attacks/slow-bodies.test.ts': ['lib/plugins/scope-guard/admission.ts'],
  'test/plugins/scope-guard/authenticate.test.ts': ['lib/plugins/scope-guard/turn-away.ts'],
  'test/plugins/scope-guard/authorize.test.ts': [
    'lib/plugins/scope-guard/report.ts', 'lib/plugins/scope-guard/steps.ts', 'lib/plugins/scope-guard/wish.ts'
  ],
  'test/plugins/scope-guard/bindings.test.ts': [
    'lib/plugins/scope-guard/bound-answers.ts', 'lib/plugins/scope-guard/answers/edit.ts'
  ],
  'test/plugins/scope-guard/routes.test.ts': ['lib/plugins/scope-guard/route-security.ts'],
  'test/protocol/mcp-wire.test.ts': [
    'lib/protocol/mcp-envelope.ts', 'lib/protocol/mcp-fault.ts', 'lib/protocol/mcp-modern.ts',
    'lib/protocol/mcp-version.ts'
  ],
  'test/plugins/scope-guard/sender.test.ts': [
    'lib/plugins/scope-guard/sender-settings.ts', 'lib/plugins/support/client-certificate.ts',
    'lib/plugins/support/dpop-settings.ts', 'lib/tokens/dpop-settings.ts'
  ],
  'test/oauth/clients.test.ts': [
    'lib/oauth/client-lifetime.ts', 'lib/oauth/client-quota.ts', 'lib/oauth/client-records.ts'
  ],
  'test/oauth/client-admin.test.ts': [
    'lib/oauth/client-redirects.ts', 'lib/oauth/client-records.ts'
  ],
  'test/oauth/sender-binding.test.ts': [
    'lib/oauth/code-grant.ts', 'lib/oauth/first-tokens.ts', 'lib/oauth/grant-binding.ts', 'lib/oauth/refresh-grant.ts',
    'lib/oauth/token-answer.ts', 'lib/oauth/token-refusal.ts', 'lib/tokens/access-token-claims.ts',
    'lib/tokens/opaque-token.ts'
  ],
  'test/plugins/oauth-routes/dpop-nonce.test.ts': [
    'lib/plugins/oauth-routes/authorize.ts', 'lib/plugins/oauth-routes/client-request.ts',
    'lib/plugins/support/dpop-settings.ts'
  ],
  'test/oauth/introspection.test.ts': ['lib/oauth/introspection-answer.ts', 'lib/tokens/own-token.ts'],
  'test/oauth/static-clients.test.ts': ['lib/oauth/static-credentials.ts'],
  'test/protocol/client-key-members.test.ts': ['lib/protocol/certificate-subject.ts'],
  'test/plugins/oauth-routes/register.test.ts': [
    'lib/oauth/client-management.ts', 'lib/oauth/initial-access.ts', 'lib/oauth/registration.ts',
    'lib/oauth/software-statement.ts',
    'lib/plugins/oauth-routes/index.ts', 'lib/plugins/oauth-routes/manage-registration.ts',
    'lib/plugins/oauth-routes/oauth-errors.ts', 'lib/plugins/oauth-routes/registration-policy.ts'
  ],
  'test/oauth/token-endpoint.test.ts': [
    'lib/oauth/client-request.ts', 'lib/oauth/grant-type.ts', 'lib/oauth/token-context.ts'
  ],
  'test/oauth/device-authorizations.test.ts': ['lib/crypto/user-code.ts', 'lib/oauth/device-code.ts'],
  'test/oauth/code-grant.test.ts': ['lib/oauth/first-tokens.ts'],
  'test/oauth/token-exchange-grant.test.ts': ['lib/oauth/exchange-request.ts'],
  'test/oauth/client-credentials-grant.test.ts': ['lib/oauth/direct-grant.ts'],
  'test/plugins/oauth-routes/context.test.ts': [
    'lib/plugins/oauth-routes/grant-types.ts', 'lib/plugins/oauth-routes/resources.ts'
  ],
  'test/oauth/jwt-bearer-grant.test.ts': [
    'lib/oauth/actor.ts', 'lib/oauth/direct-grant.ts', 'lib/oauth/enterprise-assertion.ts'
  ],
  'test/tokens/access-token.test.ts': ['lib/tokens/access-token-claims.ts'],
  'test/pages/layout.test.ts': ['lib/pages/marks.ts']
}

/** A test answers for the file it is named after, so that nothing is covered by accident. */
export default function filesOf (test) {
  const own = test.replace(/^test\//, 'lib/').replace(/\.test\.ts$/, '.ts')
  const files = [...(existsSync(own) ? [own] : []), ...(also[test] ?? [])]
  // tap takes a test that answers for an empty list to answer for everything.
  return files.length === 0 ? null : files
}
