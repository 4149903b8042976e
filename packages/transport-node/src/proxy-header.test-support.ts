/** Headers of the PROXY protocol as senders write them, for tests. */

export const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

export function tlv(type: number, value: Uint8Array | string): Buffer {
  const octets = Buffer.from(value);
  return Buffer.concat([Buffer.of(type, octets.length >> 8, octets.length & 0xff), octets]);
}

/** Version 2, with the fields as they are on the wire. */
export function version2(
  versionAndCommand: number,
  familyAndProtocol: number,
  ...parts: Uint8Array[]
): Buffer {
  const block = Buffer.concat(parts);
  const fixed = Buffer.of(versionAndCommand, familyAndProtocol, block.length >> 8, block.length & 0xff);
  return Buffer.concat([SIGNATURE, fixed, block]);
}

/** 192.0.2.1:56324 to 198.51.100.2:25. */
export const IPV4_BLOCK = Buffer.of(192, 0, 2, 1, 198, 51, 100, 2, 56324 >> 8, 56324 & 0xff, 0, 25);

/** [2001:db8::1]:56324 to [2001:db8::2]:25. */
export const IPV6_BLOCK = Buffer.from(
  `20010db8000000000000000000000001${'20010db8000000000000000000000002'}dc040019`,
  'hex',
);
