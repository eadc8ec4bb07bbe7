import t from 'tap'
import { buildLivePolicy, shareLivePolicy, sharedLivePolicy } from '../../../lib/plugins/support/live-policy.js'
import type { ComponentRule } from '../../../types/access.js'
import { SCOPES } from '../../helpers/guard.js'

const docs: ComponentRule = { tool: 'search', tags: ['docs'], server: 'wiki' }
const servers = { wiki: { tags: ['wiki'] } }
const live = () => buildLivePolicy({ scopes: SCOPES, components: [docs], servers })

t.test('the tags of components and of their servers are live, and scopes of them exist', async (t) => {
  const { model, policy, advertised, tagsOf } = live()

  t.same([...policy().tags].sort(), ['docs', 'wiki'])
  t.same([...advertised()].sort(), ['tag:docs', 'tag:wiki'])
  t.same([...tagsOf(docs)].sort(), ['docs', 'wiki'])
  t.ok(model.has('tag:docs'))
  t.notOk(model.has('tag:other'))
})

t.test('tags are not advertised where the host wants that, and exist all the same', async (t) => {
  const { model, advertised } = buildLivePolicy({ scopes: SCOPES, components: [docs], servers, advertiseTags: false })

  t.strictSame(advertised(), [])
  t.ok(model.has('tag:docs'))
})

t.test('what is replaced is replaced all at once, and whoever asked is told', async (t) => {
  const policy = live()
  const before = policy.policy()
  let told = 0
  policy.onReplace(() => { told += 1 })

  policy.replace([{ prompt: 'summary', tags: ['texts'] }])

  t.equal(told, 1)
  t.same(policy.advertised(), ['tag:texts'])
  t.notOk(policy.model.has('tag:docs'))
  t.equal(before.tags.has('docs'), true)
  t.equal(policy.policy().components().length, 1)
})

t.test('servers stay as they are where only components are replaced', async (t) => {
  const policy = live()

  policy.replace([{ tool: 'other', server: 'wiki' }])
  t.same(policy.advertised(), ['tag:wiki'])
  t.throws(() => { policy.replace([docs], {}) }, { code: 'MCPS_ERR_INVALID_OPTION', message: /^components\.0\.server/ })
})

const wrong: Record<string, [unknown, RegExp]> = {
  'no list': ['all', /^components must be array/],
  'an unknown member': [[{ tool: 'a', scopes: [], colour: 'red' }], /^components\.0\.colour is not an option/],
  'an unknown scope': [[{ tool: 'a', scopes: ['typo'] }], /^components\.0\.scopes\.0 is not/],
  'the same tool twice': [[{ tool: 'a', scopes: [] }, { tool: 'a', scopes: [] }], /^components\.1 repeats/],
  'a tool that nothing opens': [[{ tool: 'a' }], /^components\.0 must have scopes/],
  'a server that is not there': [[{ tool: 'a', server: 'x' }], /^components\.0\.server is not/]
}

for (const [what, [components, message]] of Object.entries(wrong)) {
  t.test(`${what} is refused at run time as at boot, and changes nothing`, async (t) => {
    const policy = live()
    const before = policy.policy()
    let told = 0
    policy.onReplace(() => { told += 1 })

    t.throws(() => { Reflect.apply(policy.replace, null, [components]) }, { code: 'MCPS_ERR_INVALID_OPTION', message })

    t.equal(policy.policy(), before)
    t.ok(policy.model.has('tag:docs'))
    t.equal(told, 0)
  })
}

t.test('what a host does with its own objects afterwards changes nothing', async (t) => {
  const scopes = ['admin']
  const policy = buildLivePolicy({ scopes: SCOPES, components: [{ tool: 'drop', scopes }] })

  scopes.pop()

  t.same(policy.policy().components(), [{ tool: 'drop', scopes: ['admin'] }])
})

t.test('what a host does with its bounds afterwards changes nothing, at the next replacement either', async (t) => {
  const requireSenderConstraint = { scopes: ['notes:write'] }
  const tasks = { list: false }
  const policy = buildLivePolicy({ scopes: SCOPES, requireSenderConstraint, tasks })

  requireSenderConstraint.scopes[0] = 'profile'
  tasks.list = true
  policy.replace([{ tool: 'drop', scopes: ['notes:write'] }])

  t.match(policy.policy().demandsOf({ kind: 'tool', name: 'drop' }), [{ senderConstrained: true }])
  t.strictSame(policy.policy().tasks, { list: false })
})

t.test('the policy of a resource is found by the app and the resource that it is for', async (t) => {
  const [server, other] = [{}, {}]
  const [one, two] = [live(), live()]
  shareLivePolicy(server, 'https://a.example/one', one)
  shareLivePolicy(server, 'https://a.example/two', two)

  t.equal(sharedLivePolicy(server, 'https://a.example/one'), one)
  t.equal(sharedLivePolicy(server, 'https://a.example/two'), two)
  t.equal(sharedLivePolicy(server, 'https://a.example/other'), undefined)
  t.equal(sharedLivePolicy(other, 'https://a.example/one'), undefined)
})
