/**
 * A segment: a file of the journal. It begins with a line that names the format, the segment and a random nonce; records follow;
 * when the next segment is begun, a summary of them, and a record that says where that is.
 *
 * The nonce is in the summary and in the end as well. Nobody outside knows it, so that no body which somebody sends, and
 * which a crash leaves at the end of a segment, is taken for these two.
 */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { QueueUnreadableError } from '../../contract/errors.js';
import type { FileSystem, StoreFile } from '../disk/file-system.js';
import {
  type DecodedRecord,
  decodeRecord,
  decodeText,
  encodeRecord,
  HEADER_OCTETS,
  readHeader,
  textChecksum,
  writtenChecksum,
} from './record.js';

/** The format of all files of a queue. Of any other one, a queue is refused. */
export const FORMAT = 2;

/** Where a record stands. */
export interface Place {
  /** The number of the segment. */
  readonly segment: number;
  /** From the beginning of the file. */
  readonly offset: number;
  readonly octets: number;
}

export interface Segment {
  readonly name: string;
  /** Higher than that of each segment before it in this directory. */
  readonly number: number;
  readonly nonce: string;
  octets: number;
  /** The checksum of its last record. */
  checksum: number;
  /** Whether it has a summary, and so takes no more records. */
  isSealed: boolean;
}

/** What is read of a segment. */
export interface SegmentReader {
  /** Instead of all its records. */
  summary(json: unknown, body: Buffer): void;
  /** One record after the other. */
  record(json: unknown, place: Place): void | Promise<void>;
  /** Records are missing among those. */
  damaged(damage: SegmentDamage): Promise<void>;
}

export interface SegmentDamage {
  readonly path: string;
  readonly name: string;
  /** Where the first record begins that is missing. */
  readonly offset: number;
  /** Octets of the file. */
  readonly size: number;
  /** All of it. */
  read(): AsyncIterable<Uint8Array>;
}

const NAME = /^journal-(\d{10})-(\d{10})$/;

const NONCE_OCTETS = 8;

/** Octets that are read first: the line, and the beginning of a record. */
const FIRST_READ = 128;

const COPIED_AT_ONCE = 65_536;

/** The names of segments among these, in the order in which they were written. */
export function segmentNames(names: readonly string[]): string[] {
  return names.filter((name) => NAME.test(name)).sort();
}

/** The epochs in which the segments among these names were written: each opening of the queue is one. */
export function epochsOf(names: readonly string[]): number[] {
  return names.flatMap((name) => NAME.exec(name)?.slice(1, 2).map(Number) ?? []);
}

export function numberOf(name: string): number {
  return Number(NAME.exec(name)?.[2]);
}

/** A segment that is to be begun, and the line it begins with. */
export function newSegment(epoch: number, number: number): { segment: Segment; line: Buffer } {
  const name = `journal-${`${epoch}`.padStart(10, '0')}-${`${number}`.padStart(10, '0')}`;
  const nonce = randomBytes(NONCE_OCTETS).toString('hex');
  const line = firstLine(name, nonce);
  const segment = { name, number, nonce, octets: line.length, checksum: crc32(line), isSealed: false };
  return { segment, line };
}

function firstLine(name: string, nonce: string): Buffer {
  return Buffer.from(`sansmtp queue, format ${FORMAT}, ${name}, ${nonce}\n`);
}

/** The summary and the end of a segment. */
export function encodeSeal(segment: Segment, json: object, body: Uint8Array): Buffer {
  const { nonce, octets, checksum } = segment;
  const summary = encodeRecord({ journal: 'summary', nonce, ...json }, body).write(checksum);
  const end = encodeRecord(endOf(nonce, octets)).write(writtenChecksum(summary));
  return Buffer.concat([summary, end]);
}

/** Always as long: it is found from the end of the file. */
function endOf(nonce: string, summary: number) {
  return { journal: 'end', nonce, summary: `${summary}`.padStart(10, '0') } as const;
}

const END_OCTETS = encodeRecord(endOf('0'.repeat(2 * NONCE_OCTETS), 0)).octets;

/**
 * Reads a segment: its summary, or if it has none, all its records. What is damaged among those is passed over, and reported
 * unless it was the summary.
 * @param isLast it may be torn at its end, which is cut off
 * @throws {QueueUnreadableError} it is of another format
 */
export async function readSegment(
  files: FileSystem,
  directory: string,
  name: string,
  isLast: boolean,
  reader: SegmentReader,
): Promise<Segment> {
  const path = join(directory, name);
  const file = await files.open(path);
  try {
    const size = await file.size();
    const start = await readFirstLine(file, name, directory);
    const segment: Segment = { name, number: numberOf(name), isSealed: false, ...start };
    if (await readSummary(file, segment, size, reader)) return segment;
    const damage = await readRecords(file, segment, { size, isLast, reader });
    if (damage !== undefined) {
      await reader.damaged({ path, name, offset: damage, size, read: () => chunksOf(file, size) });
    }
    if (segment.octets < size && isLast) {
      // Never acknowledged. It is cut off before the next segment is begun, and so is never taken for damage.
      await file.truncate(segment.octets);
      await file.sync();
    }
    return segment;
  } finally {
    await file.close();
  }
}

async function* chunksOf(file: StoreFile, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += COPIED_AT_ONCE) {
    yield await file.read(at, Math.min(COPIED_AT_ONCE, size - at));
  }
}

