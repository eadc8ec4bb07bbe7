import { resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'

/** The build that a server measures: this one's, or another for a comparison of two. */
const build = process.env.BENCH_BUILD ?? 'dist'

/** A file of the built library, as `plugins/scope-guard.js`. */
export const library = (path) => import(pathToFileURL(resolve(build, 'lib', path)).href)
