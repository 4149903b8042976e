/**
 * The header of HAProxy's PROXY protocol, versions 1 and 2 (sections cited are those of its `proxy-protocol.txt`):
 * with it a proxy tells, before the first octet of its client, who the client is.
 *
 * Octets in, a verdict out. Invariants: the verdict on some octets is final, whatever follows them, unless it is
 * `more`; `more` is never the verdict on more octets than a header may have; an address comes out in its canonical
 * form, however it was written.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { canonicalAddress } from '../canonical-address.js';

export interface ProxiedHost {
  readonly address: string;
  readonly port: number;
}

export interface ProxiedPath {
  /** Empty for a socket without a name; begins with NUL for a name in the abstract namespace of Linux. */
  readonly path: string;
}

/** What a sender of version 2 adds (section 2.2), such as `PP2_TYPE_AUTHORITY`, 2. Padding is left out. */
export interface ProxyTlv {
  readonly type: number;
  readonly value: Uint8Array;
}

export type ProxyHeader =
  /** Relayed over TCP. An IPv4-mapped IPv6 address is given as the IPv4 address. */
  | {
      readonly version: 1 | 2;
      readonly command: 'proxy';
      readonly family: 'tcp4' | 'tcp6';
      readonly source: ProxiedHost;
      readonly destination: ProxiedHost;
      readonly tlvs: readonly ProxyTlv[];
    }
  | {
      readonly version: 2;
      readonly command: 'proxy';
      readonly family: 'unix';
      readonly source: ProxiedPath;
      readonly destination: ProxiedPath;
      readonly tlvs: readonly ProxyTlv[];
    }
  /** `proxy`: relayed for somebody whom the proxy cannot name. `local`: the proxy speaks for itself. */
  | {
      readonly version: 1 | 2;
      readonly command: 'proxy' | 'local';
      readonly family: 'unknown';
    };

export type ProxyHeaderVerdict =
  /** So far it is a header, and goes on. */
  | { readonly type: 'more' }
  /** The client's octets begin behind the first `consumed` ones. */
  | { readonly type: 'header'; readonly header: ProxyHeader; readonly consumed: number }
  | { readonly type: 'malformed'; readonly reason: string };

/** Both formats were made to fit into the smallest TCP segment that every host has to take (section 2). */
export const DEFAULT_MAXIMUM_HEADER_OCTETS = 536;

/** Section 2.1, with the CRLF. */
const LONGEST_LINE = 107;

const CR = 0x0d;
const LF = 0x0a;
const LINE_START = Uint8Array.from('PROXY ', (character) => character.charCodeAt(0));
const SIGNATURE = Uint8Array.of(CR, LF, CR, LF, 0, CR, LF, 0x51, 0x55, 0x49, 0x54, LF);
export const FIXED_PART = 16;

const MORE: ProxyHeaderVerdict = { type: 'more' };

function malformed(reason: string): ProxyHeaderVerdict {
  return { type: 'malformed', reason };
}

/** As far as both go. */
function agree(octets: Uint8Array, expected: Uint8Array): boolean {
  return expected.every((octet, index) => index >= octets.length || octets[index] === octet);
}

function parsePort(text: string): number | undefined {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65535 ? port : undefined;
}

/** Zones mean nothing on another host. */
function isPlainIPv6(address: string): boolean {
  return isIPv6(address) && !address.includes('%');
}

/** Section 2.1: the line without its CRLF. */
function parseLine(line: string): ProxyHeader | string {
  // What stands behind UNKNOWN is to be ignored.
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { version: 1, command: 'proxy', family: 'unknown' };

  const [, protocol, source, destination, sourceText, destinationText, ...others] = line.split(' ');
  if (protocol !== 'TCP4' && protocol !== 'TCP6') {
    return 'behind PROXY comes neither TCP4 nor TCP6 nor UNKNOWN';
  }
  if (source === undefined || destination === undefined) return 'an address is missing';
  if (sourceText === undefined || destinationText === undefined) return 'a port is missing';
  if (others.length > 0) return 'more stands behind the ports';

  const isAddress = protocol === 'TCP4' ? isIPv4 : isPlainIPv6;
  if (!isAddress(source) || !isAddress(destination)) return `an address is not one of ${protocol}`;
  const sourcePort = parsePort(sourceText);
  const destinationPort = parsePort(destinationText);
  if (sourcePort === undefined || destinationPort === undefined) {
    return 'a port is not a number from 0 to 65535 without leading zeros';
  }
  return {
    version: 1,
    command: 'proxy',
    family: protocol === 'TCP4' ? 'tcp4' : 'tcp6',
    source: { address: canonicalAddress(source), port: sourcePort },
    destination: { address: canonicalAddress(destination), port: destinationPort },
    tlvs: [],
  };
}

