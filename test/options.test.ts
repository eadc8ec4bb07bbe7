import t from 'tap'
import { assertOptions, configurationSchema, schemas } from '../lib/options.js'

const minimal = {
  issuer: 'https://mcp.example.com',
  resource: 'https://mcp.example.com/mcp',
  scopes: { 'notes:read': 'Read your notes' }
}

t.test('options that say only what is needed are accepted', async (t) => {
  t.doesNotThrow(() => { assertOptions(schemas.mcpSecurity, minimal) })
})

t.test('an option that is undefined counts as left out', async (t) => {
  t.doesNotThrow(() => { assertOptions(schemas.mcpSecurity, { ...minimal, tenant: undefined }) })
})

const refusals: Record<string, [unknown, RegExp]> = {
  'nothing at all': [null, /^options must be object$/],
  'a list': [[], /^options must be object$/],
  'no issuer': [{ resource: 'x', scopes: { a: 'A' } }, /^issuer is required$/],
  'an unknown member': [{ ...minimal, isuer: 'x' }, /^isuer is not an option$/],
  'an unknown member further in': [{ ...minimal, lifetimes: { acessToken: 900 } }, /^lifetimes\.acessToken is not an option$/],
  'a number out of bounds': [{ ...minimal, lifetimes: { code: 9 } }, /^lifetimes\.code must be integer greater or equal to 10$/],
  'a fraction': [{ ...minimal, recheck: 1.5 }, /^recheck must be integer$/],
  'a wrong value beside false': [{ ...minimal, rateLimits: { general: { max: 0, window: 1 } } },
    /^rateLimits\.general\.max must be integer greater or equal to 1$/],
  'true where only false or options go': [{ ...minimal, audit: true }, /^audit must be /],
  'a scope without a title': [{ ...minimal, scopes: { 'a/b': { implies: [] } } }, /^scopes\.a\/b\.title is required$/],
  'a sign-in that is not a function': [{ ...minimal, signIn: 'me' }, /^signIn must be function$/],
  'a sink that is not a function': [{ ...minimal, audit: { sink: 'file' } }, /^audit\.sink must be function$/],
  'a short secret': [{ ...minimal, secrets: ['short'] }, /^secrets\.0 must be string length greater or equal to 32$/]
}

for (const [what, [options, message]] of Object.entries(refusals)) {
  t.test(`${what} stops the boot with its path`, async (t) => {
    t.throws(() => { assertOptions(schemas.mcpSecurity, options) }, { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('a part names its own place in the umbrella', async (t) => {
  t.throws(() => { assertOptions(schemas.originGuard, { origin: [] }, 'originGuard') },
    { message: 'originGuard.origin is not an option' })
})

t.test('code cannot be given where only data goes', async (t) => {
  t.throws(() => { assertOptions(configurationSchema, { clock: 1 }) }, { message: 'clock cannot be given here' })
})
