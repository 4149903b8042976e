/**
 * Options of a client session, each with its default. Limits are integers of 1 or more.
 */
import { checkLimit, checkName, checkTimeout, checkWord } from '../option-checks.js';
import type { LoneLineFeed } from '../wire/mail-data-encoder.js';
import type { ClientTimeouts } from './chart.js';

export interface ClientSessionOptions {
  /**
   * The name given in EHLO and HELO: the host's domain name, or an address literal if it has none
   * (RFC 5321 §4.1.4). It has 1 to 255 printable ASCII characters, and no space.
   * @default '[127.0.0.1]'
   */
  readonly hostname?: string;
  /**
   * What becomes of a LF in the message that stands without a CR. `reject`: a `MailDataError`. `convert`: it
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
   * Deadlines in milliseconds, `Infinity` for none; those of RFC 5321 §4.5.3.2 among them.
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

/** @throws {RangeError} naming the option whose value is out of range, and the range */
export function resolveClientOptions(options: ClientSessionOptions): ResolvedClientOptions {
  const { timeouts = {} } = options;
  return {
    hostname: checkName('hostname', options.hostname ?? '[127.0.0.1]'),
    newlines: checkWord('newlines', options.newlines ?? 'convert', ['reject', 'convert']),
    maximumOctetsInFlight: checkLimit('maximumOctetsInFlight', options.maximumOctetsInFlight ?? 4096),
    maximumReplyLineLength: checkLimit('maximumReplyLineLength', options.maximumReplyLineLength ?? 4096, {
      least: 2,
    }),
    maximumReplyLines: checkLimit('maximumReplyLines', options.maximumReplyLines ?? 128),
    timeouts: {
      greeting: checkTimeout('timeouts.greeting', timeouts.greeting ?? 300_000),
      hello: checkTimeout('timeouts.hello', timeouts.hello ?? 300_000),
      mail: checkTimeout('timeouts.mail', timeouts.mail ?? 300_000),
      rcpt: checkTimeout('timeouts.rcpt', timeouts.rcpt ?? 300_000),
      dataInitiation: checkTimeout('timeouts.dataInitiation', timeouts.dataInitiation ?? 120_000),
      dataBlock: checkTimeout('timeouts.dataBlock', timeouts.dataBlock ?? 180_000),
      dataTermination: checkTimeout('timeouts.dataTermination', timeouts.dataTermination ?? 600_000),
      reset: checkTimeout('timeouts.reset', timeouts.reset ?? 300_000),
      quit: checkTimeout('timeouts.quit', timeouts.quit ?? 10_000),
      linger: checkTimeout('timeouts.linger', timeouts.linger ?? 5_000),
    },
    trace: options.trace ?? false,
  };
}
