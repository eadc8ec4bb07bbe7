import type { Response } from 'light-my-request'
import t from 'tap'
import type { ScopeGuardOptions } from '../../../types/options.js'
import { call, callTool, principalWith, verifierOf } from '../../helpers/guard.js'
import { guardedApp, post } from '../../helpers/guarded-app.js'

/** Everything of an answer that goes over the wire. */
const wire = ({ statusCode, headers: { date, ...headers }, rawPayload }: Response) =>
  ({ statusCode, headers, dated: date !== undefined, body: rawPayload.toString('latin1') })

const reaching: Record<string, [(name: string) => unknown, string, string]> = {
  'a tool': [(name) => callTool(name), 'delete', 'remove'],
  'a tool in a batch': [(name) => [callTool('whoami'), callTool(name)], 'delete', 'remove'],
  'a tool beside an unknown one': [(name) => [callTool('nothing'), callTool(name)], 'delete', 'remove'],
  'a tool beside an unknown method': [(name) => [call('nothing'), callTool(name)], 'delete', 'remove'],
  'a prompt': [(name) => call('prompts/get', { name }), 'summary', 'nothing'],
  'a resource': [(uri) => call('resources/read', { uri }), 'notes://all', 'notes://non'],
  'a subscription': [(uri) => call('subscriptions/listen', { notifications: { resourceSubscriptions: [uri] } }), 'notes://all', 'notes://non'],
  'a completion': [(name) => call('completion/complete', { ref: { type: 'ref/prompt', name } }), 'summary', 'nothing']
}

const hiding: Record<string, Partial<ScopeGuardOptions>> = {
  'for want of scopes': { hideDenied: true },
  'by the host': { hideDenied: true, access: ({ operation }) => operation.type === 'message' && operation.component?.name === 'whoami' },
  'by a host that fails': { hideDenied: true, access: async () => { throw new Error('down') } }
}

for (const [why, options] of Object.entries(hiding)) {
  const token = why === 'for want of scopes' ? 'nobody' : 'admin'
  for (const [what, [message, denied, missing]] of Object.entries(reaching)) {
    t.test(`with hideDenied ${what} denied ${why} is answered byte for byte as one that does not exist`, async (t) => {
      const { app, handled } = await guardedApp(t, options)

      const hidden = await app.inject(post(token, message(denied)))
      const unknown = await app.inject(post(token, message(missing)))

      t.same(wire(hidden), wire(unknown))
      t.equal(hidden.statusCode, 403)
      t.equal(hidden.headers['www-authenticate'], undefined)
      t.strictSame(handled, [])
    })
  }
}

t.test('without hideDenied a denied tool is told apart from one that does not exist', async (t) => {
  for (const [reason, access] of [['no', async () => false], ['down', async () => { throw new Error('down') }]] as const) {
    const { app } = await guardedApp(t, { access })

    t.equal((await app.inject(post('admin', callTool('search')))).statusCode, reason === 'no' ? 403 : 503)
    t.match((await app.inject(post('admin', callTool('search')))).json(), { error: { code: -32000 } })
    t.match((await app.inject(post('reader', callTool('delete')))).headers, { 'www-authenticate': /insufficient_scope/ })
    t.match((await app.inject(post('reader', callTool('nothing')))).json(), { error: { code: -32602 } })
  }
})

t.test('with hideDenied the audit keeps the true reason and the name', async (t) => {
  const { app, events } = await guardedApp(t, { hideDenied: true })

  await app.inject(post('reader', callTool('delete')))

  t.match(events, [{ type: 'access.denied', reason: 'insufficient-scope', operation: 'tools/call delete' }])
})

t.test('with hideDenied what is no component is still asked for with a challenge', async (t) => {
  const { app } = await guardedApp(t, { hideDenied: true })

  const listed = await app.inject(post('nobody', call('tools/list')))
  const noted = await app.inject({ url: '/notes', headers: { authorization: 'Bearer reader' } })

  t.match(listed.headers['www-authenticate'], /error="insufficient_scope"/)
  t.match(noted.headers['www-authenticate'], /error="insufficient_scope"/)
})

t.test('with hideDenied what is allowed runs', async (t) => {
  const { app, handled } = await guardedApp(t, { hideDenied: true })

  t.equal((await app.inject(post('reader', callTool('search')))).statusCode, 200)
  t.equal(handled.length, 1)
})

t.test('a token that anybody could use, where it has to be bound to its sender, is 401: another one helps', async (t) => {
  const { app, handled } = await guardedApp(t, { dpop: {}, requireSenderConstraint: { scopes: ['notes:read'] } })

  const response = await app.inject(post('reader', callTool('search', 7)))

  t.match(response, { statusCode: 401, headers: { 'www-authenticate': /, DPoP error="invalid_token", / } })
  t.match(response.json(), { id: 7, error: { code: -32000 } })
  t.strictSame(handled, [])
})

