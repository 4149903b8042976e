/**
 * When a case stops waiting: what hangs is said within two seconds, also with the wait at the case's end, and a busy
 * machine is not taken for a broken transport. There, few moments pass in much time; so time alone decides nothing, nor
 * does it while anything still happens.
 */

/** So many moments without any callback are enough. */
const MOMENTS = 1000;
/** So much time in milliseconds is enough too, if there were a few moments in it. */
const TIME = 800;
const FEW_MOMENTS = 25;

interface HostPerformance {
  now(): number;
}

/** Milliseconds; always the same where the host has no clock, and the moments alone count. */
function now(): number {
  const performance: HostPerformance | undefined = Reflect.get(globalThis, 'performance');
  return performance?.now() ?? 0;
}

export class Patience {
  #moments = 0;
  #since = now();
  #progress: number;
  readonly #limits: { readonly moments: number; readonly time: number };

  /**
   * @param progress how much has happened so far
   * @param limits.moments `Infinity` where time alone decides
   */
  constructor(progress = 0, { moments = MOMENTS, time = TIME } = {}) {
    this.#progress = progress;
    this.#limits = { moments, time };
  }

  /** Whether it is over; to be asked before each moment. */
  isOver(progress = 0): boolean {
    if (progress !== this.#progress) {
      this.#progress = progress;
      this.#moments = 0;
      this.#since = now();
    }
    const { moments, time } = this.#limits;
    const isOver = this.#moments >= moments || (this.#moments >= FEW_MOMENTS && now() - this.#since >= time);
    this.#moments++;
    return isOver;
  }
}
