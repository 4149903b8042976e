/**
 * A clock for servers in memory: time stands still as long as anything happens, and then leaps to the next deadline. A
 * case that waits for silence takes no time.
 */
import type { Clock, Cryptography } from '@sansmtp/transport';

/** Turns of the event loop in which nothing happens before time leaps. */
const PATIENCE = 3;

export interface IdleClock extends Clock {
  /** The same computations; time stands still while one is under way, be it in a thread of its own. */
  pausedBy(cryptography: Cryptography): Cryptography;
}

/**
 * Give the server's `cryptography` as `clock.pausedBy(cryptography)`, and that of `passwordUsers` too: else time leaps over
 * the reply to a login whose digest is not there yet.
 */
export function createIdleClock(): IdleClock {
  let now = 0;
  let isWatching = false;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  const computations = new Set<Promise<unknown>>();

  async function watch(): Promise<void> {
    isWatching = true;
    while (timers.size > 0) {
      await Promise.allSettled(computations);
      const before = [...timers];
      for (let turn = 0; turn < PATIENCE; turn++) await new Promise((resolve) => setImmediate(resolve));
      // Whatever set or took back a timer may do so again.
      const isUnchanged = before.length === timers.size && before.every((timer) => timers.has(timer));
      if (!isUnchanged || computations.size > 0) continue;
      const [first] = before.sort((one, other) => one.at - other.at);
      if (first === undefined) continue;
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
    pausedBy: (cryptography) => ({
      compute(computation) {
        const result = cryptography.compute(computation);
        if (!(result instanceof Promise)) return result;
        computations.add(result);
        const forget = () => void computations.delete(result);
        result.then(forget, forget);
        return result;
      },
    }),
  };
}
