import t from 'tap'
import { createBus } from '../../lib/stores/bus.js'

const CHANNEL = { tenant: 'tenant', channel: 'revoked' }

t.test('every listener has been called when publish answers', async (t) => {
  const bus = createBus()
  const heard: string[] = []
  await bus.subscribe({ ...CHANNEL, listener: (text) => { heard.push(`one ${text}`) } })
  await bus.subscribe({ ...CHANNEL, listener: (text) => { heard.push(`two ${text}`) } })

  await bus.publish({ ...CHANNEL, text: 'a' })

  t.same(heard, ['one a', 'two a'])
})

t.test('publish does not wait for a listener that takes its time', async (t) => {
  const bus = createBus()
  await bus.subscribe({ ...CHANNEL, listener: () => new Promise<void>(() => {}) })

  t.equal(await bus.publish({ ...CHANNEL, text: 'a' }), undefined)
})

t.test('a listener that throws or rejects harms nobody', async (t) => {
  const bus = createBus()
  const heard: string[] = []
  await bus.subscribe({ ...CHANNEL, listener: () => { throw new Error('thrown') } })
  await bus.subscribe({ ...CHANNEL, listener: async () => { throw new Error('rejected') } })
  await bus.subscribe({ ...CHANNEL, listener: (text) => { heard.push(text) } })

  await bus.publish({ ...CHANNEL, text: 'a' })

  t.same(heard, ['a'])
})

t.test('a subscription that another listener ends does not hear the message that is on its way', async (t) => {
  const bus = createBus()
  const heard: string[] = []
  const ends: Array<() => Promise<void>> = []
  await bus.subscribe({ ...CHANNEL, listener: () => { for (const end of ends) end() } })
  ends.push(await bus.subscribe({ ...CHANNEL, listener: (text) => { heard.push(text) } }))

  await bus.publish({ ...CHANNEL, text: 'a' })

  t.same(heard, [])
})

t.test('a listener that subscribes anew does not hear the message that is on its way', async (t) => {
  const bus = createBus()
  const heard: string[] = []
  const listener = (text: string): void => { heard.push(text) }
  await bus.subscribe({ ...CHANNEL, listener: () => { bus.subscribe({ ...CHANNEL, listener }) } })

  await bus.publish({ ...CHANNEL, text: 'a' })

  t.same(heard, [])
})

t.test('closing ends every subscription, and an end that comes later ends no newer one', async (t) => {
  const bus = createBus()
  const heard: string[] = []
  const end = await bus.subscribe({ ...CHANNEL, listener: (text) => { heard.push(`old ${text}`) } })
  await bus.close()
  await bus.subscribe({ ...CHANNEL, listener: (text) => { heard.push(`new ${text}`) } })
  await end()

  await bus.publish({ ...CHANNEL, text: 'a' })

  t.same(heard, ['new a'])
})

t.test('a message that nobody listens for is no mistake', async (t) => {
  await t.resolves(createBus().publish({ ...CHANNEL, text: 'a' }))
})

t.test('a subscription that is ended twice ends once, and a newer one goes on', async (t) => {
  const bus = createBus()
  const heard: string[] = []
  const end = await bus.subscribe({ ...CHANNEL, listener: (text) => { heard.push(`old ${text}`) } })
  await end()
  await bus.subscribe({ ...CHANNEL, listener: (text) => { heard.push(`new ${text}`) } })
  await end()

  await bus.publish({ ...CHANNEL, text: 'a' })

  t.same(heard, ['new a'])
})
