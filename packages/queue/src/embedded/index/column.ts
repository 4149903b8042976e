/**
 * Columns of numbers for what is there a million times: a number in a typed array takes the octets of its type, where an
 * object takes ten times as much and the garbage collector's time. They grow by chunks, so that nothing is ever copied.
 */

const CHUNK_BITS = 14;
const CHUNK = 1 << CHUNK_BITS;

type Numbers = Float64Array | Uint32Array | Uint8Array | Int8Array;

/** Numbers by row. */
export class Column {
  readonly #make: new (
    length: number,
  ) => Numbers;
  readonly #chunks: Numbers[] = [];

  /** @param make what a chunk is made of: its type says which numbers fit */
  constructor(make: new (length: number) => Numbers) {
    this.#make = make;
  }

  /** The row must have been set. */
  get(row: number): number {
    return (this.#chunks[row >>> CHUNK_BITS] as Numbers)[row & (CHUNK - 1)] as number;
  }

  set(row: number, value: number): void {
    const number = row >>> CHUNK_BITS;
    while (this.#chunks.length <= number) this.#chunks.push(new this.#make(CHUNK));
    (this.#chunks[number] as Numbers)[row & (CHUNK - 1)] = value;
  }
}

/** Gives out the numbers of rows; those given back first, so that columns grow no longer than they must. */
export class Rows {
  readonly #free: number[] = [];
  #end = 0;

  /** All rows that were ever given out are below it. */
  get end(): number {
    return this.#end;
  }

  take(): number {
    return this.#free.pop() ?? this.#end++;
  }

  giveBack(row: number): void {
    this.#free.push(row);
  }
}
