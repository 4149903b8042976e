/**
 * A clock for servers in memory: time stands still as long as anything happens, and then leaps to the next deadline. A
 * case that waits for silence takes no time.
 */
import type { Clock } from '@sansmtp/transport';

/** Turns of the event loop in which nothing happens before time leaps. */
const PATIENCE = 3;
/** Time that leaps. */
export interface IdleClock extends Clock {
  /** Time stands still until the work is done: for what goes on in a thread of its own, such as a digest. */
  during<Result>(work: Result | Promise<Result>): Result | Promise<Result>;
}

/** A leap beyond this many milliseconds is for something that does not come, unless somebody works on it and did not say so. */
const LONG_LEAP = 1000;
/** Milliseconds of real time that such work may take. */
const WORK = 50;

export function createIdleClock(): IdleClock {
  let now = 0;
  let isWatching = false;
  const works = new Set<Promise<unknown>>();
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  async function watch(): Promise<void> {
    isWatching = true;
    while (timers.size > 0) {
      await Promise.allSettled(works);
      const before = [...timers];
      for (let turn = 0; turn < PATIENCE; turn++) await new Promise((resolve) => setImmediate(resolve));
      const isUnchanged = () => before.length === timers.size && before.every((timer) => timers.has(timer));
      if (works.size > 0) continue;
      // Whatever set or took back a timer may do so again.
      if (!isUnchanged()) continue;
      const [first] = before.sort((one, other) => one.at - other.at);
      if (first === undefined) continue;
      if (first.at - now > LONG_LEAP) await new Promise((resolve) => setTimeout(resolve, WORK));
      if (!isUnchanged() || works.size > 0) continue;
      timers.delete(first);
      now = Math.max(now, first.at);
      first.callback();
    }
    isWatching = false;
  }

  return {
    now: () => now,
    during(work) {
      if (!(work instanceof Promise)) return work;
      works.add(work);
      const end = () => void works.delete(work);
      work.then(end, end);
      return work;
    },
    set(at, callback) {
      const timer = { at, callback };
      timers.add(timer);
      if (!isWatching) void watch();
      return () => void timers.delete(timer);
    },
  };
}
