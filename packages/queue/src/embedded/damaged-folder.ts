/**
 * `damaged/`: copies of what the disk has damaged, for a person to look at. Nothing reads them again, and nothing removes them. A copy is
 * safe before anything leaves the queue because of it.
 */
import { join } from 'node:path';
import type { FileSystem } from './disk/file-system.js';

/** The disk has lost a part of what was synced to it. */
export interface QueueDamage {
  /** The file that is damaged. */
  readonly path: string;
  /** Where in it, in octets from its beginning. */
  readonly offset: number;
  /** The message, which has left the queue; absent: which messages it held, if any, cannot be told. */
  readonly id?: string;
  /** The file with what is left of it. */
  readonly copy: string;
  /** All this in words, and what to do. */
  readonly message: string;
}

export class DamagedFolder {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #folder: string;

  constructor(files: FileSystem, directory: string) {
    this.#files = files;
    this.#directory = directory;
    this.#folder = join(directory, 'damaged');
  }

  /** Whether there is such a copy, as long as this. */
  async has(name: string, octets: number): Promise<boolean> {
    await this.#files.makeFolder(this.#folder);
    if (!(await this.#files.list(this.#folder)).includes(name)) return false;
    const file = await this.#files.open(join(this.#folder, name));
    try {
      return (await file.size()) === octets;
    } finally {
      await file.close();
    }
  }

  /** Writes a copy, in place of one that a crash has left unfinished. Resolves with its path. */
  async store(name: string, pieces: AsyncIterable<Uint8Array>): Promise<string> {
    const path = join(this.#folder, name);
    await this.#files.makeFolder(this.#folder);
    await this.#files.syncFolder(this.#directory);
    if ((await this.#files.list(this.#folder)).includes(name)) await this.#files.remove(path);
    const file = await this.#files.create(path);
    try {
      let position = 0;
      for await (const piece of pieces) {
        await file.write(piece, position);
        position += piece.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.syncFolder(this.#folder);
    return path;
  }
}
