import fc from 'fast-check'
import t from 'tap'
import type { ClientTrust } from '../../lib/pages/client-trust.js'
import { consentPage, type ConsentModel } from '../../lib/pages/consent-page.js'
import { elementsOf, fieldsOf } from '../helpers/markup.js'
import { consentDevice, consentModel } from '../helpers/page-models.js'

const { signOutAction, ...withoutSignOut } = consentModel

t.test('the decision carries the transaction and every ticked scope', async (t) => {
  const page = consentPage(withoutSignOut)

  t.match(page, '<form method="post" action="/authorize/decision" autocomplete="off">')
  t.same(fieldsOf(page), [
    ['transaction', 'the-handle'], ['csrf', 'the-csrf-token'], ['scope', 'notes:read'], ['scope', 'notes:write']
  ])
})

t.test('Enter in a checkbox denies: the first button is Deny', async (t) => {
  const buttons = elementsOf(consentPage(withoutSignOut)).filter(({ name }) => name === 'button')

  t.same(buttons.map(({ attributes }) => [attributes.get('name'), attributes.get('value')]), [['decision', 'deny'], ['decision', 'allow']])
})

t.test('who asks, for what, and where the answer goes is shown (AS-C1)', async (t) => {
  const page = consentPage(consentModel)

  for (const shown of ['ada', 'Claude Code', consentModel.clientId, 'localhost:54321', 'Notes', 'https://notes.example/mcp']) {
    t.match(page, `>${shown}</`)
  }
})

t.test('who answers for a client is shown: the operator, the host of its document, or nobody (AS-C1)', async (t) => {
  const factOf = (trust: ClientTrust) => /<dt>Assured by<\/dt><dd>(.*?)<\/dd>/.exec(consentPage({ ...consentModel, trust }))?.[1]

  t.equal(factOf({ by: 'operator' }), 'The operator of this server <small>approved it</small>')
  t.equal(factOf({ by: 'document', host: 'c.example' }), '<bdi>c.example</bdi> <small>publishes what it says of itself</small>')
  t.equal(factOf({ by: 'nobody', since: '2 minutes' }), 'Nobody <small>it registered itself 2 minutes ago</small>')
})

t.test('the user is told when a yes is remembered, and for how long', async (t) => {
  t.match(consentPage({ ...consentModel, rememberedFor: '30 days' }), 'you are not asked the same again for 30 days')
  t.notMatch(consentPage(consentModel), 'asked the same again')
})

t.test('what is asked for besides scopes is read before Allow, and adds no element of its own', async (t) => {
  const page = consentPage({ ...consentModel, details: ['Pay <b>10</b>\u202e', 'Export'] })

  t.match(page, '<p>With Allow, it may also do this</p><ul><li><bdi>Pay &lt;b&gt;10&lt;/b&gt;</bdi></li><li><bdi>Export</bdi></li></ul>')
  t.notMatch(consentPage({ ...consentModel, details: [] }), 'it may also do this')
})

t.test('the user can sign out when the host can', async (t) => {
  t.match(consentPage(consentModel), '<form method="post" action="/sign-out">')
  t.notMatch(consentPage(withoutSignOut), 'Not you?')
})

t.test('a self-registered client is warned of, with its age', async (t) => {
  const model = { ...consentModel, loopback: false }

  t.match(consentPage(model), 'registered itself 2 minutes ago')
  t.notMatch(consentPage(model), 'this computer')
})

t.test('a program on this computer is told of', async (t) => {
  const page = consentPage({ ...consentModel, trust: { by: 'operator' } })

  t.match(page, 'a program on this computer')
  t.match(page, '<small>this computer</small>')
  t.notMatch(page, 'registered itself')
})

t.test('a client that the operator configured for the web needs no warning', async (t) => {
  t.notMatch(consentPage({ ...consentModel, trust: { by: 'operator' }, loopback: false }), 'class="warning"')
})

t.test('a private-use scheme is explained', async (t) => {
  const page = consentPage({ ...consentModel, loopback: false, redirectHost: 'cursor:' })

  t.match(page, '<bdi>cursor:</bdi> <small>an app on this device</small>')
})

t.test('a client without a visible name is called that', async (t) => {
  t.match(consentPage({ ...consentModel, clientName: '\u200b\u202e' }), 'An application without a name')
})

t.test('a hostile name adds no element, turns no text around and does not fill the page', async (t) => {
  const usual = consentPage(consentModel)
  const page = consentPage({ ...consentModel, clientName: '"><script>x</script>\u202eevil\u200b' + 'A'.repeat(10_000) })

  t.same(elementsOf(page).map(({ name }) => name), elementsOf(usual).map(({ name }) => name))
  t.notMatch(page, /\u202e|\u200b/)
  t.ok(page.length < usual.length + 500)
})

const asked: ConsentModel = { ...consentModel, trust: { by: 'operator' }, loopback: false, redirectHost: '', device: consentDevice }

t.test('several resources are named in a sentence, and each in a line of its own', async (t) => {
  const resources = ['One', 'Two', 'Three'].map((name) => ({ name, resource: `https://${name.toLowerCase()}.example/mcp` }))
  const page = consentPage({ ...consentModel, resources })

  t.match(page, 'wants to use <bdi>One</bdi>, <bdi>Two</bdi> and <bdi>Three</bdi></h1>')
  t.match(page, '<dd><bdi>Three</bdi> <code dir="ltr">https://three.example/mcp</code></dd>')
})

t.test('the consent page for a device shows its code, where it asked from, and sends nobody anywhere', async (t) => {
  const page = consentPage(asked)

  t.match(page, 'shows the code <strong class="user-code">WDJB-MJHT</strong>')
  t.match(page, 'choose Deny: they would get into your account')
  t.match(page, '<dt>Asked from</dt><dd><bdi>203.0.113.7</bdi> <small>the network of this browser, less than a minute ago</small>')
  t.notMatch(page, /Sends you to|you go back to the application|not on the network/)
})

t.test('a device on another network is called that', async (t) => {
  const page = consentPage({ ...asked, device: { ...consentDevice, isHere: false } })

  t.match(page, 'The device is not on the network of this browser.')
  t.match(page, 'another network than that of this browser')
})

t.test('no text of the client or the host adds an element', async (t) => {
  const names = elementsOf(consentPage(consentModel)).map(({ name }) => name).join()
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    const client = { clientName: text, clientId: text, redirectHost: text }
    const resources = [{ resource: text, name: text }]
    const page = consentPage({ ...consentModel, ...client, user: text, site: text, resources })

    return elementsOf(page).map(({ name }) => name).join() === names
  }))
  t.pass('the elements were always the same')
})
