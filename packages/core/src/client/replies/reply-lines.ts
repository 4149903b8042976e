/**
 * What the server sends, cut into lines.
 *
 * - The first line that is not empty decides what a line end is, for as long as the connection is heard in the same way
 *   (until `clear()`): CRLF, or LF alone if it ended in that. Nothing of ours was quoted before it, or what was, our name
 *   in EHLO, holds neither. So a server that quotes what a client has sent, a message included, cannot be made to say
 *   a line of somebody else's: where lines end in CRLF, a bare CR and a bare LF are text (RFC 5321 §2.3.8).
 * - What comes out depends on the octets alone, never on how they were cut into chunks, the limit included.
 * - Chunks are kept as views. An unfinished line is copied once for each doubling of its length.
 */
import { CR, copyOctets, LF, NOTHING } from '../../wire/octets.js';

/** The least that is allocated for an unfinished line: most reply lines fit. */
const LEAST_CAPACITY = 128;

export class ReplyLines {
  #lineEnd: 'undecided' | 'CRLF' | 'LF' = 'undecided';
  /** Holds what is unread from `#begin` to `#end`. */
  #octets: Uint8Array = NOTHING;
  #begin = 0;
  #end = 0;
  /** Up to here there is no line end. */
  #scanned = 0;
  /** `#octets` is our own copy, with room after `#end`. */
  #isCopy = false;

  /** How many octets are unread. */
  get length(): number {
    return this.#end - this.#begin;
  }

  /** What is unread, as a view: the beginning of a line, once there is no whole one left. */
  get rest(): Uint8Array {
    return this.#octets.subarray(this.#begin, this.#end);
  }

  /** Takes what the server sent, as a view. */
  push(bytes: Uint8Array): void {
    const { length } = this;
    if (length === 0) {
      this.#octets = bytes;
      this.#begin = 0;
      this.#end = bytes.length;
      this.#scanned = 0;
      this.#isCopy = false;
      return;
    }
    if (!this.#isCopy || this.#end + bytes.length > this.#octets.length) {
      const larger = new Uint8Array(Math.max(LEAST_CAPACITY, 2 * (length + bytes.length)));
      copyOctets(this.#octets, this.#begin, this.#end, larger, 0);
      this.#scanned -= this.#begin;
      this.#octets = larger;
      this.#begin = 0;
      this.#end = length;
      this.#isCopy = true;
    }
    this.#end = copyOctets(bytes, 0, bytes.length, this.#octets, this.#end);
  }

  /** Forgets all that came, and what a line end is. */
  clear(): void {
    this.#octets = NOTHING;
    this.#begin = 0;
    this.#end = 0;
    this.#scanned = 0;
    this.#isCopy = false;
    this.#lineEnd = 'undecided';
  }

  /**
   * The next line without its end; `tooLong` where that does not come within the limit, and then nothing more may be
   * read; undefined until more is pushed.
   * @param maximumLength in octets with the line end, at least 2
   */
  next(maximumLength: number): Uint8Array | 'tooLong' | undefined {
    const end = Math.min(this.#end, this.#begin + maximumLength);
    if (this.#scanned >= end) return end - this.#begin >= maximumLength ? 'tooLong' : undefined;
    // Where our copy has more room, or the limit comes first, what lies beyond is not looked at.
    const octets = end === this.#octets.length ? this.#octets : this.#octets.subarray(0, end);
    for (;;) {
      const lineFeed = octets.indexOf(LF, this.#scanned);
      if (lineFeed < 0) {
        this.#scanned = octets.length;
        return octets.length - this.#begin >= maximumLength ? 'tooLong' : undefined;
      }
      this.#scanned = lineFeed + 1;
      const followsCr = lineFeed > this.#begin && octets[lineFeed - 1] === CR;
      if (this.#lineEnd === 'CRLF' && !followsCr) continue;
      const line = octets.subarray(this.#begin, followsCr ? lineFeed - 1 : lineFeed);
      this.#begin = lineFeed + 1;
      if (this.#lineEnd === 'undecided' && line.length > 0) this.#lineEnd = followsCr ? 'CRLF' : 'LF';
      return line;
    }
  }
}
