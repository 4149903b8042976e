/**
 * A record of the journal: five little-endian numbers of 32 bits, a JSON text, a body. The numbers are: octets of the text,
 * octets of the body, the checksum of the record before it, that of the body, and that of all this and the text.
 *
 * Each record names the one before it. So what an earlier failure left in the file never reads as the record that follows,
 * even if it once was one; nor does a body that someone sends in the shape of a record. Text and body have checksums of
 * their own, because the one is often read without the other.
 */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';

export const HEADER_OCTETS = 20;

const CHECKED_HEADER_OCTETS = 16;

const NO_BODY = new Uint8Array(0);

export interface RecordHeader {
  readonly textLength: number;
  readonly bodyLength: number;
  /** The checksum of the record before it. */
  readonly previous: number;
  readonly bodyChecksum: number;
  readonly checksum: number;
}

export interface EncodedRecord {
  /** Of all of it. */
  readonly octets: number;
  /** @param previous the checksum of the record before it, or what the segment begins with */
  write(previous: number): Buffer;
}

export function encodeRecord(json: unknown, body: Uint8Array = NO_BODY): EncodedRecord {
  const text = Buffer.from(JSON.stringify(json));
  const octets = HEADER_OCTETS + text.length + body.length;
  return {
    octets,
    write(previous) {
      const record = Buffer.allocUnsafe(octets);
      record.writeUInt32LE(text.length, 0);
      record.writeUInt32LE(body.length, 4);
      record.writeUInt32LE(previous, 8);
      record.writeUInt32LE(crc32(body), 12);
      record.set(text, HEADER_OCTETS);
      record.set(body, HEADER_OCTETS + text.length);
      record.writeUInt32LE(checksumOf(record, text.length), CHECKED_HEADER_OCTETS);
      return record;
    },
  };
}

/** Of 20 octets at least. */
export function readHeader(octets: Buffer): RecordHeader {
  return {
    textLength: octets.readUInt32LE(0),
    bodyLength: octets.readUInt32LE(4),
    previous: octets.readUInt32LE(8),
    bodyChecksum: octets.readUInt32LE(12),
    checksum: octets.readUInt32LE(CHECKED_HEADER_OCTETS),
  };
}

/** The JSON of a record of which the header and the text were read; undefined: it is not whole. */
export function decodeText(octets: Buffer, { textLength, checksum }: RecordHeader): unknown {
  if (HEADER_OCTETS + textLength > octets.length || checksum !== checksumOf(octets, textLength))
    return undefined;
  return JSON.parse(octets.toString('utf8', HEADER_OCTETS, HEADER_OCTETS + textLength));
}

export function isBodyWhole(body: Uint8Array, { bodyLength, bodyChecksum }: RecordHeader): boolean {
  return body.length === bodyLength && crc32(body) === bodyChecksum;
}

export interface DecodedRecord {
  readonly json: unknown;
  readonly body: Buffer;
  /** Of all of it. */
  readonly octets: number;
  readonly checksum: number;
}

/**
 * The record that these octets begin with.
 * @param previous the checksum of the record before it
 * @returns undefined: no whole record follows that one
 */
export function decodeRecord(octets: Buffer, previous: number): DecodedRecord | undefined {
  if (octets.length < HEADER_OCTETS) return undefined;
  const header = readHeader(octets);
  const bodyStart = HEADER_OCTETS + header.textLength;
  const end = bodyStart + header.bodyLength;
  if (end > octets.length || header.previous !== previous) return undefined;
  const body = octets.subarray(bodyStart, end);
  const json = decodeText(octets, header);
  if (json === undefined || !isBodyWhole(body, header)) return undefined;
  return { json, body, octets: end, checksum: header.checksum };
}

/** What the checksum of a record should be, by its header and text. */
export function textChecksum(octets: Buffer, { textLength }: RecordHeader): number {
  return checksumOf(octets, textLength);
}

function checksumOf(record: Buffer, textLength: number): number {
  const header = crc32(record.subarray(0, CHECKED_HEADER_OCTETS));
  return crc32(record.subarray(HEADER_OCTETS, HEADER_OCTETS + textLength), header);
}

/** The checksum of a record that `encodeRecord` wrote. */
export function writtenChecksum(record: Buffer): number {
  return record.readUInt32LE(CHECKED_HEADER_OCTETS);
}
