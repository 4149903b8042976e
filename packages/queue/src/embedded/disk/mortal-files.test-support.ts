/** A file system that dies after so many calls that change something: each later one rejects and does nothing. */
import type { FileSystem } from './file-system.js';
import { hooked } from './hooked-files.test-support.js';

export class MortalFiles {
  /** Calls that changed something. */
  calls: string[] = [];
  #left = Number.POSITIVE_INFINITY;
  #running = 0;
  readonly files: FileSystem;

  constructor(files: FileSystem) {
    this.files = hooked(files, {
      change: (what, task) => this.#change(what, task),
      look: (task) => this.#alive(task),
    });
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
