import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformSync } from '@swc/wasm-typescript'

const isOurs = (url) => url.startsWith('file:') && !url.includes('/node_modules/')

/** Imports name the compiled file, as TypeScript wants it; the source is beside it. */
export async function resolve (specifier, context, next) {
  if (specifier.startsWith('.') && specifier.endsWith('.js') && isOurs(context.parentURL ?? '')) {
    const url = new URL(specifier, context.parentURL)
    const source = url.href.replace(/\.js$/, '.ts')
    if (!existsSync(url) && existsSync(new URL(source))) return { url: source, format: 'module', shortCircuit: true }
  }
  return await next(specifier, context)
}

export async function load (url, context, next) {
  if (!isOurs(url) || !url.endsWith('.ts')) return await next(url, context)
  const { code } = transformSync(readFileSync(fileURLToPath(url), 'utf8'), { mode: 'strip-only' })
  return { format: 'module', source: code, shortCircuit: true }
}
