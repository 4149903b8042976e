/**
 * Octets that wait, joined: many small arrays cost many times the memory of what is in them, and each a write of its
 * own. It grows as it is filled, to twice what is in it at most.
 */

/** The least that is allocated. */
const LEAST_CAPACITY = 1024;

/** An array of its own would cost more than all else about what is never filled. */
const NOTHING = new Uint8Array(0);

export class Gathering {
  #octets: Uint8Array = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#octets.length) {
      const larger = new Uint8Array(Math.max(LEAST_CAPACITY, 2 * length));
      larger.set(this.#octets.subarray(0, this.#length));
      this.#octets = larger;
    }
    this.#octets.set(bytes, this.#length);
    this.#length = length;
  }

  /** All of it, in one array that is the caller's. */
  take(): Uint8Array {
    if (this.#length === 0) return NOTHING;
    const octets = this.#octets.subarray(0, this.#length);
    this.#octets = NOTHING;
    this.#length = 0;
    return octets;
  }
}
