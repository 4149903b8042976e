/**
 * Room for small arrays that are written, cut one after the other from a larger one: to allocate an array for each, outside of
 * the engine's heap, as the system needs it, costs more than all else about a command.
 *
 * What was cut is never written into again, so each piece stays as it is, for as long as a stream keeps it. A slab belongs
 * to one connection: no array of one lies beside octets of another.
 */

/** Longer ones get an array of their own. */
export const MAXIMUM_CUT_OCTETS = 2048;

const SLAB_OCTETS = 8192;

export class OctetSlab {
  #slab: Uint8Array = new Uint8Array(0);
  /** Up to here it was cut. */
  #end = 0;

  /**
   * The octets in a piece of the slab.
   * @param more what follows them; both together have no more octets than may be cut
   */
  copy(octets: Uint8Array, more?: Uint8Array): Uint8Array {
    const begin = this.#place(octets.length + (more === undefined ? 0 : more.length));
    this.#slab.set(octets, begin);
    if (more !== undefined) this.#slab.set(more, begin + octets.length);
    return this.#slab.subarray(begin, this.#end);
  }

  /** Where there is room for so many octets. */
  #place(count: number): number {
    if (this.#end + count > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_OCTETS);
      this.#end = 0;
    }
    const begin = this.#end;
    this.#end += count;
    return begin;
  }
}
