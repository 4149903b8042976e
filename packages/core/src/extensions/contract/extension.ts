/**
 * What a service extension (RFC 5321 §2.2) is, ours or an embedder's: an EHLO keyword, and with it parameters of
 * MAIL and RCPT, and verbs that are questions to the application. One that adds states changes the charts as well.
 */
import type { Reply } from '../../wire/replies/reply.js';
import type { MailParameters, RcptParameters } from './parameters.js';

/** Where a server session stands, as far as it decides what is offered. */
export interface SessionStanding {
  readonly protocol: 'smtp' | 'lmtp';
  /** Octets; Infinity for no limit. */
  readonly maximumMessageSize: number;
  readonly maximumRecipients: number;
  /** STARTTLS may be used now. */
  readonly startTls: boolean;
  /** TLS protects the connection. */
  readonly secured: boolean;
  /** The SASL mechanisms that may be used on the connection as it stands. */
  readonly mechanisms: readonly string[];
  /** The peer may speak of others than itself: XCLIENT and XFORWARD. */
  readonly trusted: boolean;
  /**
   * EHLO keywords that the application withholds from this client, whatever their extensions would offer.
   * @default none
   */
  readonly withheld?: readonly string[];
}

/** A parameter of MAIL or RCPT, both ways. */
export interface ParameterRule<Parameters> {
  /** In upper case. */
  readonly keyword: string;
  /**
   * Reads the value that a client sent (undefined: there was no `=`); a reply refuses it. So does whatever this throws,
   * by 501 5.5.4 (RFC 5321 §4.2.2), and nobody hears of the error: catch here what is not the client's fault.
   */
  parse(value: string | undefined, session: SessionStanding): Parameters | Reply;
  /**
   * The value that a client sends, `true` for the keyword alone, undefined where there is nothing to say.
   * @param offered what the server wrote behind the extension's keyword in its reply to EHLO
   * @throws {RangeError} the parameter cannot be written
   */
  format(parameters: Parameters, offered: string): string | true | undefined;
  /**
   * Whether a client must not send the mail at all to a server that does not offer the extension. Absent: the
   * parameter is left out there.
   */
  isEssential?(parameters: Parameters): boolean;
}

/** A service extension. */
export interface ServiceExtension {
  /** The EHLO keyword, in upper case. */
  readonly keyword: string;
  /**
   * What follows the keyword in the reply to EHLO, possibly nothing; undefined: not offered as things stand. It is
   * printable ASCII that fits into a line; for anything else, and what this throws, EHLO gets 451 4.3.0, and `onError` the
   * reason.
   * Absent: offered always, with nothing after it.
   */
  offer?(session: SessionStanding): string | undefined;
  /**
   * It is taken where `offer` offers it, but the reply to EHLO does not list it: for clients that use it unasked. What is
   * neither listed nor taken is left out of the list of extensions; for one client, `withhold` of the answer to EHLO.
   * @default false
   */
  readonly hidden?: boolean;
  /** The keyword of an extension without which this one counts as not offered, by either end. */
  readonly requires?: string;
  /** Where offered extensions define the same parameter, a value passes that one of them takes. */
  readonly mailParameters?: readonly ParameterRule<MailParameters>[];
  readonly rcptParameters?: readonly ParameterRule<RcptParameters>[];
  /** By how many octets it lengthens the limit of a MAIL command line (RFC 5321 §4.5.3.1.4). */
  readonly additionalMailOctets?: number;
  readonly additionalRcptOctets?: number;
  /**
   * Verbs that it adds, in upper case; each is a question `extension` to the application. A verb that the session knows
   * itself, or another extension on the list adds, is a `RangeError` when the list is first used.
   */
  readonly verbs?: readonly string[];
}
