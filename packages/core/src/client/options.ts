/**
 * Options of a client session, each with its default.
 */
import type { LoneLineFeed } from '../wire/mail-data-encoder.js';
import type { ClientTimeouts } from './chart.js';

export interface ClientSessionOptions {
  /**
   * The name given in EHLO and HELO: the host's domain name, or an address literal if it has none
   * (RFC 5321 §4.1.4).
   * @default '[127.0.0.1]'
   */
  readonly hostname?: string;
  /**
   * What becomes of a LF in the message that stands without a CR. `strict`: a `MailDataError`. `convert`: it
   * is sent as CRLF.
   * @default 'convert'
   */
  readonly newlines?: LoneLineFeed;
  /**
   * Octets of commands that may be in flight at once, to a server that offers PIPELINING. Further commands
   * follow once half of that has been answered; a longer command goes alone. What fits the TCP window cannot
   * make both ends wait for each other, and RFC 2920 §3.1 reckons with windows of 4096 octets.
   * @default 4096
   */
  readonly maximumOctetsInFlight?: number;
  /**
   * The longest line of a reply in octets, CRLF included. Over it: a protocol error. RFC 5321 §4.5.3.1.5
   * allows servers 512, and some exceed that.
   * @default 4096
   */
  readonly maximumReplyLineLength?: number;
  /**
   * Lines of one reply. Over it: a protocol error.
   * @default 128
   */
  readonly maximumReplyLines?: number;
  /**
   * Deadlines in milliseconds, those of RFC 5321 §4.5.3.2 among them.
   * @default { greeting: 300_000, hello: 300_000, mail: 300_000, rcpt: 300_000, dataInitiation: 120_000,
   *   dataBlock: 180_000, dataTermination: 600_000, reset: 300_000, quit: 10_000, linger: 5_000 }
   */
  readonly timeouts?: Partial<ClientTimeouts>;
  /**
   * Report each step of the chart as an output `transition`.
   * @default false
   */
  readonly trace?: boolean;
}

/** All options, defaults filled in. */
export type ResolvedClientOptions = Readonly<
  Required<Omit<ClientSessionOptions, 'timeouts'>> & { readonly timeouts: ClientTimeouts }
>;

export function resolveClientOptions(options: ClientSessionOptions): ResolvedClientOptions {
  return {
    hostname: options.hostname ?? '[127.0.0.1]',
    newlines: options.newlines ?? 'convert',
    maximumOctetsInFlight: options.maximumOctetsInFlight ?? 4096,
    maximumReplyLineLength: options.maximumReplyLineLength ?? 4096,
    maximumReplyLines: options.maximumReplyLines ?? 128,
    timeouts: {
      greeting: options.timeouts?.greeting ?? 300_000,
      hello: options.timeouts?.hello ?? 300_000,
      mail: options.timeouts?.mail ?? 300_000,
      rcpt: options.timeouts?.rcpt ?? 300_000,
      dataInitiation: options.timeouts?.dataInitiation ?? 120_000,
      dataBlock: options.timeouts?.dataBlock ?? 180_000,
      dataTermination: options.timeouts?.dataTermination ?? 600_000,
      reset: options.timeouts?.reset ?? 300_000,
      quit: options.timeouts?.quit ?? 10_000,
      linger: options.timeouts?.linger ?? 5_000,
    },
    trace: options.trace ?? false,
  };
}
