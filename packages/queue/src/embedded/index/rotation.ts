/** Those who have their turns, first to last: a doubly linked list, so that any can leave at any time. */

export interface Turn<T> {
  before: T | undefined;
  after: T | undefined;
}

export class Rotation<T extends Turn<T>> {
  #first: T | undefined;
  #last: T | undefined;

  get first(): T | undefined {
    return this.#first;
  }

  append(one: T): void {
    one.before = this.#last;
    one.after = undefined;
    if (this.#last === undefined) this.#first = one;
    else this.#last.after = one;
    this.#last = one;
  }

  remove(one: T): void {
    if (one.before === undefined) this.#first = one.after;
    else one.before.after = one.after;
    if (one.after === undefined) this.#last = one.before;
    else one.after.before = one.before;
    one.before = undefined;
    one.after = undefined;
  }
}
