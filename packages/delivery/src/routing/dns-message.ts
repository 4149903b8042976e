/**
 * A DNS message as dns-packet decodes it, in linear time. A name may end in a pointer to a name before it (RFC 1035 §4.1.4),
 * and that one too: thousands of names that end in one chain of thousands of pointers would stop the event loop for a second.
 */
import dnsPacket, { type DecodedPacket } from 'dns-packet';

/** Reads of two octets, such as a pointer is, for each octet of the message: several times what any real one has. */
const READS_AN_OCTET = 4;

/** Undefined for what is no DNS message, or one whose names cost more than there is in it. */
export function decodeMessage(octets: Buffer): DecodedPacket | undefined {
  let left = READS_AN_OCTET * octets.length;
  const read = octets.readUInt16BE;
  const counted = Object.assign(Buffer.from(octets), {
    readUInt16BE(this: Buffer, offset?: number): number {
      left -= 1;
      if (left < 0) throw new RangeError('The names of the message have too many pointers');
      return read.call(this, offset);
    },
  });
  try {
    return dnsPacket.decode(counted);
  } catch {
    return undefined;
  }
}
