import type { FastifyReply } from 'fastify'

/** Seconds: a store is restarted sooner than a quota is free again. */
const SECONDS: Readonly<Record<number, string>> = { 429: '60', 503: '5' }

/** Sets `Retry-After` on the statuses with which waiting helps (AS-T15), unless somebody knew better. */
export function sayWhenToRetry (reply: FastifyReply, status: number): void {
  const seconds = SECONDS[status]
  if (seconds !== undefined && !reply.hasHeader('retry-after')) reply.header('retry-after', seconds)
}
