import type { ServerResponse } from 'node:http'
import { carryWaiting } from '../../support/carry-headers.js'
import { editId, type Edits } from './edit.js'

const SESSION_ID = 'mcp-session-id'

type Pairs = ReadonlyArray<readonly [name: string, value: unknown]>

/** A list of name, value, name, value or a list of pairs; an object. */
function pairsOf (headers: unknown): Pairs {
  if (!Array.isArray(headers)) return typeof headers === 'object' && headers !== null ? Object.entries(headers) : []
  if (Array.isArray(headers[0])) return headers.map(([name, value]) => [String(name), value])
  return headers.flatMap((name, position) => position % 2 === 0 ? [[String(name), headers[position + 1]]] : [])
}

/** Sets what was given to `writeHead`: all values of a name that a list repeats, the last one of an object. */
function setAll (raw: ServerResponse, headers: unknown): void {
  const given = new Map<string, unknown>()
  for (const [name, value] of pairsOf(headers)) {
    const key = name.toLowerCase()
    const before = Array.isArray(headers) ? given.get(key) : undefined
    given.set(key, before === undefined ? value : [before, value].flat())
  }
  for (const [name, value] of given) Reflect.apply(raw.setHeader, raw, [name, value])
}

/** Answers whether these are the arguments of a `writeHead` that Node takes. */
export const isHead = ([status]: readonly unknown[]): boolean => Number(status) >= 100 && Number(status) < 1000

/** Puts the arguments of `writeHead`, and the headers that wait on Fastify's reply, into the response. */
export function takeHead (raw: ServerResponse, args: readonly unknown[]): void {
  const [status, second, third] = args
  carryWaiting(raw)
  setAll(raw, typeof second === 'string' ? third : second ?? third)
  raw.statusCode = Math.trunc(Number(status))
  // HTTP/2 has no status message, and warns of one.
  if (typeof second === 'string' && raw.req.httpVersionMajor < 2) raw.statusMessage = second
}

const textOf = (raw: ServerResponse, name: string): string => String(raw.getHeader(name) ?? '')

const listOf = (text: string): readonly string[] => text.split(',').map((part) => part.trim()).filter((part) => part !== '')

/** Adds what is missing; `*` has everything. */
function vary (held: string, added: string): string {
  const known = new Set(listOf(held).map((name) => name.toLowerCase()))
  if (known.has('*')) return held
  return [...listOf(held), ...listOf(added).filter((name) => !known.has(name.toLowerCase()))].join(', ')
}

/** Takes away what lets shared caches keep an answer, and adds what is missing. */
function cacheControl (held: string, added: string): string {
  const kept = listOf(held).filter((directive) => !/^(?:public$|s-maxage\b)/i.test(directive))
  const known = new Set(kept.map((directive) => directive.toLowerCase()))
  return [...kept, ...listOf(added).filter((directive) => !known.has(directive))].join(', ')
}

const COMBINED: Readonly<Record<string, (held: string, added: string) => string>> = { vary, 'cache-control': cacheControl }

function setHeader (raw: ServerResponse, name: string, value: string): void {
  const combine = COMBINED[name.toLowerCase()]
  raw.setHeader(name, combine === undefined ? value : combine(textOf(raw, name), value))
}

/** TR-14: nobody on the way keeps, changes or holds back an event stream. */
export function openToClient (raw: ServerResponse): void {
  setHeader(raw, 'cache-control', 'no-cache, no-store, no-transform')
  setHeader(raw, 'x-accel-buffering', 'no')
}

/** The headers and the session id that the edits set. */
export function editHead (raw: ServerResponse, { headers, sessionIds }: Edits): void {
  for (const [name, value] of headers) setHeader(raw, name, value)
  if (sessionIds.length > 0 && raw.hasHeader(SESSION_ID)) {
    raw.setHeader(SESSION_ID, editId(sessionIds, textOf(raw, SESSION_ID)))
  }
}

export type Kind = 'bodyless' | 'event-stream' | 'json' | 'other'

/** What the head promises. */
export function kindOf (raw: ServerResponse): Kind {
  const { statusCode, req } = raw
  if (req.method === 'HEAD' || statusCode < 200 || statusCode === 204 || statusCode === 304) return 'bodyless'
  const [type = ''] = textOf(raw, 'content-type').toLowerCase().split(';')
  if (type.trim() === 'text/event-stream') return 'event-stream'
  return /^application\/(?:[^ ]+\+)?json$/.test(type.trim()) ? 'json' : 'other'
}

/** Whether the body is compressed, or otherwise not what its type says. */
export function isEncoded (raw: ServerResponse): boolean {
  return !['', 'identity'].includes(textOf(raw, 'content-encoding').trim().toLowerCase())
}
