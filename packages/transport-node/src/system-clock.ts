/** Time as it passes: the clock for sessions over real sockets. */
import type { Clock } from '@sansmtp/transport';

/** What `setTimeout` can wait for at most; beyond it, it fires at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/**
 * Milliseconds of `performance.now()`. Any distance may be set, also one of more than 2^31 ms (25 days);
 * a moment that is no number is refused with a RangeError.
 *
 * The event loop comes to its timers before it looks at its sockets. After a pause of ours (a stop of the process, a
 * long turn) that would blame peers for a silence that is only ours, so the loop looks at the sockets first.
 *
 * A timer alone does not keep the process running: what a session waits for, it waits for at a socket, and that
 * keeps the process running as long as it is read from or written to.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  set(at, callback) {
    // It would be armed anew for ever, each time at once.
    if (Number.isNaN(at - performance.now())) {
      throw new RangeError(`The moment to call back at is ${at}; it takes milliseconds of this clock`);
    }
    let immediate: NodeJS.Immediate | undefined;
    const arm = () => setTimeout(fire, Math.min(Math.ceil(at - performance.now()), LONGEST_DELAY)).unref();
    const fire = () => {
      // Not only for long distances: Node counts from the start of the loop's turn, so it may fire early.
      if (performance.now() < at) timer = arm();
      // With a reference: without one the loop would sleep before it, until something else wakes it.
      else immediate = setImmediate(callback);
    };
    let timer = arm();
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
  afterOthers: (callback) => void setImmediate(callback),
};
