/**
 * The time of a test. It stands still until the test moves it, so that a time-out of five minutes takes none; and a test
 * that waits for what only time could bring is told so, instead of hanging until its runner gives up.
 *
 * - Time is virtual unless `realTime` asks for the clock on the wall.
 * - What is awaited by `wait()` stalls when ten turns of the event loop have passed in which nothing happened, nothing
 *   else was under way, and a deadline of virtual time is set. It then rejects with a `StalledError` that names the
 *   deadline.
 */
import type { Clock } from '@sansmtp/transport';
import { createVirtualClock } from '@sansmtp/transport-memory';
import { afterRealTime, turnOfEventLoop } from './host-timers.js';
import { StalledError } from './stalled-error.js';

/** Turns of the event loop without an event after which a test has stalled. */
const PATIENCE = 10;

/** The time of an inbox or a scripted server. */
export interface KitTime {
  /** The clock, for clients on the same time. */
  readonly clock: Clock;
  /** Milliseconds since it began. */
  now(): number;
  /**
   * Lets so many milliseconds pass at once: what falls due meanwhile happens, in order, each with what follows of it.
   * @throws {RangeError} the number is negative, or none
   * @throws {TypeError} the time is real, and passes by itself
   */
  advance(milliseconds: number): Promise<void>;
  /**
   * Awaits what the program under test does. Resolves and rejects as `promise` does.
   * @throws {StalledError} nothing happens any more, and only virtual time could change that
   */
  wait<Result>(promise: Promise<Result>): Promise<Result>;
}

/** What the kit itself does with the time. */
export interface OwnTime extends KitTime {
  /** Something has happened. */
  stir(): void;
  /** Names what a session waits for. Returns what takes it back. */
  addSession(describe: () => string | undefined): () => void;
}

export interface TimeOptions {
  /**
   * Time passes as on the wall. Needed where the program under test waits for something else than mail between two
   * commands, such as a database or a timer of its own.
   * @default false
   */
  readonly realTime?: boolean;
}

/** What the host knows of itself. */
export interface Host {
  /** Its clock, for real time. */
  readonly clock?: Clock;
  /** Something that is no timer is under way, such as a file that is read. */
  readonly isBusy?: () => boolean;
}

const HOST_CLOCK: Clock = {
  now: () => (Reflect.get(globalThis, 'performance') as { now(): number }).now(),
  set: (at, callback) => afterRealTime(Math.max(0, at - HOST_CLOCK.now()), callback),
};

export function createTime(options: TimeOptions, host: Host = {}): OwnTime {
  return options.realTime === true ? realTime(host.clock ?? HOST_CLOCK) : virtualTime(host.isBusy);
}

function realTime(clock: Clock): OwnTime {
  return {
    clock,
    now: () => clock.now(),
    advance: async () => {
      throw new TypeError('The time is real, and passes by itself; leave out realTime to advance it');
    },
    wait: (promise) => promise,
    stir: () => {},
    addSession: () => () => {},
  };
}

function virtualTime(isBusy: () => boolean = () => false): OwnTime {
  const clock = createVirtualClock({ settle: turnOfEventLoop });
  const sessions = new Set<() => string | undefined>();
  let events = 0;

  /** Resolves when nothing more can happen, or `isSettled` says that nobody waits any more. */
  async function stall(isSettled: () => boolean): Promise<void> {
    let seen = events;
    for (let turns = 0; turns < PATIENCE; turns++) {
      await turnOfEventLoop();
      if (isSettled()) return;
      if (events === seen && clock.pending > 0 && !isBusy()) continue;
      seen = events;
      turns = -1;
    }
  }

  return {
    clock,
    now: () => clock.now(),
    advance: (milliseconds) => clock.advanceAsync(milliseconds),
    async wait(promise) {
      let settled = false;
      const settle = () => {
        settled = true;
      };
      promise.then(settle, settle);
      await Promise.race([promise.catch(() => {}), stall(() => settled)]);
      if (settled) return promise;
      throw new StalledError(
        [...sessions].map((describe) => describe()).filter((each) => each !== undefined),
      );
    },
    stir: () => {
      events++;
    },
    addSession(describe) {
      sessions.add(describe);
      return () => void sessions.delete(describe);
    },
  };
}
