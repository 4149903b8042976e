/**
 * Messages that were just put: most are claimed at once, and need not be read from the disk then. They are as they were put: one that
 * was changed since is not among them, unless it is in use.
 */
import type { Live } from './live-message.js';

/** Octets of their records, short bodies included: some 2,500 messages of 1 KiB to one recipient. */
const RECENT_OCTETS = 4 * 1024 * 1024;

export class RecentMessages {
  /** The oldest first. */
  readonly #recent = new Map<number, { readonly live: Live; readonly octets: number }>();
  #octets = 0;

  get(sequence: number): Live | undefined {
    return this.#recent.get(sequence)?.live;
  }

  /** @param octets of its record */
  add(live: Live, octets: number): void {
    this.#recent.set(live.sequence, { live, octets });
    this.#octets += octets;
    for (const sequence of this.#recent.keys()) {
      if (this.#octets <= RECENT_OCTETS) return;
      this.delete(sequence);
    }
  }

  delete(sequence: number): void {
    const known = this.#recent.get(sequence);
    if (known === undefined) return;
    this.#recent.delete(sequence);
    this.#octets -= known.octets;
  }
}
