/**
 * Deadlines that share a clock, the earliest first (a binary heap), and one timer of the clock for all of them. The timer
 * is left standing when the deadline that it was set for goes; what it finds due then is nothing.
 */
import type { Clock } from './clock.js';

/** What stands in a queue; nobody but the queue changes `place`, nor anybody `at` meanwhile. */
export interface Deadline {
  readonly at: number;
  place: number;
  fire(): void;
}

/** `place` of what is in no queue. */
export const NOWHERE = -1;

/** `place` of what was taken out because it is due, and was not called yet. */
const DUE = -2;

const queues = new WeakMap<Clock, DeadlineQueue>();

export class DeadlineQueue {
  readonly #clock: Clock;
  readonly #heap: Deadline[] = [];
  /** When the timer fires; undefined: it is not set. */
  #setFor: number | undefined;
  #takeBack: () => void = () => {};

  /** The one of all who have this clock. */
  static of(clock: Clock): DeadlineQueue {
    const known = queues.get(clock);
    if (known !== undefined) return known;
    const made = new DeadlineQueue(clock);
    queues.set(clock, made);
    return made;
  }

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(deadline: Deadline): void {
    this.#heap.push(deadline);
    this.#raise(deadline, this.#heap.length - 1);
    this.#set();
  }

  /** Harmless when it is not in the queue. */
  remove(deadline: Deadline): void {
    const { place } = deadline;
    deadline.place = NOWHERE;
    if (place < 0) return;
    const last = this.#heap.pop();
    if (last !== undefined && last !== deadline) {
      this.#lower(last, place);
      this.#raise(last, last.place);
    }
    // Whoever waits for nothing holds nothing of the host's.
    if (this.#heap.length === 0) this.#unset();
  }

  /** Sets the timer, unless it fires early enough as it is. */
  #set(): void {
    const [first] = this.#heap;
    if (first === undefined || (this.#setFor !== undefined && this.#setFor <= first.at)) return;
    this.#unset();
    this.#setFor = first.at;
    this.#takeBack = this.#clock.set(first.at, this.#fire);
  }

  #unset(): void {
    if (this.#setFor === undefined) return;
    this.#setFor = undefined;
    this.#takeBack();
  }

  /** What is armed anew meanwhile is not looked at before the next turn. */
  readonly #fire = (): void => {
    const now = Math.max(this.#clock.now(), this.#setFor ?? 0);
    this.#setFor = undefined;
    const due: Deadline[] = [];
    for (let [first] = this.#heap; first !== undefined && first.at <= now; [first] = this.#heap) {
      this.remove(first);
      first.place = DUE;
      due.push(first);
    }
    try {
      for (const each of due) {
        // What was done about those before may have taken it back, or armed it anew.
        if (each.place !== DUE) continue;
        each.place = NOWHERE;
        each.fire();
      }
    } finally {
      // Where one of them threw, the others are due all the same.
      for (const each of due) if (each.place === DUE) this.add(each);
      this.#set();
    }
  };

  /** Moves it up to where nothing above it is later. */
  #raise(deadline: Deadline, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above] as Deadline;
      if (parent.at <= deadline.at) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(deadline, place);
  }

  /** Moves it down to where nothing below it is earlier. */
  #lower(deadline: Deadline, from: number): void {
    const heap = this.#heap;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && (heap[below + 1] as Deadline).at < (heap[below] as Deadline).at)
        below += 1;
      const child = heap[below] as Deadline;
      if (deadline.at <= child.at) break;
      this.#put(child, place);
      place = below;
    }
    this.#put(deadline, place);
  }

  #put(deadline: Deadline, place: number): void {
    this.#heap[place] = deadline;
    deadline.place = place;
  }
}
