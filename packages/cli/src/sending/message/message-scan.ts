/**
 * One look at a message before it is sent: whether it can be, and what has to be declared of it.
 *
 * What is found depends on the octets alone, not on how they were cut into chunks.
 */
import { MailDataError } from '@sansmtp/core';
import { HeaderSection } from './header-section.js';

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;

/** The longest line of a message without its line end, in octets (RFC 5322 §2.1.1). */
const MAXIMUM_LINE_OCTETS = 998;

/** A line is longer than mail allows; some servers refuse such a message, others break the line. */
export class LongLineError extends Error {
  override readonly name = 'LongLineError';

  constructor(line: number, octets: number) {
    super(
      `line ${line} of the message has ${octets} octets; mail allows ${MAXIMUM_LINE_OCTETS} (RFC 5322 §2.1.1): ` +
        'encode it in quoted-printable or base64, or give --long-lines pass',
    );
  }
}

/** What becomes of a message with a line over 998 octets. */
export type LongLines = 'refuse' | 'pass';

export interface MessageTraits {
  /** Octets once all lines end in CRLF, without the doubling of dots: what SIZE declares (RFC 1870 §5). */
  readonly size: number;
  /** It holds octets above 127, and so needs 8BITMIME (RFC 6152). */
  readonly eightBit: boolean;
  /** Its header holds UTF-8, and so needs SMTPUTF8 (RFC 6531 §3.2). */
  readonly utf8Header: boolean;
}

export class MessageScan {
  #offset = 0;
  #addedOctets = 0;
  #eightBit = false;
  #last = LF;
  #line = 1;
  #lineBegin = 0;
  readonly #longLines: LongLines;
  readonly #header = new HeaderSection();

  constructor(longLines: LongLines = 'refuse') {
    this.#longLines = longLines;
  }

  /**
   * @throws {MailDataError} at a NUL or a CR that no LF follows
   * @throws {LongLineError} at the end of a line that is too long, if such are refused
   */
  push(chunk: Uint8Array): void {
    let last = this.#last;
    let octets = 0;
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i] as number;
      octets |= octet;
      if (octet <= CR) {
        if (octet === NUL) throw new MailDataError('NUL', this.#offset + i);
        if (octet === LF) {
          if (last !== CR) this.#addedOctets++;
          this.#endLine(this.#offset + i - (last === CR ? 1 : 0));
          this.#lineBegin = this.#offset + i + 1;
        }
      }
      if (last === CR && octet !== LF) throw new MailDataError('bare CR', this.#offset + i - 1);
      last = octet;
    }
    this.#header.push(chunk);
    this.#last = last;
    this.#offset += chunk.length;
    if (octets > 0x7f) this.#eightBit = true;
  }

  /**
   * @throws {MailDataError} when the message ends in CR
   * @throws {LongLineError} when its last line is too long, and has no end
   */
  end(): MessageTraits {
    if (this.#last === CR) throw new MailDataError('bare CR', this.#offset - 1);
    this.#endLine(this.#offset);
    // The end of the mail data stands on a line of its own, so the last line is ended if it is not.
    const lineEnd = this.#last === LF ? 0 : 2;
    return {
      size: this.#offset + this.#addedOctets + lineEnd,
      eightBit: this.#eightBit,
      utf8Header: this.#header.end(),
    };
  }

  #endLine(end: number): void {
    const octets = end - this.#lineBegin;
    if (octets > MAXIMUM_LINE_OCTETS && this.#longLines === 'refuse')
      throw new LongLineError(this.#line, octets);
    this.#line += 1;
  }
}
