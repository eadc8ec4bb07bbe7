import { readdirSync } from 'node:fs'

// Runs in a copy of this project that the mutation tester made, once for each mutant: the examples of what is mutated,
// compiled once, in one process that stops at the first failure. The 126 000 random cases are left out, for their time.
process.env.TAP_BAIL = '1'

const OUT = new URL('../../.stryker-tmp/out/test/', import.meta.url)
const PROTOCOL = ['component-uri', 'tag-expression', 'tag-filter', 'tags', 'uri-template']

const tests = [
  ...readdirSync(new URL('access', OUT)).filter((name) => name.endsWith('.test.js') && name !== 'properties.test.js')
    .map((name) => `access/${name}`),
  ...PROTOCOL.map((name) => `protocol/${name}.test.js`)
]

for (const test of tests) await import(new URL(test, OUT).href)
