/**
 * The journal: records appended to numbered segments, each safe once its `append()` resolves.
 *
 * Invariants:
 * - Group commit. A batch of records is written, then synced, and only then are they acknowledged. Records that come
 *   meanwhile are the next batch: no sync counts that began before the write.
 * - A segment is begun only after the one before it is synced to its end, and takes records only after its own name is
 *   synced in the folder. So only the last segment can be torn; a fault in another one is damage.
 * - Segments are removed oldest first, each removal synced before the next: a record is never gone while an older one
 *   about the same message is there.
 * - After a failed sync nothing is acknowledged any more. What is on the disk then nobody knows; a second sync
 *   would report success for pages that the first one has lost.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { QueueClosedError, QueueUnreadableError } from '../contract/errors.js';
import type { FileSystem, StoreFile } from './file-system.js';
import { decodeRecord, encodeRecord, writtenChecksum } from './record.js';

/** Octets after which a new segment is begun. @default 16 MiB */
const SEGMENT_OCTETS = 16 * 1024 * 1024;

/** Octets that are written by one call at most, unless one record is longer. */
const BATCH_OCTETS = 4 * 1024 * 1024;

/** What each segment begins with. A queue of a newer format is refused. */
export const FORMAT = 1;

/** Where a record stands, and its body. */
export interface Place {
  readonly segment: string;
  /** Octets of the whole record. */
  readonly octets: number;
  readonly bodyStart: number;
  readonly bodyLength: number;
}

interface Segment {
  readonly name: string;
  octets: number;
}

interface Waiting {
  readonly record: ReturnType<typeof encodeRecord>;
  readonly bodyLength: number;
  readonly applied: (place: Place) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const NAME = /^journal-(\d{10})-(\d{10})$/;

function segmentName(epoch: number, number: number): string {
  return `journal-${`${epoch}`.padStart(10, '0')}-${`${number}`.padStart(10, '0')}`;
}

/** The epochs in which the segments among these names were written: each opening of the queue is one. */
export function epochsOf(names: readonly string[]): number[] {
  return names.flatMap((name) => NAME.exec(name)?.slice(1, 2).map(Number) ?? []);
}

export class Journal {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #epoch: number;
  readonly #segmentOctets: number;
  readonly #segments: Segment[];
  #number = 0;
  #file: StoreFile | undefined;
  #checksum = 0;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #closed: QueueClosedError | undefined;

  private constructor(
    files: FileSystem,
    directory: string,
    { epoch, segmentOctets = SEGMENT_OCTETS }: { readonly epoch: number; readonly segmentOctets?: number },
    segments: Segment[],
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#epoch = epoch;
    this.#segmentOctets = segmentOctets;
    this.#segments = segments;
  }

  /**
   * Reads all segments, cuts off what the last one has beyond its last whole record, and begins a new one.
   * @param replay is called with each record in the order in which they were appended
   * @throws {QueueUnreadableError} another segment than the last is damaged, or a newer version wrote it
   */
  static async open(
    files: FileSystem,
    directory: string,
    options: { readonly epoch: number; readonly segmentOctets?: number },
    replay: (json: unknown, place: Place) => void,
  ): Promise<Journal> {
    const names = (await files.list(directory)).filter((name) => NAME.test(name)).sort();
    const segments: Segment[] = [];
    for (const name of names) {
      const octets = await readSegment(files, directory, name, name === names.at(-1), replay);
      segments.push({ name, octets });
    }
    const journal = new Journal(files, directory, options, segments);
    await journal.#beginSegment();
    return journal;
  }

  /** Octets of all segments. */
  get octets(): number {
    return this.#segments.reduce((sum, { octets }) => sum + octets, 0);
  }

  /** Octets after which a new segment is begun. */
  get segmentOctets(): number {
    return this.#segmentOctets;
  }

  /** The oldest segment, unless it is the one that is being written. */
  get oldest(): string | undefined {
    return this.#segments.length > 1 ? this.#segments[0]?.name : undefined;
  }

  /**
   * Appends a record.
   * @param applied is called in the order of the records, once this one is safe and before anything else happens
   * @throws the system's error when it cannot be written; it is not there then
   * @throws {QueueClosedError} the journal is closed, or a sync has failed
   */
  append(json: unknown, applied: (place: Place) => void, body?: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const record = encodeRecord(json, body);
      this.#waiting.push({ record, bodyLength: body?.length ?? 0, applied, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async readBody({ segment, bodyStart, bodyLength }: Place): Promise<Uint8Array> {
    const file = await this.#files.open(join(this.#directory, segment));
    try {
      return await file.read(bodyStart, bodyLength);
    } finally {
      await file.close();
    }
  }

  /** Removes the oldest segment. Nothing in it may be needed any more. */
  async removeOldest(): Promise<void> {
    const [oldest] = this.#segments;
    if (oldest === undefined || this.oldest === undefined) return;
    await this.#files.remove(join(this.#directory, oldest.name));
    this.#segments.shift();
    await this.#files.syncFolder(this.#directory);
  }

