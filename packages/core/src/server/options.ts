/**
 * Options of a server session, each with its default.
 */
import type { ServerTimeouts } from './chart.js';

export interface ServerSessionOptions {
  /**
   * The name in the greeting and in the reply to EHLO: the host's domain name, or an address literal.
   * @default 'localhost'
   */
  readonly hostname?: string;
  /**
   * The largest message in octets; `Infinity` for none. Over it: 552 5.3.4, to MAIL if declared there, else after
   * the end of the mail data (RFC 1870).
   * @default 36_700_160
   */
  readonly maximumMessageSize?: number;
  /**
   * Recipients of one mail transaction. Over it: 452 4.5.3 (RFC 5321 §4.5.3.1.8 asks for 100 at least).
   * @default 1000
   */
  readonly maximumRecipients?: number;
  /**
   * Commands refused in a row for what they are (500 to 504, 555) until the session ends by 421 4.7.0. The
   * application's refusals do not count.
   * @default 10
   */
  readonly maximumErrors?: number;
  /**
   * The longest command line in octets, CRLF included; service extensions add to it for MAIL. Over it:
   * 500 5.5.2, and the line is skipped without being kept (RFC 5321 §4.5.3.1.4).
   * @default 512
   */
  readonly maximumCommandLength?: number;
  /**
   * The longest line of mail data in octets, CRLF included; `Infinity` for none. Over it: 554 5.6.0 after the end
   * of the mail data (RFC 5321 §4.5.3.1.6).
   * @default 1000
   */
  readonly maximumTextLineLength?: number;
  /**
   * What becomes of a bare CR, bare LF or NUL. Neither way does it end a line or a message (RFC 5321 §2.3.8).
   * `reject`: 500 5.5.2 to a command, 554 5.6.0 to a message. `keep`: it stays where it is, verbatim.
   * @default 'reject'
   */
  readonly bareNewline?: 'reject' | 'keep';
  /**
   * Octets that may be handed in while `wantsInput` is false. More throws a `LocalProtocolError`.
   * @default 262_144
   */
  readonly maximumHeldOctets?: number;
  /**
   * Deadlines in milliseconds.
   * @default { idle: 300_000, mailData: 300_000, decision: 600_000, linger: 5_000 }
   */
  readonly timeouts?: Partial<ServerTimeouts>;
  /**
   * Report each step of the chart as an output `transition`.
   * @default false
   */
  readonly trace?: boolean;
}

/** All options, defaults filled in. */
export type ResolvedServerOptions = Readonly<
  Required<Omit<ServerSessionOptions, 'timeouts'>> & { readonly timeouts: ServerTimeouts }
>;

export function resolveServerOptions(options: ServerSessionOptions): ResolvedServerOptions {
  return {
    hostname: options.hostname ?? 'localhost',
    maximumMessageSize: options.maximumMessageSize ?? 36_700_160,
    maximumRecipients: options.maximumRecipients ?? 1000,
    maximumErrors: options.maximumErrors ?? 10,
    maximumCommandLength: options.maximumCommandLength ?? 512,
    maximumTextLineLength: options.maximumTextLineLength ?? 1000,
    bareNewline: options.bareNewline ?? 'reject',
    maximumHeldOctets: options.maximumHeldOctets ?? 262_144,
    timeouts: {
      // RFC 5321 §4.5.3.2.7
      idle: options.timeouts?.idle ?? 300_000,
      mailData: options.timeouts?.mailData ?? 300_000,
      // The client waits 10 minutes for the reply to its final dot (RFC 5321 §4.5.3.2.6).
      decision: options.timeouts?.decision ?? 600_000,
      linger: options.timeouts?.linger ?? 5_000,
    },
    trace: options.trace ?? false,
  };
}
