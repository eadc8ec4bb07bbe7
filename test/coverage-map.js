import { existsSync } from 'node:fs'

/** Small files that have no test of their own, under the test that answers for them. */
export const also = {
  'test/tokens/jws.test.ts': ['lib/tokens/errors.ts'],
  'test/pages/layout.test.ts': ['lib/pages/marks.ts']
}

/** A test answers for the file it is named after, so that nothing is covered by accident. */
export default function filesOf (test) {
  const own = test.replace(/^test\//, 'lib/').replace(/\.test\.ts$/, '.ts')
  return [...(existsSync(own) ? [own] : []), ...(also[test] ?? [])]
}
