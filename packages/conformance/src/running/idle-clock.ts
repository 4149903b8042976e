/**
 * A clock for servers in memory: time stands still as long as anything happens, and then leaps to the next deadline. A
 * case that waits for silence takes no time.
 */
import type { Clock } from '@sansmtp/transport';

/** Turns of the event loop in which nothing happens before time leaps. */
const PATIENCE = 3;
/** A leap beyond this many milliseconds is for something that does not come, unless it is still being worked on. */
const LONG_LEAP = 1000;
/** Milliseconds of real time that such work may take: a digest in a thread of its own. */
const WORK = 50;

export function createIdleClock(): Clock {
  let now = 0;
  let isWatching = false;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  async function watch(): Promise<void> {
    isWatching = true;
    while (timers.size > 0) {
      const before = [...timers];
      for (let turn = 0; turn < PATIENCE; turn++) await new Promise((resolve) => setImmediate(resolve));
      const isUnchanged = () => before.length === timers.size && before.every((timer) => timers.has(timer));
      // Whatever set or took back a timer may do so again.
      if (!isUnchanged()) continue;
      const [first] = before.sort((one, other) => one.at - other.at);
      if (first === undefined) continue;
      if (first.at - now > LONG_LEAP) await new Promise((resolve) => setTimeout(resolve, WORK));
      if (!isUnchanged()) continue;
      timers.delete(first);
      now = Math.max(now, first.at);
      first.callback();
    }
    isWatching = false;
  }

  return {
    now: () => now,
    set(at, callback) {
      const timer = { at, callback };
      timers.add(timer);
      if (!isWatching) void watch();
      return () => void timers.delete(timer);
    },
  };
}
