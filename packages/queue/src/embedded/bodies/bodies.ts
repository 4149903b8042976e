/**
 * Bodies on their way to the disk and back. A small one goes into its record of the journal, and so is synced with it; a
 * longer one gets a file of its own in `bodies/`, which is whole and synced, its name too, before the record is appended.
 * A file without a record is what a crash has left: it is removed when the queue is opened.
 */
import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import type { FileSystem } from '../disk/file-system.js';
import { BodyFile, CHUNK_OCTETS } from './body-file.js';

/** Octets up to which a body goes into the journal; also those of the pieces in which a longer one is given. */
export const PIECE_OCTETS = 65_536;

export type GatheredBody =
  | { readonly kind: 'inline'; readonly size: number; readonly octets: Uint8Array }
  | { readonly kind: 'file'; readonly size: number };

/** @throws what the first of them that failed threw, once none is under way any more */
async function allSettled(tasks: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

export class Bodies {
  readonly #files: FileSystem;
  readonly #folder: string;
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;

  constructor(files: FileSystem, directory: string) {
    this.#files = files;
    this.#folder = join(directory, 'bodies');
  }

  /** Makes the folder, and removes the files of messages that are not in the queue. */
  async open(directory: string, isQueued: (id: string) => boolean): Promise<void> {
    await this.#files.makeFolder(this.#folder);
    await this.#files.syncFolder(directory);
    for (const id of await this.#files.list(this.#folder)) if (!isQueued(id)) await this.remove(id);
  }

  /** Reads a body to its end. Where it resolves with `file`, that is synced. */
  async gather(id: string, body: AsyncIterable<Uint8Array>): Promise<GatheredBody> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    let file: BodyFile | undefined;
    try {
      for await (const chunk of body) {
        size += chunk.length;
        if (file !== undefined) await file.add(chunk);
        else if (size <= PIECE_OCTETS) {
          // The caller may use its array again.
          chunks.push(Buffer.from(chunk));
        } else {
          file = new BodyFile(await this.#files.create(join(this.#folder, id)));
          for (const each of [...chunks.splice(0), chunk]) await file.add(each);
        }
      }
      if (file === undefined) return { kind: 'inline', size, octets: Buffer.concat(chunks, size) };
      await file.finish();
      // Neither sync needs the other; whoever asks for the message after both finds all of it.
      await allSettled([file.sync(), this.#syncFolder()]);
      await file.close();
      return { kind: 'file', size };
    } catch (error) {
      await file?.close().catch(() => {});
      if (file !== undefined) await this.remove(id);
      throw error;
    }
  }

  async has(id: string): Promise<boolean> {
    return (await this.#files.list(this.#folder)).includes(id);
  }

  /** Octets of a body that has a file. */
  async size(id: string): Promise<number> {
    const file = await this.#files.open(join(this.#folder, id));
    try {
      return await file.size();
    } finally {
      await file.close();
    }
  }

  /**
   * The next chunk is read while somebody has the one before it.
   * @param size what it should be; it throws where it is less. @default whatever is there
   */
  async *read(id: string, size = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await this.#files.open(join(this.#folder, id));
    let next: Promise<Uint8Array> | undefined;
    try {
      for (let position = 0; position < size; ) {
        const chunk = await (next ?? file.read(position, CHUNK_OCTETS));
        position += chunk.length;
        next = position < size && chunk.length > 0 ? file.read(position, CHUNK_OCTETS) : undefined;
        // Whoever leaves does not hear of it.
        next?.catch(() => {});
        for (let at = 0; at < chunk.length; at += PIECE_OCTETS) yield chunk.subarray(at, at + PIECE_OCTETS);
        if (chunk.length > 0) continue;
        if (size === Number.POSITIVE_INFINITY) return;
        throw new Error(`The body of message ${id} ends after ${position} octets of ${size}`);
      }
    } finally {
      // What is being read must not be closed: its number may be another file's then.
      await next?.catch(() => {});
      await file.close();
    }
  }

  /** What stays for any reason is swept when the queue is opened. */
  async remove(id: string): Promise<void> {
    await this.#files.remove(join(this.#folder, id)).catch(() => {});
  }

  /** One sync for all who wait; one that has begun already is not for them. */
  #syncFolder(): Promise<void> {
    if (this.#nextSync !== undefined) return this.#nextSync;
    const before = this.#syncing ?? Promise.resolve();
    const sync = before
      .catch(() => {})
      .then(() => {
        this.#nextSync = undefined;
        this.#syncing = this.#files.syncFolder(this.#folder);
        return this.#syncing;
      });
    this.#nextSync = sync;
    return sync;
  }
}
