import t from 'tap'
import { isSameOrigin } from '../../../lib/plugins/support/same-origin.js'
import { buildApp, type Teardown } from '../../helpers/build-app.js'

const OURS = 'https://as.example'

async function ask (t: Teardown, headers: Readonly<Record<string, string>>): Promise<boolean> {
  const app = buildApp(t)
  app.post('/', async (request) => isSameOrigin(request, OURS))
  return (await app.inject({ method: 'POST', url: '/', headers })).json<boolean>()
}

const REFUSED = {
  'a page of another site': { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  'a page of a sister domain': { origin: 'https://evil.as.example', 'sec-fetch-site': 'same-site' },
  'an address that the user typed, with a body': { 'sec-fetch-site': 'none' },
  'another site, in a browser without Sec-Fetch-Site': { origin: 'https://evil.example' },
  'the same host by http': { origin: 'http://as.example' },
  'the same host on another port': { origin: 'https://as.example:444' },
  'an origin that only begins alike': { origin: 'https://as.example.evil' },
  'an origin in capitals': { origin: 'HTTPS://AS.EXAMPLE' },
  'a sandboxed frame': { origin: 'null', 'sec-fetch-site': 'cross-site' },
  'an opaque origin, in a browser without Sec-Fetch-Site': { origin: 'null' },
  'an empty origin': { origin: '' },
  'an origin that contradicts the site': { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  'a site that contradicts the origin': { origin: OURS, 'sec-fetch-site': 'cross-site' },
  'two sites': { 'sec-fetch-site': 'same-origin, cross-site' },
  'an empty site': { origin: OURS, 'sec-fetch-site': '' },
  'a Host header like the attacker\'s origin': { origin: 'https://evil.example', host: 'evil.example' }
}

for (const [what, headers] of Object.entries(REFUSED)) {
  t.test(`a form from ${what} is not ours`, async (t) => {
    t.equal(await ask(t, headers), false)
  })
}

const ACCEPTED = {
  'our page in a browser of today': { origin: OURS, 'sec-fetch-site': 'same-origin' },
  'our page under a policy without referrers': { origin: 'null', 'sec-fetch-site': 'same-origin' },
  'our page in a browser without Sec-Fetch-Site': { origin: OURS },
  'our page in a browser that sends no Origin': { 'sec-fetch-site': 'same-origin' },
  'a program': {},
  'our page behind a proxy with another Host': { origin: OURS, 'sec-fetch-site': 'same-origin', host: 'internal:3000' }
}

for (const [what, headers] of Object.entries(ACCEPTED)) {
  t.test(`a form from ${what} may be ours`, async (t) => {
    t.equal(await ask(t, headers), true)
  })
}
