/**
 * What is wrong with the lines of mail data, whichever way it comes: the first flaw that the octets show stands. It is
 * told here where a line ends and where a control character stands, not at each octet; which flaw came first does not
 * depend on it, nor on how the octets were cut.
 */
import type { BareNewline } from './inbound.js';

/** Why mail data is not well-formed. */
export type MailDataFlaw =
  /** A bare CR, a bare LF or a NUL is in it. Only with `bareNewline: 'reject'`. */
  | 'bareNewline'
  /** A line is longer than `maximumLineLength`. */
  | 'lineTooLong';

export interface LineRules {
  /** Whether a bare CR, bare LF or NUL is a flaw, or data like any other. */
  readonly bareNewline: BareNewline;
  /** In octets with the CRLF, without a dropped dot (RFC 5321 §4.5.3.1.6 has 1000); at least 2, possibly infinite. */
  readonly maximumLineLength: number;
}

export class LineFlaws {
  readonly #reject: boolean;
  readonly #maximumLineLength: number;
  #flaw: MailDataFlaw | undefined;

  constructor({ bareNewline, maximumLineLength }: LineRules) {
    this.#reject = bareNewline === 'reject';
    this.#maximumLineLength = maximumLineLength;
  }

  /** The first that was found. */
  get flaw(): MailDataFlaw | undefined {
    return this.#flaw;
  }

  /** A line has so many octets, and one more at least, if only the LF that ends it. */
  meetLength(octets: number): void {
    if (octets >= this.#maximumLineLength) this.#flaw ??= 'lineTooLong';
  }

  /** A bare CR, bare LF or NUL became known behind so many octets of its line. */
  meetBare(octets: number): void {
    // The line was too long before that, though its length is looked at only where it ends.
    this.meetLength(octets);
    if (this.#reject) this.#flaw ??= 'bareNewline';
  }
}
