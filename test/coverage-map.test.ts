import { readdirSync } from 'node:fs'
import t from 'tap'

// Plain JavaScript, because tap loads it by itself.
const { default: filesOf }: { default: (test: string) => string[] | null } = await import('./coverage-map.js' + '')

const listOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`)

// tap leaves files that no test answers for out of its report, so that their absence has to fail here.
t.test('every file of lib has a test that answers for its coverage', async (t) => {
  const claimed = new Set(listOf('test').flatMap((name) => filesOf(name) ?? []))

  t.strictSame(listOf('lib').filter((name) => name.endsWith('.ts') && !claimed.has(name)), [])
})
