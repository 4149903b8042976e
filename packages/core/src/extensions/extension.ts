/**
 * What a service extension (RFC 5321 §2.2) adds to both ends where it changes parameters only. One that adds
 * states changes the charts as well.
 */

import type { Reply } from '../wire/reply.js';
import type { MailParameters } from './parameters.js';

/** What the server's options decide about the extensions that it offers. */
export interface OfferOptions {
  /** Octets; Infinity for no limit. */
  readonly maximumMessageSize: number;
}

/** A parameter of MAIL, both ways. */
export interface MailParameterRule {
  /** In upper case. */
  readonly keyword: string;
  /** Reads the value that a client sent; a reply refuses it. */
  parse(value: string | undefined, options: OfferOptions): MailParameters | Reply;
  /**
   * The value that a client sends, where there is something to say.
   * @throws {RangeError} the parameter cannot be written
   */
  format(parameters: MailParameters): string | undefined;
}

/** One row of the extension table. */
export interface ServiceExtension {
  /** The EHLO keyword. */
  readonly keyword: string;
  /** What follows the keyword in the reply to EHLO. */
  offer?(options: OfferOptions): string;
  readonly mailParameter?: MailParameterRule;
  /** By how many octets it lengthens the limit of a MAIL command line (RFC 5321 §4.5.3.1.4). */
  readonly additionalMailOctets?: number;
}
