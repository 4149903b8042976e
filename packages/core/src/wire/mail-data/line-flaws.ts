/**
 * What is wrong with the lines of mail data, whichever way it comes: the first flaw that the octets show stands. It is
 * told here where a line ends and where a control character stands, not at each octet; which flaw came first does not
 * depend on it, nor on how the octets were cut.
 */
import type { BareNewline, BareOctet } from '../inbound.js';

/** Why mail data is not well-formed, and in which of its lines, counted from 1. */
export interface MailDataFlaw {
  readonly kind: /** A bare CR, a bare LF or a NUL. */
    | BareOctet
    /** The line is longer than `maximumLineLength`. */
    | 'lineTooLong';
  readonly line: number;
}

export interface LineRules {
  /** Whether a bare CR, bare LF or NUL is a flaw, a line end, or data like any other. */
  readonly bareNewline: BareNewline;
  /** In octets with the CRLF, without a dropped dot (RFC 5321 §4.5.3.1.6 has 1000); at least 2, possibly infinite. */
  readonly maximumLineLength: number;
}

export class LineFlaws {
  readonly #rules: LineRules;
  /** Line ends that were met. */
  #lines = 0;
  #flaw: MailDataFlaw | undefined;

  constructor(rules: LineRules) {
    this.#rules = rules;
  }

  /** The first that was found. */
  get flaw(): MailDataFlaw | undefined {
    return this.#flaw;
  }

  /** So many lines ended, none of them over the limit. */
  passLines(count: number): void {
    this.#lines += count;
  }

  /** A line has so many octets, and one more at least, if only the LF that ends it. */
  meetLength(octets: number): void {
    if (octets >= this.#rules.maximumLineLength) this.#meet('lineTooLong');
  }

  /** A line ended: it has so many octets, and the LF. */
  endLine(octets: number): void {
    this.meetLength(octets);
    this.#lines += 1;
  }

  /** A bare CR, bare LF or NUL became known after so many octets of its line. */
  meetBare(kind: BareOctet, octets: number): void {
    // The line was too long before that, though its length is looked at only where it ends.
    this.meetLength(octets);
    if (this.#rules.bareNewline !== 'keep') this.#meet(kind);
  }

  #meet(kind: MailDataFlaw['kind']): void {
    this.#flaw ??= { kind, line: this.#lines + 1 };
  }
}