const strict: Partial<ScopeGuardOptions> = {
  components: [
    { tool: 'fresh', scopes: ['notes:read'], assurance: { maxAge: 60 } },
    { tool: 'fresher', scopes: ['notes:read'], assurance: { maxAge: 30, acr: ['gold', 'a=b'] } },
    { tool: 'strong', scopes: ['notes:write'], assurance: { acr: ['silver', 'gold'] } },
    { tool: 'keyed', scopes: ['notes:read'], assurance: { amr: ['hwk'] } },
    { tool: 'staff', scopes: ['notes:read'], roles: ['staff'] }
  ],
  verifier: verifierOf({
    reader: principalWith(['notes:read'], { authenticatedAt: 1_600_000_000 }),
    writer: principalWith(['notes:write'], { authenticatedAt: 1_600_000_000 })
  })
}

const weak: Record<string, [unknown, string]> = {
  'one that is too old': [callTool('fresh'), 'max_age="60"'],
  'one that is too old for one message of a batch': [[call('ping'), callTool('fresh')], 'max_age="60"'],
  'one of another class': [callTool('strong'), 'acr_values="silver gold"'],
  'one that is too old and of another class': [callTool('fresher'), 'acr_values="gold", max_age="30"'],
  'one too old for one and of another class for another': [[callTool('fresh'), callTool('strong')], 'acr_values="silver gold", max_age="60"']
}

for (const [what, [message, params]] of Object.entries(weak)) {
  t.test(`a sign-in that does not do, ${what}, is 401 with what it takes (RFC 9470)`, async (t) => {
    const { app, events, handled } = await guardedApp(t, strict)

    const response = await app.inject(post('writer', message))

    t.equal(response.statusCode, 401)
    t.match(response.headers['www-authenticate'], new RegExp(`^Bearer resource_metadata="[^"]+", scope="[^"]*notes:write[^"]*", error="insufficient_user_authentication", ${params}, error_description="[^"=]+"$`))
    t.strictSame(handled, [])
    t.match(events.at(-1), { type: 'access.denied', reason: 'insufficient-authentication' })
  })
}

t.test('what the user has not seen is asked for again, with the scopes that it needs and that are there', async (t) => {
  const verifier = verifierOf({ pinned: principalWith(['admin'], { consented: [] }) })
  const { app, events, handled } = await guardedApp(t, { verifier })

  const response = await app.inject(post('pinned', callTool('delete')))

  t.equal(response.statusCode, 403)
  t.match(response.headers['www-authenticate'], /scope="notes:write profile admin", error="insufficient_scope", error_description="[^"=]+"$/)
  t.match(events.at(-1), { type: 'access.denied', reason: 'not-consented', operation: 'tools/call delete' })
  t.equal((await app.inject(post('pinned', callTool('search')))).statusCode, 200)
  t.equal(handled.length, 1)
})

t.test('methods of signing in have no place in a challenge', async (t) => {
  const { app } = await guardedApp(t, strict)

  const response = await app.inject(post('reader', callTool('keyed')))

  t.equal(response.statusCode, 401)
  t.match(response.headers['www-authenticate'], /error="insufficient_user_authentication", error_description/)
})

t.test('scopes are asked for before a better sign-in', async (t) => {
  const { app } = await guardedApp(t, strict)

  t.equal((await app.inject(post('reader', callTool('strong')))).statusCode, 403)
  t.equal((await app.inject(post('reader', [callTool('fresh'), callTool('strong')]))).statusCode, 403)
})

t.test('a role that is missing is 403 without a challenge: no token of this user has it', async (t) => {
  const { app, handled } = await guardedApp(t, strict)

  const response = await app.inject(post('reader', callTool('staff')))

  t.equal(response.statusCode, 403)
  t.equal(response.headers['www-authenticate'], undefined)
  t.strictSame(handled, [])
})

t.test('with hideDenied neither a role nor a sign-in tells that a component exists', async (t) => {
  const { app } = await guardedApp(t, { ...strict, hideDenied: true })
  const unknown = wire(await app.inject(post('reader', callTool('nothing'))))

  for (const name of ['staff', 'fresh', 'strong', 'keyed']) {
    t.same(wire(await app.inject(post('reader', callTool(name)))), unknown)
  }
})

t.test('a principal that has to prove itself and cannot is told so', async (t) => {
  const { app } = await guardedApp(t, { dpop: {}, components: [{ tool: 'bound', scopes: ['notes:read'], senderConstrained: true }] })

  t.equal((await app.inject(post('reader', callTool('bound')))).statusCode, 401)
})

t.test('with hideDenied a denied component says nothing about its headers either', async (t) => {
  const components = [{ tool: 'deploy', scopes: ['admin'], headers: { Region: 'region' } }]
  const { app } = await guardedApp(t, { hideDenied: true, components })
  const send = async (token: string, name: string) => {
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {} }
    const { headers, ...rest } = post(token, call('tools/call', { name, arguments: { region: 'eu' }, _meta: meta }))
    const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name }
    return wire(await app.inject({ ...rest, headers: { ...headers, ...modern } }))
  }

  t.same(await send('reader', 'deploy'), await send('reader', 'remove'))
  t.equal((await send('admin', 'deploy')).statusCode, 400)
})
