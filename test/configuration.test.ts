import t from 'tap'
import { readConfiguration } from '../lib/configuration.js'

t.test('names are filled from the environment, wherever they stand in a string', async (t) => {
  const text = JSON.stringify({ secrets: ['${A}-${B}'], resourceName: 'plain', recheck: 5 }) // eslint-disable-line no-template-curly-in-string

  const configuration = readConfiguration(text, { A: 'a'.repeat(32), B: '${A}' }) // eslint-disable-line no-template-curly-in-string

  t.strictSame(configuration, { secrets: ['a'.repeat(32) + '-${A}'], resourceName: 'plain', recheck: 5 }) // eslint-disable-line no-template-curly-in-string
})

const refusals: Record<string, [string, RegExp]> = {
  'text that is not JSON': ['{', /^options must be a JSON object$/],
  'JSON that is no object': ['null', /^options must be object$/],
  'a name that the environment does not hold': ['{"clients":[{"clientId":"${NOPE}"}]}', // eslint-disable-line no-template-curly-in-string
    /^clients\.0\.clientId names NOPE, which the environment does not hold$/],
  'a name that every object inherits': ['{"issuer":"${toString}"}', /^issuer names toString, /], // eslint-disable-line no-template-curly-in-string
  'an unknown member': ['{"limits":{}}', /^limits is not an option$/],
  'code where only data goes': ['{"store":{}}', /^store cannot be given here$/],
  'a sink, which is code': ['{"audit":{"sink":"x"}}', /^audit\.sink is not an option$/],
  'a prototype key': ['{"__proto__":{"strict":true}}', /^__proto__ is not an option$/]
}

for (const [what, [text, message]] of Object.entries(refusals)) {
  t.test(`${what} is refused with its path`, async (t) => {
    t.throws(() => readConfiguration(text, {}), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}