function parseVersion1(octets: Uint8Array): ProxyHeaderVerdict {
  const end = octets.findIndex((octet) => octet === CR || octet === LF);
  if (end === -1 || end > LONGEST_LINE - 2) {
    return octets.length < LONGEST_LINE - 1
      ? MORE
      : malformed(`its line has no CRLF within the ${LONGEST_LINE} octets that are allowed`);
  }
  if (octets[end] === LF) return malformed('a bare LF stands in its line');
  if (octets.length === end + 1) return MORE;
  if (octets[end + 1] !== LF) return malformed('a bare CR stands in its line');

  const header = parseLine(String.fromCharCode(...octets.subarray(0, end)));
  return typeof header === 'string' ? malformed(header) : { type: 'header', header, consumed: end + 2 };
}

function uint16(octets: Uint8Array, at: number): number {
  return new DataView(octets.buffer, octets.byteOffset).getUint16(at);
}

function uint32(octets: Uint8Array, at: number): number {
  return new DataView(octets.buffer, octets.byteOffset).getUint32(at);
}

/** Not by `slice`: that of a Buffer, as sockets give them, shares the octets. */
function copy(octets: Uint8Array): Uint8Array {
  return new Uint8Array(octets);
}

/** Vectors of type, length and value that fill all the octets; undefined if they do not. */
function parseTlvs(octets: Uint8Array): ProxyTlv[] | undefined {
  const tlvs: ProxyTlv[] = [];
  for (let at = 0; at < octets.length; ) {
    if (at + 3 > octets.length) return undefined;
    const end = at + 3 + uint16(octets, at + 1);
    if (end > octets.length) return undefined;
    tlvs.push({ type: octets[at] ?? 0, value: copy(octets.subarray(at + 3, end)) });
    at = end;
  }
  return tlvs;
}

const TLV_CHECKSUM = 0x03;
const TLV_PADDING = 0x04;
const TLV_SSL = 0x20;
/** In front of the vectors within `PP2_TYPE_SSL`: what the client did, and how its certificate was verified. */
const SSL_FIXED_PART = 5;

/** CRC-32C (RFC 4960, appendix B), bit by bit: a header is short. */
function checksum(octets: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const octet of octets) {
    remainder ^= octet;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  }
  return ~remainder >>> 0;
}

/** Section 2.2.3. @param tlvsAt where the vectors begin */
function hasWrongChecksum(header: Uint8Array, tlvs: readonly ProxyTlv[], tlvsAt: number): boolean {
  let at = tlvsAt;
  for (const { type, value } of tlvs) {
    if (type === TLV_CHECKSUM) {
      if (value.length !== 4) return true;
      const zeroed = copy(header).fill(0, at + 3, at + 7);
      if (checksum(zeroed) !== uint32(value, 0)) return true;
    }
    at += 3 + value.length;
  }
  return false;
}

function hasMalformedSsl(tlvs: readonly ProxyTlv[]): boolean {
  return tlvs.some(
    ({ type, value }) =>
      type === TLV_SSL &&
      (value.length < SSL_FIXED_PART || parseTlvs(value.subarray(SSL_FIXED_PART)) === undefined),
  );
}

function formatIPv6(octets: Uint8Array): string {
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((at) => uint16(octets, at).toString(16));
  return canonicalAddress(groups.join(':'));
}

function formatPath(octets: Uint8Array): string {
  // The first octet of a name in the abstract namespace is NUL, so the end is looked for behind it.
  const end = octets.indexOf(0, 1);
  const path = Buffer.from(octets.subarray(0, end === -1 ? octets.length : end)).toString();
  return path === '\0' ? '' : path;
}

/** The octets that both addresses take, ports included, by the upper half of the 14th octet. */
const ADDRESS_OCTETS = [0, 12, 36, 216];
const UNSPECIFIED = 0;
const IPV4 = 1;
const IPV6 = 2;
const STREAM = 1;

