/**
 * Bodies on their way to the disk and back. A small one goes into its record of the journal, and so is synced with it; a
 * longer one gets a file of its own in `bodies/`, which is whole and synced, its name too, before the record is appended.
 * A file without a record is what a crash has left: it is removed when the queue is opened.
 */
import { join } from 'node:path';
import type { FileSystem, StoreFile } from './disk/file-system.js';

/** Octets up to which a body goes into the journal; also what is written and read at a time. */
export const CHUNK_OCTETS = 65_536;

export type GatheredBody =
  | { readonly kind: 'inline'; readonly size: number; readonly octets: Uint8Array }
  | { readonly kind: 'file'; readonly size: number };

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
    let file: StoreFile | undefined;
    let chunks: Uint8Array[] = [];
    let waiting = 0;
    let written = 0;
    try {
      for await (const chunk of body) {
        // The caller may use its array again.
        chunks.push(Uint8Array.from(chunk));
        waiting += chunk.length;
        if (waiting <= CHUNK_OCTETS) continue;
        file ??= await this.#files.create(join(this.#folder, id));
        await file.write(Buffer.concat(chunks, waiting), written);
        written += waiting;
        chunks = [];
        waiting = 0;
      }
      const rest = Buffer.concat(chunks, waiting);
      if (file === undefined) return { kind: 'inline', size: waiting, octets: rest };
      await file.write(rest, written);
      await file.sync();
      await file.close();
      file = undefined;
      await this.#syncFolder();
      return { kind: 'file', size: written + waiting };
    } catch (error) {
      await file?.close().catch(() => {});
      if (written > 0 || file !== undefined) await this.remove(id);
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

  async *read(id: string): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await this.#files.open(join(this.#folder, id));
    try {
      for (let position = 0; ; ) {
        const chunk = await file.read(position, CHUNK_OCTETS);
        if (chunk.length === 0) return;
        position += chunk.length;
        yield chunk;
      }
    } finally {
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
