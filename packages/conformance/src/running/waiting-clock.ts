/** Time on the wall. Unlike a server's clock, it keeps the process running: a probe that waits for its turn has nothing else. */
import type { Clock } from '@sansmtp/transport';

export const waitingClock: Clock = {
  now: () => performance.now(),
  set(at, callback) {
    const timer = setTimeout(callback, Math.max(0, at - performance.now()));
    return () => clearTimeout(timer);
  },
};
