/** A binary heap: what comes first is at the top. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #precedes: (one: T, other: T) => boolean;

  constructor(precedes: (one: T, other: T) => boolean) {
    this.#precedes = precedes;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    let place = this.#items.push(item) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!this.#precedes(item, this.#items[above] as T)) break;
      this.#items[place] = this.#items[above] as T;
      place = above;
    }
    this.#items[place] = item;
  }

  pop(): T | undefined {
    const [top] = this.#items;
    const last = this.#items.pop();
    if (this.#items.length === 0 || last === undefined) return top;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#items.length) break;
      const right = this.#items[below + 1];
      if (right !== undefined && this.#precedes(right, this.#items[below] as T)) below++;
      if (!this.#precedes(this.#items[below] as T, last)) break;
      this.#items[place] = this.#items[below] as T;
      place = below;
    }
    this.#items[place] = last;
    return top;
  }
}
