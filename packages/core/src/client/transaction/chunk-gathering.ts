/**
 * Mail data that goes by BDAT, gathered to chunks (RFC 3030 §2): each chunk is a command and a reply, and so a body of
 * many small pieces would have as many of those.
 *
 * - The newest octets are always held back, 1 to 65,536 of them: they may be the last, and then stand in the chunk that
 *   says so. A message that fits is one `BDAT n LAST`.
 * - Small pieces are copied, once each. Of a large one, what is not held back goes out uncopied.
 */
import { concatenate, copyOctets, NOTHING } from '../../wire/octets.js';

const CHUNK_OCTETS = 65_536;

export class ChunkGathering {
  /** Holds what is held back in its first `#held` octets; longer than that only where it is our own. */
  #buffer: Uint8Array = NOTHING;
  #held = 0;

  /**
   * Takes the next octets.
   * @returns those to be sent as one chunk, a multiple of 65,536; undefined if it is none yet
   */
  add(octets: Uint8Array): Uint8Array | undefined {
    const total = this.#held + octets.length;
    if (total <= CHUNK_OCTETS) {
      this.#append(octets);
      return undefined;
    }
    const due = Math.floor((total - 1) / CHUNK_OCTETS) * CHUNK_OCTETS;
    const taken = due - this.#held;
    const head = octets.subarray(0, taken);
    const chunk = this.#held === 0 ? head : concatenate([this.#buffer.subarray(0, this.#held), head]);
    this.#buffer = octets.subarray(taken);
    this.#held = this.#buffer.length;
    return chunk;
  }

  /** All that is held back, and these octets after it: the last chunk. */
  end(octets: Uint8Array): Uint8Array {
    const held = this.#buffer.subarray(0, this.#held);
    this.#buffer = NOTHING;
    this.#held = 0;
    return octets.length === 0 ? held : concatenate([held, octets]);
  }

  #append(octets: Uint8Array): void {
    const length = this.#held + octets.length;
    if (this.#held === 0) {
      this.#buffer = octets;
    } else {
      if (length > this.#buffer.length) {
        const larger = new Uint8Array(Math.min(CHUNK_OCTETS, 2 * length));
        copyOctets(this.#buffer, 0, this.#held, larger, 0);
        this.#buffer = larger;
      }
      copyOctets(octets, 0, octets.length, this.#buffer, this.#held);
    }
    this.#held = length;
  }
}
