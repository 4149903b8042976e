/**
 * The journal: records appended to numbered segments, each safe once its `append()` resolves.
 *
 * Invariants:
 * - Group commit. A batch of records is written, then synced, and only then are they acknowledged. Records that come
 *   meanwhile are the next batch: no sync counts that began before the write.
 * - A segment is begun only after the one before it is synced to its end, and takes records only after its own name is
 *   synced in the folder. So only the last segment can be torn; a fault in another one is damage, which is reported, and
 *   the records after it are read.
 * - A segment that is full is sealed with a summary of itself, so that it need not be read when the queue is opened. Where
 *   the disk has no room for that, it is read.
 * - Segments are removed oldest first, each removal synced before the next: a record is never gone while an older one
 *   about the same message is there.
 * - After a failed sync nothing is acknowledged any more. What is on the disk then nobody knows; a second sync
 *   would report success for pages that the first one has lost.
 */
import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { QueueClosedError } from '../../contract/errors.js';
import { type FileSystem, isNoRoom, type StoreFile } from '../disk/file-system.js';
import { DamagedRecordError } from './damaged-record-error.js';
import { OpenSegments } from './open-segments.js';
import {
  decodeText,
  type EncodedRecord,
  encodeRecord,
  HEADER_OCTETS,
  isBodyWhole,
  readHeader,
  writtenChecksum,
} from './record.js';
import {
  encodeSeal,
  newSegment,
  type Place,
  readSegment,
  type Segment,
  type SegmentReader,
  segmentNames,
} from './segment.js';

/** Octets after which a new segment is begun. @default 8 MiB */
const SEGMENT_OCTETS = 8 * 1024 * 1024;

/** Octets that are written by one call at most, unless one record is longer. */
const BATCH_OCTETS = 4 * 1024 * 1024;

/** Octets that are read first where a record begins: most texts are shorter. */
const READ_FIRST = 2048;

export interface JournalOptions {
  /** Which opening of the directory this is: higher than any before. */
  readonly epoch: number;
  readonly segmentOctets?: number;
}

/** What the records mean, which the journal does not know. */
export interface JournalContent extends SegmentReader {
  /** What was recorded since the last time, in short; all that was appended is applied. */
  summarize(): { readonly json: object; readonly body: Uint8Array };
}

