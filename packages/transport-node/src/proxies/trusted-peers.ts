/**
 * Who may say on whose behalf they connect (the PROXY protocol, XCLIENT, XFORWARD): a list of addresses.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';
import type { PeerInformation } from '@sansmtp/transport';
import { canonicalAddress } from '../canonical-address.js';

const IPV4_MAPPED_PREFIX = 96;

/** Address, and prefix length if there is a `/`. */
const ENTRY = /^([0-9a-f:.]+)(?:\/(0|[1-9]\d{0,2}))?$/i;

interface Block {
  readonly network: string;
  readonly prefix: number;
}

function parseBlock(entry: string): Block | undefined {
  const [, address = '', prefixText] = ENTRY.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const prefix = prefixText === undefined ? undefined : Number(prefixText);
  if (prefix !== undefined && prefix > (version === 4 ? 32 : 128)) return undefined;

  const network = canonicalAddress(address);
  if (!isIPv4(network)) return { network, prefix: prefix ?? 128 };
  if (version === 4 || prefix === undefined) return { network, prefix: prefix ?? 32 };
  // A shorter prefix of an IPv4-mapped address leaves open what part of it is mapped.
  return prefix < IPV4_MAPPED_PREFIX ? undefined : { network, prefix: prefix - IPV4_MAPPED_PREFIX };
}

/**
 * Tells the peers on the list from all others.
 * @param list addresses (`192.0.2.1`, `2001:db8::1`), blocks of them (`10.0.0.0/8`, `2001:db8::/32`; bits behind the
 *   prefix do not count), and `unix` for peers without an address. IPv4 peers are found by their IPv4 addresses,
 *   however they connected; `::/0` is for IPv6 only.
 * @throws {RangeError} an entry is none of these
 * @throws {TypeError} it is no list
 */
export function trustedPeers(list: readonly string[]): (peer: PeerInformation) => boolean {
  if (!Array.isArray(list)) {
    throw new TypeError(
      `The peers to trust are ${JSON.stringify(list)}; give a list, such as ['192.0.2.1', 'unix']`,
    );
  }
  // One for each version: in a common one, `::/0` would also be all of IPv4.
  const ipv4 = new BlockList();
  const ipv6 = new BlockList();
  for (const entry of list) {
    if (entry === 'unix') continue;
    const block = parseBlock(entry);
    if (block === undefined) {
      throw new RangeError(
        `${JSON.stringify(entry)} is no peer to trust: it takes an address, an address with /prefix length, or unix`,
      );
    }
    if (isIPv4(block.network)) ipv4.addSubnet(block.network, block.prefix, 'ipv4');
    else ipv6.addSubnet(block.network, block.prefix, 'ipv6');
  }
  const trustsUnix = list.includes('unix');
  // A look into an empty list would cost each connection microseconds.
  const trustsAddresses = list.some((entry) => entry !== 'unix');

  return (peer) => {
    if (peer.address === undefined) return trustsUnix;
    if (!trustsAddresses) return false;
    const address = canonicalAddress(peer.address);
    switch (isIP(address)) {
      case 4:
        return ipv4.check(address, 'ipv4');
      case 6:
        return ipv6.check(address, 'ipv6');
      default:
        return false;
    }
  };
}
