/**
 * From the sequence number of a message to its row: a hash table with open addressing, 4 octets a slot, half of them free at
 * least. A `Map` would take five times as much.
 */
import type { Column } from './column.js';

const SMALLEST = 1024;

export class SequenceMap {
  /** The sequence number of each row, which the table itself does not repeat. */
  readonly #sequences: Column;
  /** Row + 1; 0: the slot is free. */
  #slots = new Uint32Array(SMALLEST);
  #size = 0;

  constructor(sequences: Column) {
    this.#sequences = sequences;
  }

  get size(): number {
    return this.#size;
  }

  /** The row; undefined: there is none. */
  get(sequence: number): number | undefined {
    for (let slot = this.#home(sequence); ; slot = this.#after(slot)) {
      const row = (this.#slots[slot] as number) - 1;
      if (row < 0) return undefined;
      if (this.#sequences.get(row) === sequence) return row;
    }
  }

  /** The sequence number must be in the column, and not in the table yet. */
  add(row: number): void {
    if (++this.#size * 2 > this.#slots.length) {
      const before = this.#slots;
      this.#slots = new Uint32Array(before.length * 2);
      for (const each of before) if (each > 0) this.#insert(each - 1);
    }
    this.#insert(row);
  }

  delete(sequence: number): void {
    let slot = this.#home(sequence);
    for (; ; slot = this.#after(slot)) {
      const row = (this.#slots[slot] as number) - 1;
      if (row < 0) return;
      if (this.#sequences.get(row) === sequence) break;
    }
    this.#size--;
    // Whatever would not be found behind the gap moves into it.
    for (let next = this.#after(slot); this.#slots[next] !== 0; next = this.#after(next)) {
      const home = this.#home(this.#sequences.get((this.#slots[next] as number) - 1));
      const isBetween = slot <= next ? slot < home && home <= next : slot < home || home <= next;
      if (isBetween) continue;
      this.#slots[slot] = this.#slots[next] as number;
      slot = next;
    }
    this.#slots[slot] = 0;
  }

  #insert(row: number): void {
    let slot = this.#home(this.#sequences.get(row));
    while (this.#slots[slot] !== 0) slot = this.#after(slot);
    this.#slots[slot] = row + 1;
  }

  #home(sequence: number): number {
    const high = (sequence / 2 ** 32) | 0;
    const mixed = Math.imul((sequence | 0) ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) & (this.#slots.length - 1);
  }

  #after(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1);
  }
}
