/**
 * A clock that stands still until it is told to advance, so that a test of a five-minute timeout takes no time.
 *
 * Invariants: timers fire in the order of their moments, those of one moment in the order they were set; while
 * one fires, `now()` is its moment (or the present one, if it was set for the past); a timer set by a firing
 * one is fired by the same advance when it falls within it.
 */
import { checkNames, kindOf } from '@sansmtp/core';
import type { Clock } from '@sansmtp/transport';

export interface VirtualClock extends Clock {
  /** Timers set, and neither fired nor taken back. */
  readonly pending: number;
  /**
   * Moves time by `ms` and fires what falls due. Promise reactions do not run in between, so a timer that a
   * reaction would set is not seen: use `advanceAsync` where promises are at work.
   * @throws {RangeError} when `ms` is negative or not a number
   */
  advance(ms: number): void;
  /** Like `advance`, and lets promise reactions settle before the first timer, after each and at the end. */
  advanceAsync(ms: number): Promise<void>;
}

export interface VirtualClockOptions {
  /**
   * Lets promise reactions settle. ECMAScript alone cannot tell when they have; where the runtime has tasks, a
   * function that waits for the next one (Node: `() => new Promise(setImmediate)`) is exact.
   * @default waits for 1024 turns of the microtask queue, about 50 µs
   */
  readonly settle?: () => Promise<unknown>;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

async function takeTurns(): Promise<void> {
  for (let turn = 0; turn < 1024; turn++) await undefined;
}

export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  checkNames('The option', options, ['settle']);
  const { settle = takeTurns } = options;
  if (typeof settle !== 'function') {
    throw new TypeError(`The option settle is ${kindOf(settle)}; it takes a function`);
  }
  let now = 0;
  /** By moment, the next one last, so that firing is a `pop()`. */
  const timers: Timer[] = [];

  function fireNext(until: number): boolean {
    const timer = timers.at(-1);
    if (timer === undefined || timer.at > until) return false;
    timers.pop();
    now = Math.max(now, timer.at);
    timer.callback();
    return true;
  }

  function target(ms: number): number {
    if (!(ms >= 0)) throw new RangeError(`A clock cannot advance by ${ms} ms: it needs a number from 0 on`);
    return now + ms;
  }

  return {
    get pending() {
      return timers.length;
    },
    now: () => now,
    set(at, callback) {
      const timer: Timer = { at, callback };
      const place = timers.findLastIndex((other) => other.at > at) + 1;
      timers.splice(place, 0, timer);
      return () => {
        const index = timers.indexOf(timer);
        if (index >= 0) timers.splice(index, 1);
      };
    },
    afterOthers: (callback) => void Promise.resolve().then(callback),
    advance(ms) {
      const until = target(ms);
      while (fireNext(until));
      now = until;
    },
    async advanceAsync(ms) {
      const until = target(ms);
      do await settle();
      while (fireNext(until));
      now = until;
    },
  };
}