/** An empty nonce: the line is not whole. */
async function readFirstLine(
  file: StoreFile,
  name: string,
  directory: string,
): Promise<Pick<Segment, 'nonce' | 'octets' | 'checksum'>> {
  const octets = Buffer.from(await file.read(0, FIRST_READ));
  const text = octets.toString('latin1');
  const format = /^sansmtp queue, format (\d+),/.exec(text)?.[1];
  if (format !== undefined && Number(format) > FORMAT) {
    throw new QueueUnreadableError(
      `${name} has the format ${format}, and this version reads ${FORMAT}: a newer version has written it`,
    );
  }
  if (text.slice(12).startsWith('{"t":"segment","format":1}')) {
    throw new QueueUnreadableError(
      `${name} has the format 1, and this version reads ${FORMAT}: a version that was never released has written it. ` +
        `Let that one deliver what is in ${directory}, or choose another directory`,
    );
  }
  const beginning = `sansmtp queue, format ${FORMAT}, ${name}, `;
  const nonce = text.startsWith(beginning)
    ? (/^([0-9a-f]{16})\n/.exec(text.slice(beginning.length))?.[1] ?? '')
    : '';
  const line = firstLine(name, nonce || '0'.repeat(2 * NONCE_OCTETS));
  if (nonce === '') {
    // Records come after the first line is safe: before it is, there is none. Otherwise the first one says what it was.
    if (octets.length < line.length + HEADER_OCTETS) return { nonce, octets: 0, checksum: 0 };
    return { nonce, octets: line.length, checksum: readHeader(octets.subarray(line.length)).previous };
  }
  return { nonce, octets: line.length, checksum: crc32(line) };
}

/** False: it has no summary that is whole. */
async function readSummary(
  file: StoreFile,
  segment: Segment,
  size: number,
  reader: SegmentReader,
): Promise<boolean> {
  const endStart = size - END_OCTETS;
  if (segment.nonce === '' || endStart < segment.octets) return false;
  const end = Buffer.from(await file.read(endStart, END_OCTETS));
  const summaryStart = summaryOf(end, segment);
  if (summaryStart === undefined) return false;
  if (summaryStart < segment.octets || endStart - summaryStart < HEADER_OCTETS) return false;
  const octets = Buffer.from(await file.read(summaryStart, endStart - summaryStart));
  const summary = decodeRecord(octets, readHeader(octets).previous);
  if (summary === undefined || summary.checksum !== readHeader(end).previous) return false;
  if ((summary.json as { readonly nonce?: unknown }).nonce !== segment.nonce) return false;
  reader.summary(summary.json, summary.body);
  Object.assign(segment, { octets: size, isSealed: true });
  return true;
}

/** Where the summary of a segment begins, by its last octets; undefined: they are no end. */
function summaryOf(end: Buffer, { nonce }: Segment): number | undefined {
  if (nonce === '' || end.length < END_OCTETS) return undefined;
  const said = decodeRecord(end, readHeader(end).previous)?.json as ReturnType<typeof endOf> | undefined;
  return said?.journal === 'end' && said.nonce === nonce ? Number(said.summary) : undefined;
}

/**
 * Reads all whole records.
 * @returns where the first one begins that is missing; undefined: none is
 */
async function readRecords(
  file: StoreFile,
  segment: Segment,
  {
    size,
    isLast,
    reader,
  }: { readonly size: number; readonly isLast: boolean; readonly reader: SegmentReader },
): Promise<number | undefined> {
  const { buffer, byteOffset, byteLength } = await file.read(0, size);
  const octets = Buffer.from(buffer, byteOffset, byteLength);
  let damage: number | undefined;
  let hasSummary = false;
  while (segment.octets < size) {
    const rest = octets.subarray(segment.octets);
    const record = decodeRecord(rest, segment.checksum) ?? recordBeforeAnother(rest, segment.checksum);
    if (record === undefined) break;
    const { json } = record;
    if (json === undefined) damage ??= segment.octets;
    else if ('journal' in (json as object)) hasSummary = true;
    else
      await reader.record(json, { segment: segment.number, offset: segment.octets, octets: record.octets });
    segment.octets += record.octets;
    segment.checksum = record.checksum;
  }
  // Only a segment that was begun safely, and no other one after it, can be torn.
  const mayBeTorn = isLast && (segment.nonce !== '' || segment.octets === 0);
  if (segment.octets < size && !mayBeTorn && !hasSummary) damage ??= segment.octets;
  // Without a summary the records have told all the same.
  const isSummary = damage !== undefined && damage === summaryOf(octets.subarray(-END_OCTETS), segment);
  return isSummary ? undefined : damage;
}

/**
 * A record that is not whole, though the one after it is, which names it: so it was synced, and is damaged now.
 * @returns without its JSON if that is damaged, too
 */
function recordBeforeAnother(
  octets: Buffer,
  previous: number,
): (Pick<DecodedRecord, 'octets' | 'checksum'> & { readonly json?: unknown }) | undefined {
  if (octets.length < HEADER_OCTETS) return undefined;
  const header = readHeader(octets);
  const end = HEADER_OCTETS + header.textLength + header.bodyLength;
  if (end + HEADER_OCTETS > octets.length) return undefined;
  const checksum = readHeader(octets.subarray(end)).previous;
  if (decodeRecord(octets.subarray(end), checksum) === undefined) return undefined;
  // What follows by chance, or because somebody sent it in a body, does not name this one.
  if (checksum !== header.checksum && checksum !== textChecksum(octets, header)) return undefined;
  const json = header.previous === previous ? decodeText(octets, header) : undefined;
  return { octets: end, checksum, json };
}
