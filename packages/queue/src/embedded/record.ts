/**
 * A record of the journal: three little-endian numbers of 32 bits (octets of the JSON, octets of the body, checksum), the
 * JSON, the body.
 *
 * The checksum begins with that of the record before it. So what an earlier failure left in the file never reads as the
 * record that follows, even if it once was one; nor does a body that someone sends in the shape of a record.
 */
import { crc32 } from 'node:zlib';

const HEADER_OCTETS = 12;
const CHECKED_HEADER_OCTETS = 8;

export interface DecodedRecord {
  readonly json: unknown;
  /** Where its body begins, from the beginning of what was read. */
  readonly bodyStart: number;
  readonly bodyLength: number;
  /** Where it ends, and the next one begins. */
  readonly end: number;
  readonly checksum: number;
}

const NO_BODY = new Uint8Array(0);

/** @param previous the checksum of the record before it, or of the segment */
export function encodeRecord(
  json: unknown,
  body: Uint8Array = NO_BODY,
): { readonly octets: number; readonly write: (previous: number) => Buffer } {
  const text = Buffer.from(JSON.stringify(json));
  const octets = HEADER_OCTETS + text.length + body.length;
  return {
    octets,
    write(previous) {
      const record = Buffer.allocUnsafe(octets);
      record.writeUInt32LE(text.length, 0);
      record.writeUInt32LE(body.length, 4);
      record.set(text, HEADER_OCTETS);
      record.set(body, HEADER_OCTETS + text.length);
      record.writeUInt32LE(checksumOf(record, previous), CHECKED_HEADER_OCTETS);
      return record;
    },
  };
}

/** The checksum of a record that `encodeRecord` wrote. */
export function writtenChecksum(record: Buffer): number {
  return record.readUInt32LE(CHECKED_HEADER_OCTETS);
}

/** Undefined: no whole record begins there. */
export function decodeRecord(octets: Buffer, start: number, previous: number): DecodedRecord | undefined {
  if (octets.length - start < HEADER_OCTETS) return undefined;
  const textLength = octets.readUInt32LE(start);
  const bodyLength = octets.readUInt32LE(start + 4);
  const bodyStart = start + HEADER_OCTETS + textLength;
  const end = bodyStart + bodyLength;
  if (end > octets.length) return undefined;
  const record = octets.subarray(start, end);
  const checksum = writtenChecksum(record);
  if (checksum !== checksumOf(record, previous)) return undefined;
  const json: unknown = JSON.parse(octets.toString('utf8', start + HEADER_OCTETS, bodyStart));
  return { json, bodyStart, bodyLength, end, checksum };
}

function checksumOf(record: Buffer, previous: number): number {
  const header = crc32(record.subarray(0, CHECKED_HEADER_OCTETS), previous);
  return crc32(record.subarray(HEADER_OCTETS), header);
}
