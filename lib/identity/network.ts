import { isIPv6 } from 'node:net'

const MAPPED_IPV4 = /^(?:0*:)*:?ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i

/**
 * What one attacker can be told by: an IPv4 address, or the first 64 bits of an IPv6 one, within which everybody can
 * have as many addresses as they like. An IPv4 address in IPv6 clothes is the IPv4 address. Other text stays as it is.
 */
export function networkOf (address: string): string {
  const [, mapped] = MAPPED_IPV4.exec(address) ?? []
  if (mapped !== undefined) return mapped
  return isIPv6(address) ? `${firstHalf(address)}::/64` : address
}

function firstHalf (address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = groupsOf(head)
  if (tail !== undefined) {
    const missing = Math.max(0, 8 - groups.length - groupsOf(tail).length)
    groups.push(...Array.from({ length: missing }, () => '0'), ...groupsOf(tail))
  }
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':')
}

function groupsOf (text: string): string[] {
  return text === '' ? [] : text.split(':')
}
