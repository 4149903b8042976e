/** A binary heap of tasks: what is due first is at the top. Each task knows its place, so that any can be taken out. */
import { Column } from './column.js';

export class DueHeap {
  readonly #due: Column;
  readonly #places: Column;
  readonly #tasks = new Column(Uint32Array);
  #size = 0;

  /**
   * @param due when each task is due; not to be changed while it is in the heap
   * @param places where each task stands in the heap; the heap's to change while it is there
   */
  constructor(due: Column, places: Column) {
    this.#due = due;
    this.#places = places;
  }

  /** The task that is due first; undefined: there is none. */
  peek(): number | undefined {
    return this.#size > 0 ? this.#tasks.get(0) : undefined;
  }

  push(task: number): void {
    this.#rise(this.#size++, task);
  }

  remove(task: number): void {
    const gap = this.#places.get(task);
    const last = this.#tasks.get(--this.#size);
    if (gap === this.#size) return;
    if (gap > 0 && this.#precedes(last, this.#tasks.get((gap - 1) >> 1))) this.#rise(gap, last);
    else this.#sink(gap, last);
  }

  #rise(from: number, task: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = this.#tasks.get(above);
      if (!this.#precedes(task, other)) break;
      this.#put(place, other);
      place = above;
    }
    this.#put(place, task);
  }

  #sink(from: number, task: number): void {
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#size) break;
      if (below + 1 < this.#size && this.#precedes(this.#tasks.get(below + 1), this.#tasks.get(below)))
        below++;
      const other = this.#tasks.get(below);
      if (!this.#precedes(other, task)) break;
      this.#put(place, other);
      place = below;
    }
    this.#put(place, task);
  }

  #put(place: number, task: number): void {
    this.#tasks.set(place, task);
    this.#places.set(task, place);
  }

  #precedes(one: number, other: number): boolean {
    return this.#due.get(one) < this.#due.get(other);
  }
}
