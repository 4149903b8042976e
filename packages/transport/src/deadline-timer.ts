/**
 * The timer of a driver: one is armed at a time, and left standing when the deadline moves away, for deadlines move
 * at every command. So what is called has to look whether anything is due, and to arm it anew.
 */
import type { Clock } from './clock.js';

export class DeadlineTimer {
  readonly #clock: Clock;
  /** When the timer that is armed fires. */
  #at: number | undefined;
  #takeBack: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param next when `onDue` is to be called at the latest; undefined changes nothing */
  arm(next: number | undefined, onDue: () => void): void {
    if (next === undefined || (this.#at !== undefined && this.#at <= next)) return;
    this.clear();
    this.#at = next;
    this.#takeBack = this.#clock.set(next, () => {
      this.#at = undefined;
      onDue();
    });
  }

  clear(): void {
    this.#at = undefined;
    this.#takeBack();
  }
}
