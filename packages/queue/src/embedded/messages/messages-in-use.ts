/** The messages that are in memory as a whole: each for as long as somebody uses it, and once at a time. */
import type { Live } from './live-message.js';
import { RecentMessages } from './recent-messages.js';

interface InUse {
  uses: number;
  /** Undefined: there is none. */
  loading: Promise<Live | undefined>;
  live?: Live;
}

export class MessagesInUse {
  readonly #inUse = new Map<number, InUse>();
  readonly #recent = new RecentMessages();
  readonly #load: (sequence: number) => Promise<Live | undefined>;

  /** @param load undefined: there is no such message */
  constructor(load: (sequence: number) => Promise<Live | undefined>) {
    this.#load = load;
  }

  /** The message, if it is in use. */
  get(sequence: number): Live | undefined {
    return this.#inUse.get(sequence)?.live;
  }

  /** Messages of which a claim is out. */
  get delivering(): readonly Live[] {
    return [...this.#inUse.values()].flatMap(({ live }) =>
      live !== undefined && live.claimed.size > 0 && !live.isGone ? [live] : [],
    );
  }

  /** @param octets of its record */
  wasPut(live: Live, octets: number): void {
    this.#recent.add(live, octets);
  }

  wasDismissed(live: Live): void {
    this.#recent.delete(live.sequence);
  }

  /**
   * The message, for as long as it is not returned by `release()`; undefined: there is none.
   * @throws the system's error
   */
  async borrow(sequence: number): Promise<Live | undefined> {
    const inUse = this.#inUse.get(sequence) ?? this.#take(sequence);
    inUse.uses++;
    try {
      const live = await inUse.loading;
      if (live !== undefined && !live.isGone) return live;
    } catch (error) {
      this.release(sequence);
      throw error;
    }
    this.release(sequence);
    return undefined;
  }

  release(sequence: number): void {
    const inUse = this.#inUse.get(sequence);
    if (inUse === undefined || --inUse.uses > 0) return;
    this.#inUse.delete(sequence);
    if (inUse.live !== undefined && inUse.live.links > 0) this.#recent.delete(sequence);
  }

  #take(sequence: number): InUse {
    const recent = this.#recent.get(sequence);
    const inUse: InUse =
      recent === undefined
        ? { uses: 0, loading: this.#load(sequence) }
        : { uses: 0, loading: Promise.resolve(recent), live: recent };
    inUse.loading = inUse.loading.then((live) => {
      if (live !== undefined) inUse.live = live;
      return live;
    });
    this.#inUse.set(sequence, inUse);
    return inUse;
  }
}
