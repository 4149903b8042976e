/**
 * Options of a server session, each with its default. Limits are integers of 1 or more; those that may be
 * `Infinity` say so.
 */
import { checkLimit, checkName, checkTimeout, checkWord } from '../option-checks.js';
import type { BareNewline } from '../wire/inbound.js';
import type { ServerTimeouts } from './chart.js';

export interface ServerSessionOptions {
  /**
   * The name in the greeting and in the reply to EHLO: the host's domain name, or an address literal. It has 1 to
   * 255 printable ASCII characters, and no space.
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
  readonly bareNewline?: BareNewline;
  /**
   * Octets that may be handed in while `wantsInput` is false. More throws a `LocalProtocolError`.
   * @default 262_144
   */
  readonly maximumHeldOctets?: number;
  /**
   * Deadlines in milliseconds; `Infinity` for none.
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

/** @throws {RangeError} naming the option whose value is out of range, and the range */
export function resolveServerOptions(options: ServerSessionOptions): ResolvedServerOptions {
  const { timeouts = {} } = options;
  return {
    hostname: checkName('hostname', options.hostname ?? 'localhost'),
    maximumMessageSize: checkLimit('maximumMessageSize', options.maximumMessageSize ?? 36_700_160, {
      unlimited: true,
    }),
    maximumRecipients: checkLimit('maximumRecipients', options.maximumRecipients ?? 1000),
    maximumErrors: checkLimit('maximumErrors', options.maximumErrors ?? 10),
    maximumCommandLength: checkLimit('maximumCommandLength', options.maximumCommandLength ?? 512, {
      least: 2,
    }),
    maximumTextLineLength: checkLimit('maximumTextLineLength', options.maximumTextLineLength ?? 1000, {
      least: 2,
      unlimited: true,
    }),
    bareNewline: checkWord('bareNewline', options.bareNewline ?? 'reject', ['reject', 'keep']),
    maximumHeldOctets: checkLimit('maximumHeldOctets', options.maximumHeldOctets ?? 262_144),
    timeouts: {
      // RFC 5321 §4.5.3.2.7
      idle: checkTimeout('timeouts.idle', timeouts.idle ?? 300_000),
      mailData: checkTimeout('timeouts.mailData', timeouts.mailData ?? 300_000),
      // The client waits 10 minutes for the reply to its final dot (RFC 5321 §4.5.3.2.6).
      decision: checkTimeout('timeouts.decision', timeouts.decision ?? 600_000),
      linger: checkTimeout('timeouts.linger', timeouts.linger ?? 5_000),
    },
    trace: options.trace ?? false,
  };
}
