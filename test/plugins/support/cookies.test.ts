import fc from 'fast-check'
import t from 'tap'
import { clearCookie, readCookie, setCookie } from '../../../lib/plugins/support/cookies.js'
import { buildApp, type Teardown } from '../../helpers/build-app.js'

const NAME = '__Host-mcp-test'

async function read (t: Teardown, cookie: string | undefined): Promise<string | undefined> {
  const app = buildApp(t)
  app.get('/', async (request) => ({ value: readCookie(request, NAME) }))
  const answer = await app.inject({ url: '/', headers: cookie === undefined ? {} : { cookie } })
  return answer.json<{ value?: string }>().value
}

const READ = {
  'no header': [undefined, undefined],
  'an empty header': ['', undefined],
  'other cookies': ['a=b; c=d', undefined],
  'an empty value': [`${NAME}=`, undefined],
  'a name that only ends alike': [`x${NAME}=v`, undefined],
  'the name in other case': [`${NAME.toLowerCase()}=v`, undefined],
  'a cookie without a value': [NAME, undefined],
  'the name after a no-break space': [`\u00a0${NAME}=v; \u00a0${NAME}=v`, undefined],
  'a value behind another name': [`a=${NAME}=v`, undefined],
  'two cookies': [`${NAME}=v; ${NAME}=w`, undefined],
  'two cookies, one of them empty': [`${NAME}=; ${NAME}=w`, undefined],
  'what every object has': ['__proto__=v', undefined],
  'the cookie alone': [`${NAME}=v-1_2`, 'v-1_2'],
  'the cookie among others': [`a=b; ${NAME}=v; c=d`, 'v'],
  'the cookie after other blanks': [`a=b;${NAME}=v;\t c=d`, 'v']
} as const

for (const [what, [header, value]] of Object.entries(READ)) {
  t.test(`${what} holds ${value === undefined ? 'no cookie of ours' : 'our cookie'}`, async (t) => {
    t.equal(await read(t, header), value)
  })
}

t.test('no header makes reading fail', async (t) => {
  const app = buildApp(t)
  app.get('/', async (request) => ({ value: readCookie(request, NAME) }))
  await fc.assert(fc.asyncProperty(fc.stringMatching(/^[!-~]{0,60}$/), async (cookie) => {
    const { statusCode } = await app.inject({ url: '/', headers: { cookie: `${NAME}=${cookie}` } })
    return statusCode === 200
  }), { numRuns: 200 })
})

t.test('a cookie can be set by nobody else, read by no script and sent by no foreign form', async (t) => {
  const app = buildApp(t)
  app.get('/', async (_request, reply) => {
    setCookie(reply, { name: NAME, value: 'v' })
    return 'ok'
  })

  const { headers } = await app.inject('/')

  t.same(new Set(String(headers['set-cookie']).split('; ')), new Set([`${NAME}=v`, 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']))
})

t.test('a cookie that is cleared ends at once', async (t) => {
  const app = buildApp(t)
  app.get('/', async (_request, reply) => {
    clearCookie(reply, NAME)
    return 'ok'
  })

  t.match((await app.inject('/')).cookies, [{ name: NAME, value: '', maxAge: 0, path: '/', httpOnly: true, secure: true }])
})

t.test('several cookies of one answer all arrive, beside those of the host', async (t) => {
  const app = buildApp(t)
  app.get('/', async (_request, reply) => {
    reply.header('set-cookie', 'host=1')
    setCookie(reply, { name: NAME, value: 'v' })
    setCookie(reply, { name: '__Host-mcp-other', value: 'w' })
    return 'ok'
  })

  t.same((await app.inject('/')).cookies.map(({ name }) => name), ['host', NAME, '__Host-mcp-other'])
})
