/**
 * How slowly a message may come. Time is an account: it begins with a minute, octets pay in what they should take at
 * the slowest, and what passes while the client is read from is taken out. It never holds more than the client may be
 * silent for in any case, so that a fast beginning does not pay for hours of a slow end.
 */

/** Milliseconds, for a message that has just begun. */
const ADVANCE = 60_000;

export class MailDataRate {
  readonly #octetTime: number;
  readonly #most: number;
  #left: number;

  /**
   * @param rate octets a second; 0 for no limit
   * @param most milliseconds that can be saved up
   */
  constructor(rate: number, most: number) {
    this.#octetTime = 1000 / rate;
    this.#most = Math.max(most, ADVANCE);
    this.#left = rate === 0 ? Number.POSITIVE_INFINITY : ADVANCE;
  }

  /** Milliseconds until the client is too slow, if nothing comes; `Infinity` without a limit. */
  get left(): number {
    return this.#left;
  }

  earn(octets: number): void {
    if (this.#left !== Number.POSITIVE_INFINITY) {
      this.#left = Math.min(this.#left + octets * this.#octetTime, this.#most);
    }
  }

  /** Nothing is owed: a pause of ours may have been longer than all that was left. */
  spend(milliseconds: number): void {
    this.#left = Math.max(this.#left - milliseconds, 0);
  }
}