interface Waiting {
  readonly record: EncodedRecord;
  readonly applied: (place: Place) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Journal {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #epoch: number;
  readonly segmentOctets: number;
  #content: JournalContent | undefined;
  /** The oldest first. Numbers rise by one from each to the next, but where the queue was opened. */
  #segments: Segment[] = [];
  readonly #names = new Map<number, string>();
  readonly #reading = new OpenSegments((segment) => this.#files.open(this.#pathOf(segment)));
  #octets = 0;
  #file: StoreFile | undefined;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #closed: QueueClosedError | undefined;

  constructor(files: FileSystem, directory: string, options: JournalOptions) {
    this.#files = files;
    this.#directory = directory;
    this.#epoch = options.epoch;
    this.segmentOctets = options.segmentOctets ?? SEGMENT_OCTETS;
  }

  /**
   * Reads what is there, cuts off what the last segment has beyond its last whole record, and begins a new one.
   * @throws {QueueUnreadableError} a newer version wrote it
   */
  async open(content: JournalContent): Promise<void> {
    this.#content = content;
    const names = segmentNames(await this.#files.list(this.#directory));
    for (const name of names) this.#names.set(Number(name.slice(-10)), name);
    for (const name of names) {
      const segment = await readSegment(this.#files, this.#directory, name, name === names.at(-1), content);
      this.#add(segment);
      const hasRecords = segment.nonce !== '' && segment.octets > 0;
      if (name === names.at(-1) && hasRecords && !segment.isSealed) await this.#sealFound(segment);
    }
    await this.#beginSegment();
  }

  /** Octets of all segments. */
  get octets(): number {
    return this.#octets;
  }

  get segmentCount(): number {
    return this.#segments.length;
  }

  /** The number of the oldest segment, unless it is the one that is being written. */
  get oldest(): number | undefined {
    return this.#segments.length > 1 ? this.#segments[0]?.number : undefined;
  }

  hasSegment(number: number): boolean {
    return this.#names.has(number);
  }

  /**
   * Appends a record.
   * @param applied is called in the order of the records, once this one is safe and before anything else happens
   * @throws the system's error when it cannot be written; it is not there then
   * @throws {QueueClosedError} the journal is closed, or a sync has failed
   */
  append(json: unknown, applied: (place: Place) => void, body?: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record: encodeRecord(json, body), applied, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** The JSON of a record. @throws {DamagedRecordError} the disk has lost it */
  read({ segment, offset }: Pick<Place, 'segment' | 'offset'>): Promise<unknown> {
    return this.#reading.read(segment, async (file) => {
      let octets = Buffer.from(await file.read(offset, READ_FIRST));
      if (octets.length < HEADER_OCTETS) throw this.#damage(segment, offset);
      const header = readHeader(octets);
      const length = HEADER_OCTETS + header.textLength;
      if (length > octets.length) octets = Buffer.from(await file.read(offset, length));
      return decodeText(octets, header) ?? Promise.reject(this.#damage(segment, offset));
    });
  }

  /** The body of a record. @throws {DamagedRecordError} the disk has lost it */
  readBody({ segment, offset, octets }: Place): Promise<Uint8Array> {
    return this.#reading.read(segment, async (file) => {
      const record = Buffer.from(await file.read(offset, octets));
      if (record.length < octets) throw this.#damage(segment, offset);
      const header = readHeader(record);
      const body = record.subarray(HEADER_OCTETS + header.textLength);
      if (!isBodyWhole(body, header)) throw this.#damage(segment, offset);
      return body;
    });
  }

  /** What stands at a place, whether it can be read as a record or not. */
  readOctets({ segment, offset, octets }: Place): Promise<Uint8Array> {
    return this.#reading.read(segment, (file) => file.read(offset, octets));
  }

  /** Removes the oldest segment. Nothing in it may be needed any more. */
  async removeOldest(): Promise<void> {
    const [oldest] = this.#segments;
    if (oldest === undefined || this.oldest === undefined) return;
    await this.#files.remove(join(this.#directory, oldest.name));
    await this.#reading.close(oldest.number);
    this.#segments.shift();
    this.#names.delete(oldest.number);
    this.#octets -= oldest.octets;
    await this.#files.syncFolder(this.#directory);
  }

  /** Lets what was appended become safe, and takes nothing more. */
  async close(): Promise<void> {
    await this.#flushing;
    const segment = this.#segments.at(-1);
    if (this.#closed === undefined && segment !== undefined && this.#file !== undefined) {
      // Without it the queue is opened slower the next time.
      await this.#seal(segment, this.#file).catch(() => {});
    }
    this.#closed ??= new QueueClosedError('The queue is closed; open it anew');
    await this.#file?.close();
    this.#file = undefined;
    await this.#reading.closeAll();
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
    if (segment === undefined || segment.octets >= this.segmentOctets || segment.isSealed) {
      if (segment !== undefined && this.#file !== undefined) await this.#seal(segment, this.#file);
      segment = await this.#beginSegment();
    }
    let { checksum, octets: offset } = segment;
    const places: Place[] = [];
    const records = batch.map(({ record }) => {
      const written = record.write(checksum);
      places.push({ segment: (segment as Segment).number, offset, octets: record.octets });
      checksum = writtenChecksum(written);
      offset += record.octets;
      return written;
    });
    await this.#writeSafely(segment, this.#file as StoreFile, Buffer.concat(records));
    segment.checksum = checksum;
    return places;
  }

  /** Writes at the end of a segment, and syncs. Rejects: nothing of it is there, or the journal has failed. */
  async #writeSafely(segment: Segment, file: StoreFile, octets: Uint8Array): Promise<void> {
    try {
      await file.writeSynced(octets, segment.octets);
    } catch (error) {
      // It may have been the sync.
      if (!isNoRoom(error)) this.#fail(error);
      // A part of it may be there: a whole record among it must not be read as one that was acknowledged.
      try {
        await file.truncate(segment.octets);
        await file.sync();
      } catch (cause) {
        this.#fail(cause);
      }
      throw error;
    }
    segment.octets += octets.length;
    this.#octets += octets.length;
  }

  /** Writes the summary of a segment; unless it has one, or the disk has no room. */
  async #seal(segment: Segment, file: StoreFile): Promise<void> {
    if (segment.isSealed) return;
    const { json, body } = (this.#content as JournalContent).summarize();
    await this.#writeSafely(segment, file, encodeSeal(segment, json, body)).then(
      () => {
        segment.isSealed = true;
      },
      (error) => {
        if (this.#closed !== undefined) throw error;
      },
    );
  }

  /** What a process that died has left unsealed. */
  async #sealFound(segment: Segment): Promise<void> {
    const file = await this.#files.open(join(this.#directory, segment.name));
    try {
      await this.#seal(segment, file);
    } finally {
      await file.close();
    }
  }

  #fail(cause: unknown): never {
    const message = `The disk could not make the queue safe (${cause instanceof Error ? cause.message : cause})`;
    this.#closed = new QueueClosedError(`${message}; open it anew to see what is there`, { cause });
    throw this.#closed;
  }

  #pathOf(segment: number): string {
    return join(this.#directory, this.#names.get(segment) ?? `journal ${segment}`);
  }

  #damage(segment: number, offset: number): DamagedRecordError {
    return new DamagedRecordError(this.#pathOf(segment), { segment, offset });
  }

  #add(segment: Segment): void {
    this.#segments.push(segment);
    this.#names.set(segment.number, segment.name);
    this.#octets += segment.octets;
  }

  async #beginSegment(): Promise<Segment> {
    // After a failure the next record tries again, under the same name.
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    const { segment, line } = newSegment(this.#epoch, number);
    const path = join(this.#directory, segment.name);
    const file = await this.#files.createSynced(path);
    try {
      await file.writeSynced(line, 0);
      await this.#files.syncFolder(this.#directory);
      await this.#file?.close();
      this.#file = file;
      this.#add(segment);
      return segment;
    } catch (error) {
      await file.close();
      await this.#files.remove(path).catch((cause) => this.#fail(cause));
      throw error;
    }
  }
}
