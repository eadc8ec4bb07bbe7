import t from 'tap'
import type { TokenVerifier } from '../../types/principal.js'
import { versions } from '../helpers/fastify-versions.js'
import { bearer, callTool, principalWith, verifierOf } from '../helpers/guard.js'
import { guardedApp } from '../helpers/guarded-app.js'

// RS-14, RS-16, RS-18: the verifier may be a host's own, and no type holds what JavaScript answers. Nothing that is no
// whole principal is let in, no process ends, and no request hangs.

const good = principalWith(['notes:read'])
const odd: Record<string, unknown> = {
  nothing: null,
  yes: true,
  'a name': 'user-1',
  'no members': {},
  'a promise of one': Promise.resolve(good),
  'a list of one': [good],
  'an end that is no number': { ...good, expiresAt: Number.NaN },
  'no end at all': { ...good, expiresAt: undefined },
  'an end in words': { ...good, expiresAt: 'never' },
  'an end that is a list': { ...good, expiresAt: [] },
  'an end that is true': { ...good, expiresAt: true },
  'another resource': { ...good, resource: `${good.resource}/` },
  'several resources': { ...good, resource: [good.resource] },
  'nothing said about what it is bound to': { ...good, confirmation: undefined },
  'a confirmation of nothing': { ...good, confirmation: {} },
  'a confirmation in words': { ...good, confirmation: 'jkt' },
  'no scopes': { ...good, scopes: undefined },
  'scopes in one text': { ...good, scopes: 'notes:read notes:write' },
  'a scope that is none': { ...good, scopes: [null] },
  'a member that throws': Object.defineProperty({ ...good }, 'resource', { get () { throw new Error('no') } })
}

for (const [version, build] of Object.entries(versions)) {
  for (const [what, answer] of Object.entries(odd)) {
    t.test(`a verifier that answers ${what} lets nobody in, on Fastify ${version}`, async (t) => {
      const verifiers: Record<string, TokenVerifier> = {
        verify: Object.assign(verifierOf({}), { verify: async () => answer }),
        recall: Object.assign(verifierOf({}), { recall: () => answer })
      }
      for (const [way, verifier] of Object.entries(verifiers)) {
        if (way === 'verify' && answer instanceof Promise) continue
        const { app, handled } = await guardedApp(t, { verifier }, build)
        const { statusCode } = await app.inject({
          method: 'POST', url: '/mcp', headers: bearer('odd'), payload: callTool('search')
        })
        t.ok([401, 403, 500, 503].includes(statusCode), `${way}: ${statusCode}`)
        t.strictSame(handled, [])
      }
    })
  }

  t.test(`a verifier that throws whatever it likes lets nobody in, on Fastify ${version}`, async (t) => {
    for (const thrown of [undefined, null, 'no', { code: 'MCPS_ERR_INVALID_TOKEN' }, new Error('no')]) {
      const fail = (): never => { throw thrown }
      for (const verifier of [{ ...verifierOf({}), recall: fail }, { ...verifierOf({}), verify: fail }]) {
        const { app, handled } = await guardedApp(t, { verifier }, build)
        const { statusCode } = await app.inject({
          method: 'POST', url: '/mcp', headers: bearer('odd'), payload: callTool('search')
        })
        t.equal(statusCode, 503)
        t.strictSame(handled, [])
      }
    }
  })
}
