/**
 * A file system that stands still before each call that changes something, until all that could follow from the calls before has
 * followed: so one run shows all the states in which power may fail.
 */
import type { FileSystem } from './file-system.js';
import { hooked } from './hooked-files.test-support.js';

export class SteppingFiles {
  /** Calls that changed something. */
  readonly calls: string[] = [];
  readonly files: FileSystem;
  readonly #onStep: (count: number) => Promise<void>;
  #turn: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  /** @param onStep told how many calls have changed something so far; once it has failed, all calls fail */
  constructor(files: FileSystem, onStep: (count: number) => Promise<void>) {
    this.#onStep = onStep;
    this.files = hooked(files, {
      change: (what, task) => this.#inTurn(what, task),
      look: (task) => task(),
    });
  }

  /** One step more, after the last call. @throws what a step has thrown */
  async end(): Promise<void> {
    await this.#inTurn('', async () => {}).catch(() => {});
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #inTurn<T>(what: string, task: () => Promise<T>): Promise<T> {
    const running = this.#turn.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#failure !== undefined) throw this.#failure.error;
      try {
        await this.#onStep(this.calls.length);
      } catch (error) {
        this.#failure = { error };
        throw error;
      }
      this.calls.push(what);
      return task();
    });
    this.#turn = running.catch(() => {});
    return running;
  }
}
