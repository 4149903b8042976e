/**
 * The timer of a driver: one is armed at a time, and left standing when the deadline moves away, for deadlines move
 * at every command. So what is called has to look whether anything is due, and to arm it anew.
 *
 * All timers of a clock share one of its own: thousands of sessions wait for five minutes each, and a timer of the host for
 * each would cost more memory than the wait is worth.
 */
import type { Clock } from './clock.js';
import { type Deadline, DeadlineQueue, NOWHERE } from './deadline-queue.js';

/** Whom a timer calls. */
export interface Due {
  due(): void;
}

export class DeadlineTimer implements Deadline {
  readonly #queue: DeadlineQueue;
  #owner: Due | undefined;
  /** When it fires; counts while it is armed. */
  at = 0;
  place = NOWHERE;

  constructor(clock: Clock) {
    this.#queue = DeadlineQueue.of(clock);
  }

  /** @param next when `owner` is to be called at the latest; undefined changes nothing */
  arm(next: number | undefined, owner: Due): void {
    if (next === undefined || (this.place >= 0 && this.at <= next)) return;
    this.clear();
    this.at = next;
    this.#owner = owner;
    this.#queue.add(this);
  }

  clear(): void {
    this.#queue.remove(this);
  }

  /** For the queue only. */
  fire(): void {
    this.#owner?.due();
  }
}
