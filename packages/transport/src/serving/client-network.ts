/**
 * What counts as one client where clients share something: connections, failures, time. Whoever has an IPv6 address
 * has all of its /64 (RFC 6177), so that is one client; an IPv4 address is one, however it is written.
 */
import type { PeerInformation } from '../streams/byte-stream.js';

const GROUPS = 8;
/** Groups of an IPv6 address that make its /64. */
const NETWORK_GROUPS = 4;

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** `a.b.c.d` as the last two groups of an IPv6 address. */
function groupsOfIpv4(address: string): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

/** The groups between colons; undefined where one is none. */
function parseGroups(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && IPV4.test(part)) groups.push(...groupsOfIpv4(part));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** The eight groups of an IPv6 address (RFC 4291 §2.2), its zone left out; undefined where it is none. */
function parseIpv6(address: string): readonly number[] | undefined {
  const [text = ''] = address.split('%', 1);
  const [before, after, more] = text.split('::');
  if (text.length > 45 || before === undefined || more !== undefined) return undefined;
  const head = parseGroups(before);
  const tail = after === undefined ? [] : parseGroups(after);
  if (head === undefined || tail === undefined) return undefined;
  const missing = GROUPS - head.length - tail.length;
  if (after === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The IPv4 address that an IPv6 socket writes in this form (RFC 4291 §2.5.5.2). */
function mappedIpv4(groups: readonly number[]): string | undefined {
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.') : undefined;
}

/**
 * The key under which a client's share is counted: its IPv4 address, or the /64 of its IPv6 address such as
 * `2001:db8:0:1::/64`. An IPv4-mapped address (`::ffff:192.0.2.1`) counts as the IPv4 address. Whatever else stands where
 * an address should, such as a host name of a transport of one's own, counts as it is.
 *
 * @returns undefined where nothing is to be counted: loopback (127.0.0.0/8, `::1`), and peers without an address, as on
 *   Unix sockets and in memory
 */
export function clientNetwork({ address }: Pick<PeerInformation, 'address'>): string | undefined {
  if (address === undefined || address === '') return undefined;
  const groups = IPV4.test(address) ? undefined : parseIpv6(address);
  const ipv4 = groups === undefined ? address : mappedIpv4(groups);
  if (ipv4 !== undefined) return IPV4.test(ipv4) && ipv4.startsWith('127.') ? undefined : ipv4;
  if (groups?.every((group, index) => group === (index === GROUPS - 1 ? 1 : 0))) return undefined;
  const network = groups?.slice(0, NETWORK_GROUPS).map((group) => group.toString(16));
  return `${network?.join(':')}::/64`;
}
