/**
 * Mail data as it comes over the wire: finds its end and undoes transparency (RFC 5321 §4.5.2).
 *
 * - Only CRLF "." CRLF ends mail data, or "." CRLF at its very beginning. The CRLF before the dot belongs to
 *   the data. No bare CR or bare LF has a part in it, whatever becomes of those: a server that takes "LF . LF" or
 *   "LF . CRLF" for the end lets a second message be smuggled in with the first (RFC 5321 §4.1.1.4).
 * - Any other dot at the beginning of a line is dropped. Where a bare LF ends a line (`normalize`) it becomes CRLF, and a
 *   dot after it is dropped too; a line of one dot is then an empty line.
 * - Data, end and flaw depend on the octets alone, never on how they were cut into chunks.
 * - A flaw does not lose the end: data goes on as before, and whoever does not want it discards it.
 * - Nothing is held back across chunks but a CR behind a dot at the beginning of a line.
 */

import { CR, DOT, indexOfControl, LF, NOTHING, NUL, wordsIn } from '../octets.js';
import { LineFlaws, type LineRules, type MailDataFlaw } from './line-flaws.js';
import { edited } from './mail-data-edits.js';
import { endOfPlainLines } from './plain-lines.js';

/** What one chunk came to. */
export interface DecodedMailData {
  /** Mail data without transparency, possibly empty. A view into the chunk unless something inside it had to change. */
  readonly data: Uint8Array;
  /** How many octets of the chunk belonged to the mail data, its end included: all of them until it ended. */
  readonly consumed: number;
  /** The mail data is complete. Decode nothing more with this decoder. */
  readonly ended: boolean;
}

/** What the last octet was, as far as the meaning of the next depends on it. */
type Place =
  /** The LF of CRLF, or nothing yet. */
  | 'lineBegin'
  /** A bare LF that ended a line: the mail data cannot end here. */
  | 'bareLineBegin'
  /** A dot at the beginning of a line. */
  | 'dot'
  /** A CR right behind such a dot: if LF follows, the mail data has ended. */
  | 'dotCarriageReturn'
  /** Any other CR. */
  | 'carriageReturn'
  /** Anything else. */
  | 'line';

/** What lies between two positions of the chunk, as it is to be stored: a view if nothing has to change. */
function dataOf(
  chunk: Uint8Array,
  begin: number,
  end: number,
  startsWithHeld: boolean,
  edits: readonly number[] = [],
): Uint8Array {
  if (startsWithHeld || edits.length > 0) return edited(chunk, begin, end, edits, startsWithHeld);
  if (begin === end) return NOTHING;
  return begin === 0 && end === chunk.length ? chunk : chunk.subarray(begin, end);
}

/** The mail data of one message as it comes over the wire: make one for each, and `decode()` what comes. */
export class MailDataDecoder {
  readonly #flaws: LineFlaws;
  readonly #rules: LineRules;
  #place: Place;
  /** Octets of the current line so far, without a dropped dot. */
  #lineLength = 0;

  /** @param afterBareLineFeed the line before the mail data ended in LF alone, so that a dot cannot end it at once */
  constructor(rules: LineRules, { afterBareLineFeed = false } = {}) {
    this.#flaws = new LineFlaws(rules);
    this.#rules = rules;
    this.#place = afterBareLineFeed ? 'bareLineBegin' : 'lineBegin';
  }

  /** The first flaw that was found. */
  get flaw(): MailDataFlaw | undefined {
    return this.#flaws.flaw;
  }

  /**
   * Takes the next octets of the mail data, which may reach beyond its end. While `ended` is false, decode
   * what follows; when it is true, `flaw` is final and the octets from `consumed` on are the next command's.
   */
  decode(chunk: Uint8Array): DecodedMailData {
    const { bareNewline, maximumLineLength } = this.#rules;
    const length = chunk.length;
    const words = wordsIn(chunk);
    const heldCarriageReturn = this.#place === 'dotCarriageReturn';
    let place = this.#place;
    // Positions are in the chunk; what lies in earlier chunks is below 0.
    let lineBegin = -this.#lineLength;
    let dot = -1;
    let dataBegin = 0;
    let startsWithHeld = false;
    let edits: number[] | undefined;

    for (let i = 0; i < length; i++) {
      if (place === 'lineBegin' || place === 'bareLineBegin') {
        const plain = endOfPlainLines(chunk, words, i, maximumLineLength);
        if (plain.end > i) place = 'lineBegin';
        this.#flaws.passLines(plain.lines);
        i = plain.end;
        lineBegin = i;
        if (i >= length) break;
      } else if (place === 'line') {
        i = indexOfControl(chunk, words, i);
        if (i === length) break;
      }
      const octet = chunk[i] as number;

      if (place === 'lineBegin' && octet === DOT) {
        place = 'dot';
        dot = i;
        lineBegin = i + 1;
        continue;
      }
      if (place === 'bareLineBegin' && octet === DOT) {
        place = 'line';
        lineBegin = i + 1;
        if (i === dataBegin) dataBegin = i + 1;
        else {
          edits ??= [];
          edits.push(i);
        }
        continue;
      }
      if (place === 'dot' || place === 'dotCarriageReturn') {
        if (place === 'dot' && octet === CR) {
          place = 'dotCarriageReturn';
          continue;
        }
        if (place === 'dotCarriageReturn' && octet === LF) {
          const data = dataOf(chunk, dataBegin, Math.max(dot, 0), startsWithHeld, edits);
          return { data, consumed: i + 1, ended: true };
        }
        // Not the end, so the dot was there for transparency.
        if (dot === dataBegin) dataBegin = dot + 1;
        else if (dot > dataBegin) {
          edits ??= [];
          edits.push(dot);
        } else if (heldCarriageReturn) startsWithHeld = true;
      }

      if (octet === LF && place === 'carriageReturn') {
        this.#flaws.endLine(i - lineBegin);
        place = 'lineBegin';
        lineBegin = i + 1;
        continue;
      }
      if (place === 'carriageReturn' || place === 'dotCarriageReturn') {
        this.#flaws.meetBare('bareCarriageReturn', i - lineBegin);
      }
      if (octet === LF) {
        if (bareNewline === 'reject') this.#flaws.meetBare('bareLineFeed', i - lineBegin);
        else {
          const isAdded = bareNewline === 'normalize';
          if (isAdded) {
            edits ??= [];
            edits.push(~i);
          }
          this.#flaws.endLine(i - lineBegin + (isAdded ? 1 : 0));
          place = isAdded ? 'bareLineBegin' : 'line';
          lineBegin = i + 1;
          continue;
        }
      } else if (octet === NUL) this.#flaws.meetBare('nul', i - lineBegin);
      place = octet === CR ? 'carriageReturn' : 'line';
    }

    this.#place = place;
    this.#lineLength = length - lineBegin;
    this.#flaws.meetLength(this.#lineLength);
    const undecided = place === 'dot' || place === 'dotCarriageReturn';
    const dataEnd = undecided ? Math.max(dot, 0) : length;
    const data = dataOf(chunk, dataBegin, dataEnd, startsWithHeld, edits);
    return { data, consumed: length, ended: false };
  }
}