/** The address block, whose length is checked. */
function readAddresses(family: number, block: Uint8Array, tlvs: readonly ProxyTlv[]): ProxyHeader {
  const common = { version: 2, command: 'proxy', tlvs } as const;
  if (family === IPV4) {
    return {
      ...common,
      family: 'tcp4',
      source: { address: block.subarray(0, 4).join('.'), port: uint16(block, 8) },
      destination: { address: block.subarray(4, 8).join('.'), port: uint16(block, 10) },
    };
  }
  if (family === IPV6) {
    return {
      ...common,
      family: 'tcp6',
      source: { address: formatIPv6(block.subarray(0, 16)), port: uint16(block, 32) },
      destination: { address: formatIPv6(block.subarray(16, 32)), port: uint16(block, 34) },
    };
  }
  return {
    ...common,
    family: 'unix',
    source: { path: formatPath(block.subarray(0, 108)) },
    destination: { path: formatPath(block.subarray(108)) },
  };
}

/** Section 2.2, of which each octet is judged as soon as it is there. */
function parseVersion2(octets: Uint8Array, maximumOctets: number): ProxyHeaderVerdict {
  const [versionAndCommand, familyAndProtocol] = octets.subarray(SIGNATURE.length);
  if (versionAndCommand === undefined) return MORE;
  if (versionAndCommand >> 4 !== 2) return malformed(`its version is ${versionAndCommand >> 4}, not 2`);
  const command = versionAndCommand & 0x0f;
  if (command > 1) return malformed(`its command is ${command}, neither LOCAL (0) nor PROXY (1)`);

  if (familyAndProtocol === undefined) return MORE;
  const family = familyAndProtocol >> 4;
  const protocol = familyAndProtocol & 0x0f;
  const addressOctets = ADDRESS_OCTETS[family];
  // LOCAL: the whole block is to be ignored, the family too.
  if (command === 1) {
    if (addressOctets === undefined)
      return malformed(`its address family is ${family}, which is not assigned`);
    if (protocol > STREAM) return malformed(`its transport protocol is ${protocol}, not STREAM (1)`);
  }

  if (octets.length < FIXED_PART) return MORE;
  const end = FIXED_PART + uint16(octets, FIXED_PART - 2);
  if (end > maximumOctets) return malformed(`it has ${end} octets, and at most ${maximumOctets} are allowed`);
  const isUnknown = command === 0 || family === UNSPECIFIED || protocol !== STREAM;
  const tlvsAt = FIXED_PART + (addressOctets ?? 0);
  if (!isUnknown && tlvsAt > end) return malformed('it is too short for its addresses');
  if (octets.length < end) return MORE;

  if (isUnknown) {
    const header = { version: 2, command: command === 0 ? 'local' : 'proxy', family: 'unknown' } as const;
    return { type: 'header', header, consumed: end };
  }
  const tlvs = parseTlvs(octets.subarray(tlvsAt, end));
  if (tlvs === undefined) return malformed('its type-length-value vectors do not fill it');
  if (hasMalformedSsl(tlvs)) return malformed('the vectors within PP2_TYPE_SSL do not fill it');
  if (hasWrongChecksum(octets.subarray(0, end), tlvs, tlvsAt)) return malformed('its checksum is wrong');
  const given = tlvs.filter(({ type }) => type !== TLV_PADDING);
  const header = readAddresses(family, octets.subarray(FIXED_PART, tlvsAt), given);
  return { type: 'header', header, consumed: end };
}

/**
 * Reads a header. While the verdict is `more`, call again with the same octets and those that came since.
 * @param octets all that the sender has sent, from the first one on; more than the header does no harm
 * @param maximumOctets how long a header of version 2 may be, all in all; one of version 1 never has more than 107
 */
export function parseProxyHeader(
  octets: Uint8Array,
  maximumOctets: number = DEFAULT_MAXIMUM_HEADER_OCTETS,
): ProxyHeaderVerdict {
  if (agree(octets, SIGNATURE)) return parseVersion2(octets, maximumOctets);
  if (agree(octets, LINE_START)) return parseVersion1(octets);
  return malformed('it begins neither with PROXY and a space nor with the signature of version 2');
}
