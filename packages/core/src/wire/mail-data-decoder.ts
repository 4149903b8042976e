/**
 * Mail data as it comes over the wire: finds its end and undoes transparency (RFC 5321 §4.5.2).
 *
 * - Only CRLF "." CRLF ends mail data, or "." CRLF at its very beginning. The CRLF before the dot belongs to
 *   the data. A bare CR or bare LF is no line end here in either mode: a server that takes "LF . LF" or
 *   "LF . CRLF" for the end lets a second message be smuggled in with the first (RFC 5321 §4.1.1.4).
 * - Any other dot at the beginning of a line is dropped.
 * - Data, end and flaw depend on the octets alone, never on how they were cut into chunks.
 * - A flaw does not lose the end: data goes on as before, and whoever does not want it discards it.
 * - Nothing is held back across chunks but a CR behind a dot at the beginning of a line.
 */
import { LineFlaws, type LineRules, type MailDataFlaw } from './line-flaws.js';
import { CR, copyOctets, DOT, indexOfControl, LF, NOTHING, NUL, wordsIn } from './octets.js';
import { endOfPlainLines } from './plain-lines.js';

/** What one chunk came to. */
export interface DecodedMailData {
  /** Mail data without transparency, possibly empty. A view into the chunk unless dots lay inside it. */
  readonly data: Uint8Array;
  /** How many octets of the chunk belonged to the mail data, its end included: all of them until it ended. */
  readonly consumed: number;
  /** The mail data is complete. Decode nothing more with this decoder. */
  readonly ended: boolean;
}

/** What the last octet was, as far as the meaning of the next depends on it. */
type Place =
  /** The LF of a line end, or nothing yet. */
  | 'lineBegin'
  /** A dot at the beginning of a line. */
  | 'dot'
  /** A CR right behind such a dot: if LF follows, the mail data has ended. */
  | 'dotCarriageReturn'
  /** Any other CR. */
  | 'carriageReturn'
  /** Anything else. */
  | 'line';

/** What lies between two positions of the chunk, behind the held CR if it is data, without the dropped dots. */
function dataOf(
  chunk: Uint8Array,
  begin: number,
  end: number,
  startsWithHeld: boolean,
  droppedDots: readonly number[] | undefined,
): Uint8Array {
  if (!startsWithHeld && droppedDots === undefined) {
    if (begin === end) return NOTHING;
    return begin === 0 && end === chunk.length ? chunk : chunk.subarray(begin, end);
  }
  // One copy whatever the number of dots: a view for each line would turn a message of dots into millions.
  const dots = droppedDots ?? [];
  const data = new Uint8Array(end - begin - dots.length + (startsWithHeld ? 1 : 0));
  let offset = 0;
  if (startsWithHeld) data[offset++] = CR;
  let copied = begin;
  for (const dot of dots) {
    offset = copyOctets(chunk, copied, dot, data, offset);
    copied = dot + 1;
  }
  copyOctets(chunk, copied, end, data, offset);
  return data;
}

/** The mail data of one message as it comes over the wire: make one for each, and `decode()` what comes. */
export class MailDataDecoder {
  readonly #flaws: LineFlaws;
  readonly #maximumLineLength: number;
  #place: Place = 'lineBegin';
  /** Octets of the current line so far, without a dropped dot. */
  #lineLength = 0;

  constructor(rules: LineRules) {
    this.#flaws = new LineFlaws(rules);
    this.#maximumLineLength = rules.maximumLineLength;
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
    const length = chunk.length;
    const words = wordsIn(chunk);
    const heldCarriageReturn = this.#place === 'dotCarriageReturn';
    let place = this.#place;
    // Positions are in the chunk; what lies in earlier chunks is below 0.
    let lineBegin = -this.#lineLength;
    let dot = -1;
    let dataBegin = 0;
    let startsWithHeld = false;
    let droppedDots: number[] | undefined;

    for (let i = 0; i < length; i++) {
      if (place === 'lineBegin') {
        i = endOfPlainLines(chunk, words, i, this.#maximumLineLength);
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
      if (place === 'dot' || place === 'dotCarriageReturn') {
        if (place === 'dot' && octet === CR) {
          place = 'dotCarriageReturn';
          continue;
        }
        if (place === 'dotCarriageReturn' && octet === LF) {
          const data = dataOf(chunk, dataBegin, Math.max(dot, 0), startsWithHeld, droppedDots);
          return { data, consumed: i + 1, ended: true };
        }
        // Not the end, so the dot was there for transparency.
        if (dot === dataBegin) dataBegin = dot + 1;
        else if (dot > dataBegin) {
          droppedDots ??= [];
          droppedDots.push(dot);
        } else if (heldCarriageReturn) startsWithHeld = true;
      }

      if (octet === LF && place === 'carriageReturn') {
        this.#flaws.meetLength(i - lineBegin);
        place = 'lineBegin';
        lineBegin = i + 1;
        continue;
      }
      if (octet === LF || octet === NUL || place === 'carriageReturn' || place === 'dotCarriageReturn') {
        this.#flaws.meetBare(i - lineBegin);
      }
      place = octet === CR ? 'carriageReturn' : 'line';
    }

    this.#place = place;
    this.#lineLength = length - lineBegin;
    this.#flaws.meetLength(this.#lineLength);
    const undecided = place === 'dot' || place === 'dotCarriageReturn';
    const dataEnd = undecided ? Math.max(dot, 0) : length;
    const data = dataOf(chunk, dataBegin, dataEnd, startsWithHeld, droppedDots);
    return { data, consumed: length, ended: false };
  }
}
