import { BlockList, isIP } from 'node:net'

export type IsWithin = (address: string | undefined) => boolean

const NETWORK = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/

/**
 * Whether an address is one of these or lies in one of these networks: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. An
 * IPv4 address is the same when it is written as IPv6 (`::ffff:192.0.2.7`). No address is in none.
 * @throws {TypeError} whose message starts with the position of the wrong one: `0 must be ...`.
 */
export function readNetworks (networks: readonly string[]): IsWithin {
  const list = new BlockList()
  for (const [position, network] of networks.entries()) {
    const [, address = '', prefix] = NETWORK.exec(network) ?? []
    const family = isIP(address)
    const bits = family === 6 ? 128 : 32
    if (family === 0 || Number(prefix ?? bits) > bits) {
      throw new TypeError(`${position} must be an IP address, or a network as 10.0.0.0/8`)
    }
    list.addSubnet(address, Number(prefix ?? bits), family === 6 ? 'ipv6' : 'ipv4')
  }
  return (address = '') => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}

const IPV4 = /^(\d{1,3}(?:\.\d{1,3}){2})\.\d{1,3}$/

/** The network that an address is counted with: an IPv4 address by its /24, all else, IPv6 by its /64, as it is. */
export function networkOf (address: string): string {
  return IPV4.exec(address)?.[1] ?? address
}
