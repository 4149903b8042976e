/** SHA-256 (FIPS 180-4), piece by piece: the cores of browsers and of Node have none that is synchronous in both. */

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const CONSTANTS = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)));
const BLOCK = 64;

export class Sha256 {
  /** Those of the square roots of the first 8. */
  readonly #state = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));
  readonly #words = new Int32Array(64);
  readonly #block = new Uint8Array(BLOCK);
  #held = 0;
  #length = 0;

  /** Octets that were taken in. */
  get length(): number {
    return this.#length;
  }

  update(octets: Uint8Array): void {
    this.#length += octets.length;
    let from = 0;
    if (this.#held > 0) {
      from = Math.min(BLOCK - this.#held, octets.length);
      this.#block.set(octets.subarray(0, from), this.#held);
      this.#held += from;
      if (this.#held < BLOCK) return;
      this.#compress(this.#block, 0);
    }
    for (; from + BLOCK <= octets.length; from += BLOCK) this.#compress(octets, from);
    this.#block.set(octets.subarray(from));
    this.#held = octets.length - from;
  }

  /** The digest in hex. Take nothing in afterwards. */
  digest(): string {
    const bits = this.#length * 8;
    const padding = new Uint8Array((this.#held < 56 ? 64 : 128) - this.#held);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bits / 0x1_0000_0000));
    view.setUint32(padding.length - 4, bits >>> 0);
    this.update(padding);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #compress(octets: Uint8Array, from: number): void {
    const words = this.#words;
    for (let i = 0; i < 16; i += 1) {
      const at = from + i * 4;
      words[i] =
        (octetAt(octets, at) << 24) |
        (octetAt(octets, at + 1) << 16) |
        (octetAt(octets, at + 2) << 8) |
        octetAt(octets, at + 3);
    }
    for (let i = 16; i < 64; i += 1) {
      const [w15, w2] = [word(words, i - 15), word(words, i - 2)];
      const s0 = rotated(w15, 7) ^ rotated(w15, 18) ^ (w15 >>> 3);
      const s1 = rotated(w2, 17) ^ rotated(w2, 19) ^ (w2 >>> 10);
      words[i] = (word(words, i - 16) + s0 + word(words, i - 7) + s1) | 0;
    }
    const state = this.#state;
    let [a, b, c, d, e, f, g, h] = state as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    for (let i = 0; i < 64; i += 1) {
      const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + word(CONSTANTS, i) + word(words, i)) | 0;
      const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = (word(state, i) + value) | 0;
  }
}

/** SHA-256 of these octets, in hex. */
export function sha256(octets: Uint8Array): string {
  const hash = new Sha256();
  hash.update(octets);
  return hash.digest();
}

function octetAt(octets: Uint8Array, index: number): number {
  return octets[index] as number;
}

function word(words: Int32Array, index: number): number {
  return words[index] as number;
}

function rotated(value: number, by: number): number {
  return (value >>> by) | (value << (32 - by));
}

function fraction(value: number): number {
  return ((value % 1) * 0x1_0000_0000) | 0;
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate += 1) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}
