/** A file system that dies after so many calls that change something: each later one rejects and does nothing. */
import type { FileSystem, StoreFile } from './file-system.js';

export class MortalFiles {
  /** Calls that changed something. */
  calls: string[] = [];
  #left = Number.POSITIVE_INFINITY;
  #running = 0;
  readonly files: FileSystem;

  constructor(files: FileSystem) {
    const change = <T>(what: string, task: () => Promise<T>) => this.#change(what, task);
    const mortal = (path: string, file: StoreFile): StoreFile => ({
      write: (bytes, position) => change(`write ${path}`, () => file.write(bytes, position)),
      async writeSynced(bytes, position) {
        await this.write(bytes, position);
        await this.sync();
      },
      read: (position, length) => this.#alive(() => file.read(position, length)),
      size: () => this.#alive(() => file.size()),
      truncate: (size) => change(`truncate ${path}`, () => file.truncate(size)),
      sync: () => change(`sync ${path}`, () => file.sync()),
      close: () => file.close(),
    });
    this.files = {
      makeFolder: (path) => change(`makeFolder ${path}`, () => files.makeFolder(path)),
      list: (path) => this.#alive(() => files.list(path)),
      create: (path) => change(`create ${path}`, async () => mortal(path, await files.create(path))),
      createSynced: (path) =>
        change(`create ${path}`, async () => mortal(path, await files.createSynced(path))),
      open: (path) => this.#alive(async () => mortal(path, await files.open(path))),
      remove: (path) => change(`remove ${path}`, () => files.remove(path)),
      freeOctets: (path) => this.#alive(() => files.freeOctets(path)),
      syncFolder: (path) => change(`syncFolder ${path}`, () => files.syncFolder(path)),
    };
  }

  get isDead(): boolean {
    return this.#left < 0;
  }

  dieAfter(calls: number): void {
    this.#left = calls;
  }

  /** Resolves when no call is under way any more. */
  async die(): Promise<void> {
    this.#left = -1;
    while (this.#running > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  #change<T>(what: string, task: () => Promise<T>): Promise<T> {
    if (this.#left > 0) this.calls.push(what);
    else this.#left = -1;
    this.#left--;
    return this.#alive(task);
  }

  async #alive<T>(task: () => Promise<T>): Promise<T> {
    if (this.#left < 0) throw new Error('The process has died');
    this.#running++;
    try {
      return await task();
    } finally {
      this.#running--;
    }
  }
}
