import type { Server } from 'node:net'
import { isLoopbackHost } from '../../protocol/issuer.js'
import { isLoopbackAddress } from '../../protocol/local-request.js'

/** The part of a server that matters here, whichever protocol it speaks. */
export type Listening = Pick<Server, 'address' | 'listen' | 'emit'>

/** Whether a server listens, and elsewhere than on the loopback interface. */
export function isOpenServer (server: Pick<Server, 'address'>): boolean {
  const address = server.address()
  if (address === null) return false
  return typeof address === 'string' || !isLoopbackAddress(address.address)
}

/** Where it is about to listen: `undefined` for a Unix socket, a handle, and every address of the machine. */
function hostOf ([first, second]: readonly unknown[]): unknown {
  if (typeof first !== 'object' || first === null) return second
  return 'host' in first && !('path' in first && first.path != null) ? first.host : undefined
}

/**
 * Lets a server fail that is about to listen beyond loopback, in the way in which it fails when its port is taken, so
 * that `listen` of the app rejects, or calls back, with the error. Fastify's own hook `onListen` comes too late for
 * that, and its errors are only logged. Asks `whyNot` at that moment. Does *not* see a server that listens already, nor
 * what a name such as `localhost` stands for: that has to be looked at request by request.
 */
export function watchListen (server: Listening, whyNot: () => Error | null): void {
  const listen = server.listen.bind(server) as (...args: readonly unknown[]) => Server
  const watched = (...args: readonly unknown[]): unknown => {
    const host = hostOf(args)
    const error = typeof host === 'string' && isLoopbackHost(host) ? null : whyNot()
    if (error === null) return listen(...args)
    process.nextTick(() => { server.emit('error', error) })
    return server
  }
  server.listen = watched as Server['listen']
}
