const MAX_BLOCK = 512
const SMALL_BLOCK = 16

/**
 * Ids in ascending order of their UTF-16 code units, each once. In blocks, so that adding one to a million moves a
 * few hundred. Plain arrays, because a store has one of these for each index value.
 */
export type OrderedIds = string[][]

/** The first of `length` positions that does not hold, when all that hold come before all that do not. */
function firstNot (length: number, holds: (position: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) low = middle + 1
    else high = middle
  }
  return low
}

/** The block that has the id if any has: the last one that starts at or before it, or the very first. */
function blockOf (ids: OrderedIds, id: string): number {
  return Math.max(0, firstNot(ids.length, (position) => ids[position]![0]! <= id) - 1)
}

function placeIn (block: readonly string[], id: string): number {
  return firstNot(block.length, (position) => block[position]! < id)
}

/** Adds an id; changes nothing when it is there. */
export function addId (ids: OrderedIds, id: string): void {
  const at = blockOf(ids, id)
  const block = ids[at]
  if (block === undefined) {
    ids.push([id])
    return
  }
  const place = placeIn(block, id)
  if (block[place] === id) return
  if (block.length < SMALL_BLOCK) {
    // An array that grows makes room for many more, which most of the small ones never need.
    ids[at] = block.toSpliced(place, 0, id)
    return
  }
  block.splice(place, 0, id)
  if (block.length > MAX_BLOCK) ids.splice(at + 1, 0, block.splice(MAX_BLOCK / 2))
}

/** Removes an id; changes nothing when it is not there. */
export function removeId (ids: OrderedIds, id: string): void {
  const at = blockOf(ids, id)
  const block = ids[at] ?? []
  const place = placeIn(block, id)
  if (block[place] !== id) return
  block.splice(place, 1)
  if (block.length === 0) ids.splice(at, 1)
}

/** The ids that come after `after`, in order; all of them when it is left out. */
export function * idsAfter (ids: OrderedIds, after = ''): Generator<string> {
  for (let at = blockOf(ids, after); at < ids.length; at++) {
    for (const id of ids[at]!) if (id > after) yield id
  }
}
