import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'

const waiting = Symbol('mcp-security-waiting-headers')
const original = Symbol('mcp-security-write-head')
const registered = Symbol.for('mcp-security-carried-headers')

/** A response, and the reply whose headers it still lacks. */
interface Waiting {
  [waiting]: FastifyReply | null
  [original]: ServerResponse['writeHead']
}

function copyHeaders (reply: FastifyReply): void {
  const { raw } = reply
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined && !raw.hasHeader(name)) raw.setHeader(name, value)
  }
}

/** Puts the headers that wait into the response at once, for somebody who has to see them before they are sent. */
export function carryWaiting (raw: ServerResponse & Partial<Waiting>): void {
  const reply = raw[waiting] ?? null
  if (reply === null) return
  raw[waiting] = null
  copyHeaders(reply)
}

/** Every way of writing to a response ends here. What the writer gives wins over what waits. */
function writeHead (this: ServerResponse & Waiting, ...args: unknown[]) {
  carryWaiting(this)
  return Reflect.apply(this[original], this, args)
}

/**
 * Puts what was set by `reply.header` under answers that a handler writes to `reply.raw`, as the MCP transports do:
 * Fastify alone would lose it. Done as late as possible, since headers on `reply.raw` make every answer slow.
 */
export function carryHeaders (fastify: FastifyInstance): void {
  if (fastify.hasDecorator(registered)) return
  fastify.decorate(registered, true)

  fastify.addHook('preHandler', (_request, reply, done) => {
    const raw: ServerResponse & Partial<Waiting> = reply.raw
    raw[waiting] = reply
    raw[original] = raw.writeHead
    raw.writeHead = writeHead
    done()
  })
  // Fastify answers by itself, and gives every header to `writeHead`.
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    const raw: ServerResponse & Partial<Waiting> = reply.raw
    raw[waiting] = null
    done()
  })
}
