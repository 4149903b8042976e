/**
 * Mail data for the wire: applies transparency (RFC 5321 §4.5.2) and refuses what could smuggle a message.
 *
 * - A dot at the beginning of a line is doubled. A line begins behind CRLF, and at the very beginning.
 * - What has been encoded never holds CRLF "." CRLF before `end()`.
 * - CR and LF go out as CRLF only (RFC 5321 §2.3.8), NUL not at all (RFC 2045 §2.7 and §2.8). Servers disagree
 *   on whether a bare one ends a line; what one takes for data, another takes for the end of the message and
 *   for the commands of a second one. A lone LF may be converted, since that is how a text file ends its lines;
 *   a bare CR is never repaired, since nobody can know what was meant.
 * - For BDAT there is no transparency, and nothing closes the mail data: the size of each chunk says where it ends
 *   (RFC 3030 §2). All else holds as well: the next relay may have to use DATA.
 * - Octets above 127 pass, whether or not the server offers to take them (8BITMIME, RFC 6152).
 * - What comes out depends on the octets alone, never on how they were cut into chunks.
 */
import { CR, concatenate, copyOctets, DOT, indexOfControl, LF, NOTHING, NUL, wordsIn } from '../octets.js';
import { endOfPlainLines } from './plain-lines.js';

/** What to do with a LF that does not stand behind a CR. */
export type LoneLineFeed =
  /** Refuse the message. */
  | 'reject'
  /** Send it as CRLF: the line ends of a text file become those of mail. */
  | 'convert';

const SMUGGLING = 'servers that take it for a line end can be made to see a second message in this one';
const REASONS = {
  'bare CR': `${SMUGGLING} (RFC 5321 §2.3.8 allows CRLF only). End each line in CRLF.`,
  'bare LF': `${SMUGGLING} (RFC 5321 §2.3.8 allows CRLF only). End each line in CRLF, or have LF converted.`,
  NUL: 'mail has no NUL (RFC 2045 §2.8), and servers disagree on what it hides. Encode binary parts in base64.',
};

/** The message cannot be sent as mail data: it holds a bare CR, a bare LF or a NUL. */
export class MailDataError extends Error {
  override readonly name = 'MailDataError';
  /** Where the offending octet stands: octets from the beginning of the message. */
  readonly offset: number;

  constructor(found: 'bare CR' | 'bare LF' | 'NUL', offset: number) {
    super(`${found} at octet ${offset} of the message: ${REASONS[found]}`);
    this.offset = offset;
  }
}

/** Makes of a message what goes over the wire. */
export interface MailDataCoding {
  /** The next octets. After the last, send what `end` returns. */
  encode(chunk: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

/** For BINARYMIME (RFC 3030 §3): every octet is as the message has it. */
export const VERBATIM: MailDataCoding = { encode: (chunk) => chunk, end: () => NOTHING };

/** Shared by all messages: nobody writes into what is sent. */
const END = Uint8Array.of(DOT, CR, LF);

/** What the last octet was, as far as the meaning of the next depends on it. */
type Place = 'lineBegin' | 'carriageReturn' | 'line';

/** The chunk with a DOT before each dot at the positions, and a CR before each LF at them. */
function insertInto(chunk: Uint8Array, positions: readonly number[]): Uint8Array {
  const encoded = new Uint8Array(chunk.length + positions.length);
  let offset = 0;
  let copied = 0;
  for (const position of positions) {
    offset = copyOctets(chunk, copied, position, encoded, offset);
    encoded[offset++] = chunk[position] === DOT ? DOT : CR;
    copied = position;
  }
  copyOctets(chunk, copied, chunk.length, encoded, offset);
  return encoded;
}

export class MailDataEncoder implements MailDataCoding {
  readonly #convert: boolean;
  readonly #transparency: boolean;
  #place: Place = 'lineBegin';
  /** Octets of the message in earlier chunks. */
  #taken = 0;

  /** @param options.transparency false for BDAT. @default true */
  constructor(options: { readonly newlines: LoneLineFeed; readonly transparency?: boolean }) {
    this.#convert = options.newlines === 'convert';
    this.#transparency = options.transparency ?? true;
  }

  /**
   * The next octets of the message as they go over the wire: the chunk itself when nothing is to be added.
   * After the last chunk, send what `end` returns.
   *
   * @throws {MailDataError} at a bare CR, a NUL, or a bare LF that is not to be converted; for a CR at the end
   * of a chunk, in the next call or in `end`. What was encoded before has no end, so the only way out is to
   * close the connection.
   */
  encode(chunk: Uint8Array): Uint8Array {
    const length = chunk.length;
    const words = wordsIn(chunk);
    let place = this.#place;
    let insertions: number[] | undefined;

    for (let i = 0; i < length; i++) {
      // Nearly all of a message is plain lines, to which nothing is to be added.
      if (place === 'lineBegin') i = endOfPlainLines(chunk, words, i, Number.POSITIVE_INFINITY).end;
      else if (place === 'line') i = indexOfControl(chunk, words, i);
      if (i === length) break;
      const octet = chunk[i] as number;
      if (place === 'carriageReturn') {
        if (octet !== LF) throw new MailDataError('bare CR', this.#taken + i - 1);
        place = 'lineBegin';
      } else if (octet === LF) {
        if (!this.#convert) throw new MailDataError('bare LF', this.#taken + i);
        insertions ??= [];
        insertions.push(i);
        place = 'lineBegin';
      } else if (octet === CR) {
        place = 'carriageReturn';
      } else if (octet === NUL) {
        throw new MailDataError('NUL', this.#taken + i);
      } else {
        if (place === 'lineBegin' && octet === DOT && this.#transparency) {
          insertions ??= [];
          insertions.push(i);
        }
        place = 'line';
      }
    }

    this.#place = place;
    this.#taken += length;
    return insertions === undefined ? chunk : insertInto(chunk, insertions);
  }

  /**
   * What closes the mail data: "." CRLF, behind a CRLF if the message does not end in one. Without transparency that
   * CRLF alone, or nothing: the message is the same by either way.
   *
   * @throws {MailDataError} when the message ends in CR
   */
  end(): Uint8Array {
    if (this.#place === 'carriageReturn') throw new MailDataError('bare CR', this.#taken - 1);
    const end = this.#transparency ? END : NOTHING;
    return this.#place === 'lineBegin' ? end : concatenate([Uint8Array.of(CR, LF), end]);
  }
}