  /** Lets what was appended become safe, and takes nothing more. */
  async close(): Promise<void> {
    await this.#flushing;
    this.#closed ??= new QueueClosedError('The queue is closed; open it anew');
    await this.#file?.close();
    this.#file = undefined;
  }

  async #flush(): Promise<void> {
    // What is called in the same turn goes into the same batch.
    await undefined;
    while (this.#waiting.length > 0) await this.#commit(this.#nextBatch());
    this.#flushing = undefined;
  }

  #nextBatch(): Waiting[] {
    let octets = 0;
    const count = this.#waiting.findIndex(({ record }, i) => {
      octets += record.octets;
      return i > 0 && octets > BATCH_OCTETS;
    });
    return this.#waiting.splice(0, count === -1 ? this.#waiting.length : count);
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      if (this.#closed !== undefined) throw this.#closed;
      const places = await this.#write(batch);
      for (const [i, { applied, resolve }] of batch.entries()) {
        applied(places[i] as Place);
        resolve();
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #write(batch: readonly Waiting[]): Promise<Place[]> {
    let segment = this.#segments.at(-1);
    if (segment === undefined || segment.octets >= this.#segmentOctets) segment = await this.#beginSegment();
    const file = this.#file as StoreFile;
    let checksum = this.#checksum;
    let position = segment.octets;
    const places: Place[] = [];
    const records = batch.map(({ record, bodyLength }) => {
      const written = record.write(checksum);
      checksum = writtenChecksum(written);
      position += record.octets;
      places.push({
        segment: (segment as Segment).name,
        octets: record.octets,
        bodyStart: position - bodyLength,
        bodyLength,
      });
      return written;
    });
    try {
      await file.write(Buffer.concat(records), segment.octets);
    } catch (error) {
      // A part of it may be there: a whole record among it must not be read as one that was acknowledged.
      try {
        await file.truncate(segment.octets);
        await file.sync();
      } catch (cause) {
        this.#fail(cause);
      }
      throw error;
    }
    await file.sync().catch((cause) => this.#fail(cause));
    segment.octets = position;
    this.#checksum = checksum;
    return places;
  }

  #fail(cause: unknown): never {
    const message = `The disk could not make the queue safe (${cause instanceof Error ? cause.message : cause})`;
    this.#closed = new QueueClosedError(`${message}; open it anew to see what is there`, { cause });
    throw this.#closed;
  }

  async #beginSegment(): Promise<Segment> {
    const name = segmentName(this.#epoch, this.#number + 1);
    const path = join(this.#directory, name);
    const file = await this.#files.create(path);
    try {
      const header = encodeRecord({ t: 'segment', format: FORMAT }).write(crc32(name));
      await file.write(header, 0);
      await file.sync();
      await this.#files.syncFolder(this.#directory);
      await this.#file?.close();
      this.#file = file;
      this.#checksum = writtenChecksum(header);
      this.#number++;
      const segment = { name, octets: header.length };
      this.#segments.push(segment);
      return segment;
    } catch (error) {
      // The next record tries again, under the same name.
      await file.close();
      await this.#files.remove(path).catch((cause) => this.#fail(cause));
      throw error;
    }
  }
}

/** Returns the octets up to the end of the last whole record. */
async function readSegment(
  files: FileSystem,
  directory: string,
  name: string,
  isLast: boolean,
  replay: (json: unknown, place: Place) => void,
): Promise<number> {
  const file = await files.open(join(directory, name));
  try {
    const { buffer, byteOffset, byteLength } = await file.read(0, await file.size());
    const octets = Buffer.from(buffer, byteOffset, byteLength);
    let end = 0;
    let checksum = crc32(name);
    for (;;) {
      const record = decodeRecord(octets, end, checksum);
      if (record === undefined) break;
      const { json, bodyStart, bodyLength } = record;
      if (end === 0) checkFormat(json, name);
      else replay(json, { segment: name, octets: record.end - end, bodyStart, bodyLength });
      ({ end, checksum } = record);
    }
    if (end < octets.length) {
      if (!isLast) {
        throw new QueueUnreadableError(
          `${join(directory, name)} is damaged after octet ${end} of ${octets.length}: the disk has lost what was ` +
            'synced to it. Restore it, or move the file away to go on without what it held',
        );
      }
      // Never acknowledged. It is cut off before the next segment is begun, and so is never taken for damage.
      await file.truncate(end);
      await file.sync();
    }
    return end;
  } finally {
    await file.close();
  }
}

function checkFormat(json: unknown, name: string): void {
  const { format } = json as { readonly format?: unknown };
  if (format === FORMAT) return;
  throw new QueueUnreadableError(
    `${name} has the format ${format}, and this version reads ${FORMAT}: a newer version has written it`,
  );
}
