/**
 * What may be recorded of the octets that a server sends, where some of its lines must be withheld: whole lines, for
 * what is to be withheld may come in pieces. Of a line that is withheld, its code stands and how many octets it had.
 *
 * The record is the same whatever the pieces.
 */
import { MAXIMUM_AUTHENTICATION_OCTETS } from '../../wire/commands/command.js';
import { concatenate, encodeText, LF, NOTHING } from '../../wire/octets.js';

/** By default a session takes no longer line. Of one that is, each piece of this length is withheld. */
const MAXIMUM_LINE_OCTETS = MAXIMUM_AUTHENTICATION_OCTETS;

export class ReplyRecord {
  /** The beginning of a line. */
  #rest: Uint8Array = NOTHING;

  /**
   * @param isWithheld asked of each whole line
   * @returns what may be recorded, possibly nothing yet
   */
  take(bytes: Uint8Array, isWithheld: (line: Uint8Array) => boolean): Uint8Array {
    const octets = concatenate([this.#rest, bytes]);
    const record: Uint8Array[] = [];
    let begin = 0;
    for (;;) {
      const feed = octets.indexOf(LF, begin);
      const end = feed < 0 ? begin + MAXIMUM_LINE_OCTETS : Math.min(feed + 1, begin + MAXIMUM_LINE_OCTETS);
      if (end > octets.length) break;
      const line = octets.subarray(begin, end);
      const isWhole = end === feed + 1;
      record.push(isWhole && !isWithheld(line) ? line : redacted(line));
      begin = end;
    }
    this.#rest = octets.subarray(begin);
    return concatenate(record);
  }

  /** What may be recorded of a line that did not come to its end. */
  end(): Uint8Array {
    const rest = this.#rest;
    this.#rest = NOTHING;
    return rest.length === 0 ? rest : redacted(rest);
  }
}

function redacted(line: Uint8Array): Uint8Array {
  const [code = ''] = /^\d{3}[ -]/.exec(String.fromCharCode(...line.subarray(0, 4))) ?? [];
  return encodeText(`${code}[${line.length} octets]\r\n`);
}
