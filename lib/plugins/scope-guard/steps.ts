import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../../../types/principal.js'
import { buildListFilter } from './answers/list-filter.js'
import { buildBindings } from './bindings.js'
import { buildNarrowing } from './narrowing.js'
import type { Settings } from './settings.js'
import type { Reading, Wish } from './wish.js'

/** A step after everything was allowed and before the handler runs: it says what becomes of the answer. */
export type Answering = (request: FastifyRequest, reply: FastifyReply, wish: Wish, principal: Principal) => void

/** The steps between reading the message and deciding, in the order of requirements 0. Made once, at boot. */
export function buildReadings ({ bindings, tagLimits }: Settings): readonly Reading[] {
  return [
    buildNarrowing(tagLimits),
    buildBindings(bindings).take
  ]
}

/** The steps between deciding and the handler. Made once, at boot. */
export function buildAnswerings (settings: Settings): readonly Answering[] {
  const { bindings } = settings
  return [
    buildListFilter(settings),
    buildBindings(bindings).give,
    (request, reply, _wish, principal) => { bindings.streams.watch(request, reply, principal) }
  ]
}
