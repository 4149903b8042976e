/** A deadline that is running; times in monotonic milliseconds. */
export interface RunningDeadline {
  readonly id: string;
  readonly delay: number;
  readonly at: number;
}

/**
 * The deadlines that a chart has running, as a small table: `after` in a chart sets one on entering a state and
 * clears it on leaving. Nearly always one runs, which needs no array, and never more than a handful, so an array is searched,
 * not a heap.
 */
export class Deadlines {
  /** One of them; undefined: it does not run. */
  #id: string | undefined;
  #delay = 0;
  #at = 0;
  /** The others, made for the first. */
  #others: { readonly id: string; readonly delay: number; at: number }[] | undefined;

  /** Starts the deadline `id`, `delay` milliseconds from `now`; replaces a running one of that id. */
  set(id: string, delay: number, now: number): void {
    this.clear(id);
    if (this.#id === undefined) {
      this.#id = id;
      this.#delay = delay;
      this.#at = now + delay;
      return;
    }
    this.#others ??= [];
    this.#others.push({ id, delay, at: now + delay });
  }

  /**
   * Harmless when `id` is not running: firing and leaving the state both clear it.
   * @returns whether it was running
   */
  clear(id: string): boolean {
    if (this.#id === id) {
      this.#id = undefined;
      return true;
    }
    const place = this.#others?.findIndex((deadline) => deadline.id === id) ?? -1;
    if (place >= 0) this.#others?.splice(place, 1);
    return place >= 0;
  }

  /** Those that are running, in no order. */
  get running(): readonly RunningDeadline[] {
    const others = this.#others ?? [];
    if (this.#id === undefined) return others;
    return [{ id: this.#id, delay: this.#delay, at: this.#at }, ...others];
  }

  /** Begins every running wait anew: the peer did something that does not change the state. */
  restart(now: number): void {
    this.#at = now + this.#delay;
    if (this.#others === undefined) return;
    for (const deadline of this.#others) deadline.at = now + deadline.delay;
  }

  /** The earliest moment at which one is due. An endless one never is. */
  next(): number | undefined {
    let earliest = this.#id === undefined ? Number.POSITIVE_INFINITY : this.#at;
    if (this.#others !== undefined) {
      for (const { at } of this.#others) if (at < earliest) earliest = at;
    }
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
    const due = this.running.find((deadline) => deadline.at === next)?.id;
    if (due !== undefined) this.clear(due);
    return due;
  }
}
