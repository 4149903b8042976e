/**
 * Notices that the wall clock was set, beside the monotonic one that goes on: by hand, by NTP after a start, or because the machine
 * slept, and the monotonic clock with it. Leases and pauses are then by a time that is not any more.
 */
import type { Clock } from '@sansmtp/transport';

/** Milliseconds by which the two may part between two looks. NTP slews by 30 a minute at most. */
const TOLERANCE = 1000;

export class WallClock {
  readonly #clock: Clock;
  readonly #now: () => number;
  #ahead: number;

  /** @param now milliseconds since 1970 UTC */
  constructor(clock: Clock, now: () => number) {
    this.#clock = clock;
    this.#now = now;
    this.#ahead = now() - clock.now();
  }

  /** @returns milliseconds by which it was set since the last look; 0: it was not */
  look(): number {
    const ahead = this.#now() - this.#clock.now();
    const by = ahead - this.#ahead;
    this.#ahead = ahead;
    return Math.abs(by) <= TOLERANCE ? 0 : by;
  }
}
