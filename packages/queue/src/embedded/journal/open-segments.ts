/** The segments that are open for reading: those that were read last, for a file is not opened anew for each record. */
import type { StoreFile } from '../disk/file-system.js';

/** Beyond those that are being read just then. */
const OPEN_AT_MOST = 16;

interface OpenSegment {
  readonly opening: Promise<StoreFile>;
  /** Who reads it. */
  uses: number;
}

export class OpenSegments {
  /** The one that was read last is the last. */
  readonly #open = new Map<number, OpenSegment>();
  readonly #openFile: (segment: number) => Promise<StoreFile>;

  constructor(openFile: (segment: number) => Promise<StoreFile>) {
    this.#openFile = openFile;
  }

  async read<T>(segment: number, task: (file: StoreFile) => Promise<T>): Promise<T> {
    const one = this.#open.get(segment) ?? { opening: this.#openFile(segment), uses: 0 };
    this.#open.delete(segment);
    this.#open.set(segment, one);
    one.uses++;
    try {
      return await task(await one.opening);
    } catch (error) {
      // What could not be opened or read is opened anew the next time.
      this.#forget(segment, one);
      throw error;
    } finally {
      one.uses--;
      if (this.#open.get(segment) !== one) await close(one);
      else await this.#closeOldest();
    }
  }

  /** It was removed from the disk. */
  async close(segment: number): Promise<void> {
    const one = this.#open.get(segment);
    if (one === undefined) return;
    this.#open.delete(segment);
    await close(one);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((segment) => this.close(segment)));
  }

  #forget(segment: number, one: OpenSegment): void {
    if (this.#open.get(segment) === one) this.#open.delete(segment);
  }

  async #closeOldest(): Promise<void> {
    if (this.#open.size <= OPEN_AT_MOST) return;
    for (const [segment, one] of this.#open) {
      if (one.uses === 0) return this.close(segment);
    }
  }
}

/** Whoever reads it last closes it. */
async function close({ opening, uses }: OpenSegment): Promise<void> {
  if (uses > 0) return;
  await opening.then(
    (file) => file.close().catch(() => {}),
    () => {},
  );
}
