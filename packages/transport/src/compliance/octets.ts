/**
 * The octets that a case sends: a sequence without end in which every place can be recognised, so that an octet
 * lost, doubled, altered or out of its place does not fit.
 */

/** A prime: no size of a chunk or a buffer hides a shift by being a multiple or a divisor of it. */
const PERIOD = 65_521;

export class Sequence {
  readonly #octets = new Uint8Array(PERIOD);

  constructor(seed: number) {
    let state = seed;
    for (let index = 0; index < PERIOD; index++) {
      state = (state * 48_271) % 2_147_483_647;
      this.#octets[index] = state;
    }
  }

  slice(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const start = (position + filled) % PERIOD;
      const part = this.#octets.subarray(start, start + length - filled);
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  matches(bytes: Uint8Array, position: number): boolean {
    const octets = this.#octets;
    let place = position % PERIOD;
    for (let index = 0; index < bytes.length; index++) {
      if (bytes[index] !== octets[place]) return false;
      place = place + 1 === PERIOD ? 0 : place + 1;
    }
    return true;
  }
}
