/**
 * The dialogue with a server, line by line, for a person to read: commands and replies, but of a message only how
 * many octets it had.
 *
 * Between the reply 354 and the end of the next reply, all that is sent is the message: a client must not send anything
 * else there (RFC 5321 §4.1.1.4), and sends on while it has not heard that reply to its last line.
 */
import { oneLine } from '../terminal.js';

/** Octets kept of a line: replies may have any length before the session gives up on them. */
const MAXIMUM_LINE_OCTETS = 4096;

/** Cuts what comes into lines. The first one decides whether they end in CRLF or in LF alone, as in the session. */
class Lines {
  readonly #onLine: (line: string) => void;
  #lineEnd: '\r\n' | '\n' | undefined;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Uint8Array): void {
    const text = this.#rest + Buffer.from(bytes).toString('latin1');
    const first = text.indexOf('\n');
    if (this.#lineEnd === undefined && first >= 0) this.#lineEnd = text[first - 1] === '\r' ? '\r\n' : '\n';
    const lines = text.split(this.#lineEnd ?? '\r\n');
    this.#rest = (lines.pop() ?? '').slice(0, MAXIMUM_LINE_OCTETS);
    // A character may lie across two chunks, but not across two lines.
    for (const line of lines) this.#onLine(oneLine(Buffer.from(line, 'latin1').toString()));
  }

  /** The next line decides anew: another server may speak under TLS. */
  forgetLineEnd(): void {
    this.#lineEnd = undefined;
  }
}

/** Of one line or of many, a reply ends in a line without a hyphen behind its code (RFC 5321 §4.2.1). */
const LAST_LINE = /^\d{3}(?: |$)/;

export type Speaker = 'C' | 'S';

export class Dialogue {
  readonly #write: (speaker: Speaker, line: string) => void;
  /** Octets sent of a message under way, and not told of yet; undefined while commands are sent. */
  #messageOctets: number | undefined;
  #awaitsTls = false;
  readonly #commands = new Lines((line) => {
    this.#awaitsTls = line.toUpperCase() === 'STARTTLS';
    this.#write('C', line);
  });
  readonly #replies = new Lines((line) => {
    const isLast = LAST_LINE.test(line);
    if (isLast) this.endMessage();
    else this.#tellOctets();
    this.#write('S', line);
    if (isLast && line.startsWith('354')) this.#messageOctets = 0;
    if (isLast && this.#awaitsTls) this.#replies.forgetLineEnd();
  });

  /** @param write takes one line, by the client (C) or the server (S) */
  constructor(write: (speaker: Speaker, line: string) => void) {
    this.#write = write;
  }

  sent(bytes: Uint8Array): void {
    if (this.#messageOctets === undefined) this.#commands.push(bytes);
    else this.#messageOctets += bytes.length;
  }

  received(bytes: Uint8Array): void {
    this.#replies.push(bytes);
  }

  /** The message is over, or will not go on. */
  endMessage(): void {
    this.#tellOctets();
    this.#messageOctets = undefined;
  }

  #tellOctets(): void {
    if (!this.#messageOctets) return;
    this.#write('C', `(${this.#messageOctets} octets of mail data on the wire)`);
    this.#messageOctets = 0;
  }
}
