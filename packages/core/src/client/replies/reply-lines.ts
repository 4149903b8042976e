/**
 * What the server sends, cut into lines.
 *
 * - The first line that is not empty decides what a line end is, for as long as the connection is heard in the same way
 *   (after a TLS handshake there is a new one of these): CRLF, or LF alone if it ended in that. Nothing of ours was quoted before it, or what was, our name
 *   in EHLO, holds neither. So a server that quotes what a client has sent, a message included, cannot be made to say
 *   a line of somebody else's: where lines end in CRLF, a bare CR and a bare LF are text (RFC 5321 §2.3.8).
 * - What comes out depends on the octets alone, never on how they were cut into chunks, the limit included.
 * - Chunks are stored as views. An unfinished line is copied once for each doubling of its length.
 * - A line is found first, and made an array only where somebody has to read it: most are known by their octets.
 */
import { CR, copyOctets, LF, NOTHING } from '../../wire/octets.js';

/** The least that is allocated for an unfinished line: most reply lines fit. */
const LEAST_CAPACITY = 128;

export class ReplyLines {
  #ending: 'undecided' | 'CRLF' | 'LF' = 'undecided';
  /** Holds what is unread from `#begin` to `#end`, and the line that `next` has found. */
  octets: Uint8Array = NOTHING;
  #begin = 0;
  #end = 0;
  /** Up to here there is no line end. */
  #scanned = 0;
  /** `octets` is our own copy, with room after `#end`. */
  #isCopy = false;
  /** Where in `octets` the line stands that `next` has found, without its end. */
  lineBegin = 0;
  lineEnd = 0;

  /** How many octets are unread. */
  get length(): number {
    return this.#end - this.#begin;
  }

  /** What is unread, as a view: the beginning of a line, once there is no whole one left. */
  get rest(): Uint8Array {
    return this.octets.subarray(this.#begin, this.#end);
  }

  /** The line that `next` has found, as a view. */
  get line(): Uint8Array {
    return this.octets.subarray(this.lineBegin, this.lineEnd);
  }

  /** Takes what the server sent, as a view. */
  push(bytes: Uint8Array): void {
    const { length } = this;
    if (length === 0) {
      this.octets = bytes;
      this.#begin = 0;
      this.#end = bytes.length;
      this.#scanned = 0;
      this.#isCopy = false;
      return;
    }
    if (!this.#isCopy || this.#end + bytes.length > this.octets.length) {
      const larger = new Uint8Array(Math.max(LEAST_CAPACITY, 2 * (length + bytes.length)));
      copyOctets(this.octets, this.#begin, this.#end, larger, 0);
      this.#scanned -= this.#begin;
      this.octets = larger;
      this.#begin = 0;
      this.#end = length;
      this.#isCopy = true;
    }
    this.#end = copyOctets(bytes, 0, bytes.length, this.octets, this.#end);
  }

  /**
   * Finds the next line; `tooLong` where its end does not come within the limit, and then nothing more may be read;
   * undefined until more is pushed.
   * @param maximumLength in octets with the line end, at least 2
   */
  next(maximumLength: number): 'line' | 'tooLong' | undefined {
    const octets = this.octets;
    const begin = this.#begin;
    // Where our copy has more room, or the limit comes first, what lies beyond is not looked at.
    const end = Math.min(this.#end, begin + maximumLength);
    let place = this.#scanned;
    for (; place < end; place += 1) {
      if (octets[place] !== LF) continue;
      const followsCr = place > begin && octets[place - 1] === CR;
      if (this.#ending === 'CRLF' && !followsCr) continue;
      this.lineBegin = begin;
      this.lineEnd = followsCr ? place - 1 : place;
      this.#begin = place + 1;
      this.#scanned = place + 1;
      if (this.#ending === 'undecided' && this.lineEnd > begin) this.#ending = followsCr ? 'CRLF' : 'LF';
      return 'line';
    }
    this.#scanned = place;
    return end - begin >= maximumLength ? 'tooLong' : undefined;
  }
}
