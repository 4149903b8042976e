/** A deadline that is running; times in monotonic milliseconds. */
export interface RunningDeadline {
  readonly id: string;
  readonly delay: number;
  readonly at: number;
}

/**
 * The deadlines that a chart has running, as a small table: `after` in a chart sets one on entering a state and
 * clears it on leaving. A handful at most runs at once, so an array is searched, not a heap.
 */
export class Deadlines {
  readonly #running: { id: string; delay: number; at: number }[] = [];
  /** One that was cleared, to be used again: nearly every step clears one and sets one. */
  #spare: { id: string; delay: number; at: number } | undefined;

  /** Starts the deadline `id`, `delay` milliseconds from `now`; replaces a running one of that id. */
  set(id: string, delay: number, now: number): void {
    this.clear(id);
    const deadline = this.#spare ?? { id, delay, at: 0 };
    this.#spare = undefined;
    deadline.id = id;
    deadline.delay = delay;
    deadline.at = now + delay;
    this.#running.push(deadline);
  }

  /**
   * Harmless when `id` is not running: firing and leaving the state both clear it.
   * @returns whether it was running
   */
  clear(id: string): boolean {
    const running = this.#running;
    for (let index = 0; index < running.length; index += 1) {
      const cleared = running[index];
      if (cleared?.id !== id) continue;
      this.#spare = cleared;
      // The last one takes its place: the order says nothing, and a splice would make an array.
      const last = running.pop();
      if (last !== undefined && index < running.length) running[index] = last;
      return true;
    }
    return false;
  }

  /** Those that are running, in no order. */
  get running(): readonly RunningDeadline[] {
    return this.#running;
  }

  /** Begins every running wait anew: the peer did something that does not change the state. */
  restart(now: number): void {
    for (const deadline of this.#running) deadline.at = now + deadline.delay;
  }

  /** The earliest moment at which one is due. An endless one never is. */
  next(): number | undefined {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { at } of this.#running) if (at < earliest) earliest = at;
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  /**
   * Takes out the deadlines that are due at `now`, the earliest first. One by one, for what the caller does about
   * the one may clear the others.
   */
  *takeAllDue(now: number): Generator<string, void> {
    for (let id = this.#takeDue(now); id !== undefined; id = this.#takeDue(now)) yield id;
  }

  #takeDue(now: number): string | undefined {
    const next = this.next();
    if (next === undefined || next > now) return undefined;
    const index = this.#running.findIndex((deadline) => deadline.at === next);
    return this.#running.splice(index, 1)[0]?.id;
  }
}
