import type { FastifyBaseLogger } from 'fastify'
import type { Keyring } from '../../crypto/keyring.js'

/**
 * Looks after the signing keys until stopped: when another instance says that it changed them, and every so many
 * seconds, since nobody may have said it and the next one may be due. A look that fails is logged and the next one
 * tries again. Does not keep the process alive.
 * @throws {StoreUnavailableError} when nobody can be listened to.
 */
export async function startKeyKeeping ({ keyring, log }: {
  readonly keyring: Pick<Keyring, 'refresh' | 'listen' | 'lookAgainAfter'>
  readonly log: Pick<FastifyBaseLogger, 'warn'>
}): Promise<{ stop (): Promise<void> }> {
  const stopListening = await keyring.listen()
  let isOver = false
  let round = Promise.resolve()
  let timer = later()

  function later (): NodeJS.Timeout {
    return setTimeout(() => { round = look() }, keyring.lookAgainAfter * 1000).unref()
  }

  async function look (): Promise<void> {
    try {
      await keyring.refresh()
    } catch (error) {
      log.warn({ err: error }, 'looking after the signing keys failed')
    }
    if (!isOver) timer = later()
  }

  return {
    async stop () {
      isOver = true
      clearTimeout(timer)
      await stopListening()
      await round
    }
  }
}
