import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** A cookie that only this origin can set (RFC 6265bis §4.1.3.2) and no script can read. */
const ATTRIBUTES = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' } as const

/** Answers `undefined` for an absent or empty cookie. Works with and without @fastify/cookie in the host's app. */
export function readCookie (request: FastifyRequest, name: string): string | undefined {
  const header = request.headers.cookie
  if (header === undefined) return undefined
  const cookies = fastifyCookie.parse(header)
  return Object.hasOwn(cookies, name) && cookies[name] !== '' ? cookies[name] : undefined
}

/** `name` starts with `__Host-` (AS-C6). The cookie lives as long as the browser, or `maxAge` seconds. */
export function setCookie (reply: FastifyReply, input: { name: string, value: string, maxAge?: number }): void {
  const { name, value, maxAge } = input
  const attributes = maxAge === undefined ? ATTRIBUTES : { ...ATTRIBUTES, maxAge }
  reply.header('set-cookie', fastifyCookie.serialize(name, value, attributes))
}

export function clearCookie (reply: FastifyReply, name: string): void {
  setCookie(reply, { name, value: '', maxAge: 0 })
}
