import t from 'tap'
import { VerifierUnavailableError } from '../../lib/tokens/errors.js'
import { createSingleFlight } from '../../lib/tokens/single-flight.js'

/** Questions that are answered by hand. */
function questions () {
  const open: ((answer: string) => void)[] = []
  const ask = async () => await new Promise<string>((resolve) => { open.push(resolve) })
  return { open, ask }
}

t.test('the same question is asked once, and everybody gets its answer', async (t) => {
  const { open, ask } = questions()
  const flight = createSingleFlight<string>({ max: 10, overload: 'too many' })
  const all = [1, 2, 3].map(async () => await flight.run('a', ask))
  open[0]?.('answer')

  t.strictSame(await Promise.all(all), ['answer', 'answer', 'answer'])
  t.equal(open.length, 1)
})

t.test('after its answer, good or bad, it is asked again', async (t) => {
  const flight = createSingleFlight<number>({ max: 1, overload: 'too many' })
  await t.rejects(flight.run('a', async () => { throw new Error('bad') }), { message: 'bad' })

  t.equal(await flight.run('a', async () => 1), 1)
  t.equal(await flight.run('a', async () => 2), 2)
})

t.test('above max nothing more is asked, and what is asked is still waited for', async (t) => {
  const { open, ask } = questions()
  const flight = createSingleFlight<string>({ max: 2, overload: 'too many' })
  const all = ['a', 'b', 'a'].map(async (key) => await flight.run(key, ask))

  const error: unknown = await flight.run('c', ask).catch((error: unknown) => error)
  t.ok(error instanceof VerifierUnavailableError)
  t.match(error, { reason: 'too many' })
  for (const answer of open) answer('answer')
  t.strictSame(await Promise.all(all), ['answer', 'answer', 'answer'])
})

t.test('whoever comes after a new start gets no older answer, and the bound still holds', async (t) => {
  const { open, ask } = questions()
  const flight = createSingleFlight<string>({ max: 2, overload: 'too many' })
  const before = flight.run('a', ask)
  flight.startAnew()
  const after = flight.run('a', ask)
  await t.rejects(flight.run('b', ask), { message: /^too many/ })
  open[0]?.('old')
  t.equal(await before, 'old')
  const joined = flight.run('a', ask)
  open[1]?.('new')

  t.strictSame(await Promise.all([after, joined]), ['new', 'new'])
  t.equal(open.length, 2)
})
