/**
 * What is stored of a body that can be read once, so that it can be read again: up to 64 KiB in memory, more in a
 * temporary file that has no name any more, so that nothing of it stays whatever becomes of the process.
 *
 * - Any number of readers may read at the same time: the foremost pulls from the source, the others read what is stored.
 *   Nobody reads ahead, so the spool grows no faster than a server takes the message.
 * - Where the file cannot be written, the message goes on to whoever waits for it at the time, and so to one reader who
 *   is alone to its end. It is lost for all who come later.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BodySource, openSource } from './body-source.js';

/** Octets that are stored in memory; with more, all of them go to the file. */
const MEMORY_OCTETS = 65_536;

/** Octets that are read from the file at once. */
const CHUNK_OCTETS = 65_536;

/** The body cannot be read any more, for what was read of it could not be stored; no fault of its own. */
export class UnstoredError extends Error {
  override readonly name = 'UnstoredError';

  /** @param cause why the file could not be written */
  constructor(cause: Error) {
    super(`The message cannot be read again, for it could not be stored in ${tmpdir()}: ${cause.message}`, {
      cause,
    });
  }
}

export class Spool {
  readonly #source: BodySource;
  /** What is stored, in the chunks that came, while there is no file. */
  #chunks: Uint8Array[] = [];
  #file: FileHandle | undefined;
  /** Octets that have come. */
  #length = 0;
  /** Octets stored, from the first on: all of them but after `#loss`. */
  #storedLength = 0;
  #loss: UnstoredError | undefined;
  #complete = false;
  #closed = false;
  #pulling: Promise<Uint8Array | undefined> | undefined;
  #storing: Promise<void> | undefined;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** Octets of the whole; undefined while they are not known. */
  get size(): number | undefined {
    return this.#complete ? this.#length : undefined;
  }

  /** Why nobody can begin to read any more. */
  get loss(): UnstoredError | undefined {
    return this.#loss;
  }

  /**
   * @throws what the source throws, and the system's error when the file cannot be read
   * @throws {UnstoredError} the file could not be written, and others were faster
   */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    let position = 0;
    for (let index = 0; ; index++) {
      const isStored = position < this.#storedLength;
      if (!isStored && position < this.#length) throw this.#loss;
      const chunk = isStored ? await this.#stored(index, position) : await this.#next();
      if (chunk === undefined) return;
      position += chunk.length;
      yield chunk;
    }
  }

  /** Deletes what is stored, and stops the source. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#source.stop();
    await this.#storing;
    await this.#file?.close();
    this.#chunks = [];
  }

  /** A reader that has seen the chunks up to `index` so far has come as far as `position`. */
  async #stored(index: number, position: number): Promise<Uint8Array | undefined> {
    if (this.#file === undefined) return this.#chunks[index];
    const length = Math.min(CHUNK_OCTETS, this.#storedLength - position);
    const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafeSlow(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  }

  /** The chunk after all that is stored; the same for all who wait for it. */
  async #next(): Promise<Uint8Array | undefined> {
    if (this.#complete) return undefined;
    this.#pulling ??= this.#pull();
    return this.#pulling;
  }

  async #pull(): Promise<Uint8Array | undefined> {
    // After a failure this promise stays: all who read on are told the same.
    const chunk = await this.#source.next();
    if (this.#closed) throw new Error('The message is no longer wanted');
    if (chunk === undefined) {
      this.#complete = true;
    } else {
      this.#storing = this.#store(chunk);
      await this.#storing;
      this.#length += chunk.length;
      if (this.#loss === undefined) this.#storedLength = this.#length;
    }
    this.#pulling = undefined;
    return chunk;
  }

  async #store(chunk: Uint8Array): Promise<void> {
    if (this.#loss !== undefined) return;
    if (this.#file === undefined && this.#length + chunk.length <= MEMORY_OCTETS) {
      this.#chunks.push(chunk);
      return;
    }
    try {
      if (this.#file === undefined) {
        this.#file = await openNameless(this.#chunks);
        this.#chunks = [];
      }
      await this.#file.appendFile(chunk);
    } catch (error) {
      this.#loss = new UnstoredError(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** A message that can be read any number of times, until it is closed. */
export interface SpooledBody {
  /**
   * @throws what the message throws, or the system's error when it cannot be stored
   */
  read(): AsyncIterable<Uint8Array>;
  /** Deletes what is stored. */
  close(): Promise<void>;
}

/** Stores a message that can be read once while it is first read: up to 64 KiB in memory, more in a temporary file without a name. */
export function spoolBody(message: AsyncIterable<Uint8Array>): SpooledBody {
  return new Spool(openSource(message));
}

/** A file that has no name, and holds these chunks. */
async function openNameless(chunks: readonly Uint8Array[]): Promise<FileHandle> {
  const path = join(tmpdir(), `sansmtp-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    for (const chunk of chunks) await file.appendFile(chunk);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}
