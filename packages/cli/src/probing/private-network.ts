/**
 * Whom `probe` may judge: what is on this machine or in a private network. It is decided on the addresses that a name was
 * resolved to, and one of these is then connected to: a name that says something else later changes nothing.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv6 } from 'node:net';

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8], // RFC 1122 §3.2.1.3
  ['10.0.0.0', 8], // RFC 1918 §3
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16], // RFC 3927
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::1', 128], // RFC 4291 §2.5.3
  ['fc00::', 7], // RFC 4193
  ['fe80::', 10], // RFC 4291 §2.5.6
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv6');
}

/** Whether an IP address is of this machine, or of a network that the Internet does not route. */
export function isPrivateAddress(address: string): boolean {
  const [withoutZone = ''] = address.split('%');
  if (isIP(withoutZone) === 0) return false;
  // An IPv4 address in an IPv6 one is looked for among the IPv4 networks.
  return PRIVATE.check(withoutZone, isIPv6(withoutZone) ? 'ipv6' : 'ipv4');
}

/**
 * The addresses of a host that may be connected to.
 * @throws {Error} (rejects) the host is not known
 */
export async function addressesOf(
  host: string,
  { everywhere }: { readonly everywhere: boolean },
): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  const addresses = found.map(({ address }) => address);
  return everywhere ? addresses : addresses.filter(isPrivateAddress);
}
