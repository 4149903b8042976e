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
  readonly #header = new HeaderSection();

  /** @throws {MailDataError} at a NUL or a CR that no LF follows */
  push(chunk: Uint8Array): void {
    let last = this.#last;
    let octets = 0;
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i] as number;
      octets |= octet;
      if (octet <= CR) {
        if (octet === NUL) throw new MailDataError('NUL', this.#offset + i);
        if (octet === LF && last !== CR) this.#addedOctets++;
      }
      if (last === CR && octet !== LF) throw new MailDataError('bare CR', this.#offset + i - 1);
      last = octet;
    }
    this.#header.push(chunk);
    this.#last = last;
    this.#offset += chunk.length;
    if (octets > 0x7f) this.#eightBit = true;
  }

  /** @throws {MailDataError} when the message ends in CR */
  end(): MessageTraits {
    if (this.#last === CR) throw new MailDataError('bare CR', this.#offset - 1);
    // The end of the mail data stands on a line of its own, so the last line is ended if it is not.
    const lineEnd = this.#last === LF ? 0 : 2;
    return {
      size: this.#offset + this.#addedOctets + lineEnd,
      eightBit: this.#eightBit,
      utf8Header: this.#header.end(),
    };
  }
}
