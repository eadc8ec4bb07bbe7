import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, normalize } from 'node:path'
import t from 'tap'

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly types: string, readonly default: string } | string>>
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest

/** Every file that a compiled file pulls in, and every package. */
function reach (entry: string, kind: 'js' | 'd.ts'): { files: Set<string>, packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const queue = [normalize(entry)]
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (files.has(file)) continue
    files.add(file)
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport\(|^import)\s*['"]([^'"]+)['"]/gm)) {
      if (!name.startsWith('.')) packages.add(name)
      else queue.push(join(file, '..', name.replace(/\.js$/, `.${kind}`)))
    }
  }
  return { files, packages }
}

const pluginsIn = (files: Iterable<string>): string[] => [...files]
  .map((file) => /^dist\/lib\/plugins\/([\w-]+)(?:\.js|\.d\.ts|\/index\.js|\/index\.d\.ts)$/.exec(file)?.[1] ?? '')
  .filter((name) => name !== '').sort()

/** Plugin files that a part needs beside its own: the type of the store it works on. */
const needs: Record<string, readonly string[]> = {
  'oauth-routes': ['pkce-store'], 'scope-guard': ['pkce-store'], 'sign-in': ['pkce-store']
}

for (const [subpath, target] of Object.entries(manifest.exports)) {
  if (typeof target === 'string') continue
  t.test(`${subpath} of the exports map is there, with its types`, async (t) => {
    t.ok(existsSync(target.default), target.default)
    t.ok(existsSync(target.types), target.types)
  })
}

for (const part of ['audit-hook', 'security-headers', 'origin-guard', 'cors', 'rate-limits', 'pkce-store', 'sign-in', 'scope-guard', 'oauth-routes', 'resource-metadata']) {
  const target = manifest.exports[`./${part}`]
  if (target === undefined || typeof target === 'string') throw new Error(`no subpath ${part}`)

  t.test(`importing ${part} pulls in the code and types of no other part`, async (t) => {
    const allowed = [part, ...(needs[part] ?? [])]

    t.strictSame(pluginsIn(reach(target.default, 'js').files).filter((name) => !allowed.includes(name)), [])
    t.strictSame(pluginsIn(reach(target.types, 'd.ts').files).filter((name) => !allowed.includes(name)), [])
  })
}

t.test('the engines pull in no database driver', async (t) => {
  for (const engine of ['./stores/memory', './stores/sqlite']) {
    const target = manifest.exports[engine]
    if (target === undefined || typeof target === 'string') throw new Error(`no subpath ${engine}`)
    t.ok([...reach(target.default, 'js').packages].every((name) => name.startsWith('node:') || name === '@fastify/error'), engine)
  }
})

t.test('nothing is imported that is not a dependency', async (t) => {
  const known = [...Object.keys(manifest.dependencies), 'fastify']
  const used = new Set(Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [] : [...reach(target.default, 'js').packages, ...reach(target.types, 'd.ts').packages]))
  const nameOf = (specifier: string): string => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')

  t.strictSame([...used].filter((name) => !isBuiltin(name)).map(nameOf).filter((name) => !known.includes(name)), [])
})

t.test('the package runs no script when it is installed', async (t) => {
  t.strictSame(['preinstall', 'install', 'postinstall', 'prepare'].filter((name) => name in manifest.scripts), [])
})

t.test('the tarball holds what a user needs and no more', async (t) => {
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']
  })) as { files: { path: string }[] }[]
  const paths = (packed?.files ?? []).map(({ path }) => path)

  t.strictSame(paths.filter((path) => !/^dist\/(lib|types)\/.*\.(js|d\.ts)$/.test(path)).sort(),
    ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'])
})

t.test('every example that the README shows is the file that it names', async (t) => {
  const readme = readFileSync('README.md', 'utf8')
  const shown = [...readme.matchAll(/<!-- (examples\/\S+) -->\n```ts\n([\s\S]*?)```\n/g)]

  t.ok(shown.length > 0)
  for (const [, path = '', code] of shown) t.equal(code, readFileSync(path, 'utf8'), path)
})

t.test('the minimal example has fewer than thirty lines', async (t) => {
  t.ok(readFileSync('examples/minimal.ts', 'utf8').trimEnd().split('\n').length < 30)
})
