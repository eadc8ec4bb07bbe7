// Compiles the project when its sources are newer than dist/, then runs dist/examples/NAME.js in this process.
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'dist', 'examples', 'reference-server', 'main.js')

function newest (folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .reduce((latest, name) => Math.max(latest, statSync(join(root, folder, name)).mtimeMs), 0)
}

function isStale () {
  const built = statSync(stamp, { throwIfNoEntry: false })
  return built === undefined || Math.max(...['lib', 'types', 'examples'].map(newest)) > built.mtimeMs
}

const [name] = process.argv.splice(2, 1)
if (isStale()) {
  process.stderr.write('building ...\n')
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
  const built = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: ['ignore', 2, 2] })
  if (built.status !== 0) process.exit(built.status ?? 1)
}
await import(pathToFileURL(join(root, 'dist', 'examples', `${name}.js`)).href)
