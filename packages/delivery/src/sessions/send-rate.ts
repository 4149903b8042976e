/**
 * How fast mail goes out: so many mail transactions in so much time, whenever that time begins. Whoever is early waits, in
 * the order in which they came.
 */
import type { Clock } from '@sansmtp/transport';

export class SendRate {
  readonly #limit: number;
  readonly #delta: number;
  readonly #clock: Clock;
  /** When the last `#limit` transactions began, or will: the oldest at `#oldest`, once there are as many. */
  readonly #begun: number[] = [];
  #oldest = 0;
  readonly #waiting = new Set<(reason: unknown) => void>();

  /**
   * @param limit transactions
   * @param delta in so many milliseconds
   */
  constructor(limit: number, delta: number, clock: Clock) {
    this.#limit = limit;
    this.#delta = delta;
    this.#clock = clock;
  }

  /**
   * Resolves when another transaction may begin; undefined: it may now.
   * @throws the signal's reason once it is aborted
   */
  turn(signal: AbortSignal | undefined): Promise<void> | undefined {
    const now = this.#clock.now();
    const at = Math.max(now, (this.#begun[this.#oldest] ?? Number.NEGATIVE_INFINITY) + this.#delta);
    this.#begun[this.#oldest] = at;
    this.#oldest = (this.#oldest + 1) % this.#limit;
    if (at <= now) return undefined;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(giveUp);
      };
      const giveUp = (reason: unknown): void => {
        settle();
        reject(reason);
      };
      const onAbort = (): void => giveUp(signal?.reason);
      const cancelTimer = this.#clock.set(at, () => {
        settle();
        resolve();
      });
      this.#waiting.add(giveUp);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Refuses all who wait. */
  abort(reason: unknown): void {
    for (const giveUp of this.#waiting) giveUp(reason);
  }
}
