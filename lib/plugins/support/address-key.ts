import { normalizeIP } from '@fastify/rate-limit'

const MAX_REMEMBERED = 10_000
const MAX_LENGTH = 64

/**
 * Answers by what an address is counted: IPv4 as it is, also when mapped into IPv6, and IPv6 by its /64, since that is
 * what one customer gets. What is no address, as behind a proxy that says something else, counts as the text it is.
 */
export function addressKeys (): (address: string | undefined) => string {
  // Reading an IPv6 address takes longer than everything else that a limit does.
  const remembered = new Map<string, string>()

  return (address = '') => {
    const text = address.slice(0, MAX_LENGTH)
    if (!text.includes(':')) return text
    const known = remembered.get(text)
    if (known !== undefined) return known
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    const key = normalizeIP(text, 64)
    remembered.set(text, key)
    return key
  }
}
