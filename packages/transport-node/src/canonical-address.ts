/**
 * One spelling for each host address. What is limited, listed or logged by address must not depend on how
 * somebody chose to write it.
 */
import { isIPv6, SocketAddress } from 'node:net';

const IPV4_MAPPED = '::ffff:';

/**
 * IPv6 in lower case and compressed (RFC 5952), without a zone; an IPv4-mapped address (RFC 4291 §2.5.5.2) as the
 * IPv4 address that it stands for. Anything else is given back as it is.
 */
export function canonicalAddress(address: string): string {
  // Nothing without a colon is one, and to find that out by what is none costs each connection a microsecond.
  if (!address.includes(':') || !isIPv6(address)) return address;
  const canonical = new SocketAddress({ family: 'ipv6', address }).address;
  return canonical.startsWith(IPV4_MAPPED) && canonical.includes('.')
    ? canonical.slice(IPV4_MAPPED.length)
    : canonical;
}
