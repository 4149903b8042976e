/** The file of a body that is being received: what comes is gathered into one chunk while the one before it is written. */
import { Buffer } from 'node:buffer';
import type { StoreFile } from '../disk/file-system.js';

/** Octets that are written or read by one call of the system; while one such chunk is, there is another one in memory. */
export const CHUNK_OCTETS = 131_072;

export class BodyFile {
  readonly #file: StoreFile;
  #filling: Buffer = Buffer.allocUnsafeSlow(CHUNK_OCTETS);
  #filled = 0;
  /** The other chunk: what is in it is written. */
  #other: Buffer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #written = 0;

  constructor(file: StoreFile) {
    this.#file = file;
  }

  /** Copies the octets: the caller may use its array again. */
  async add(octets: Uint8Array): Promise<void> {
    for (let at = 0; at < octets.length; ) {
      const taken = octets.subarray(at, at + CHUNK_OCTETS - this.#filled);
      this.#filling.set(taken, this.#filled);
      this.#filled += taken.length;
      at += taken.length;
      if (this.#filled === CHUNK_OCTETS) await this.#write();
    }
  }

  /** Writes what is left of it. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#write();
    await this.#writing;
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#file.close();
  }

  /** Begins to write the chunk that is filled, after the one before it. */
  async #write(): Promise<void> {
    await this.#writing;
    const full = this.#filling;
    this.#writing = this.#file.write(full.subarray(0, this.#filled), this.#written);
    // What comes next waits for it, and meets its error there.
    this.#writing.catch(() => {});
    this.#written += this.#filled;
    this.#filling = this.#other ?? Buffer.allocUnsafeSlow(CHUNK_OCTETS);
    this.#other = full;
    this.#filled = 0;
  }
}
