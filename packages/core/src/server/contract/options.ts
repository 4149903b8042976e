/**
 * Options of a server session, each with its default. Limits are integers of 1 or more; those that may be
 * `Infinity` say so.
 */

import type { ServiceExtension } from '../../extensions/contract/extension.js';
import { standardExtensions } from '../../extensions/lists.js';
import {
  checkFlag,
  checkKinds,
  checkLimit,
  checkList,
  checkName,
  checkTimeouts,
  checkWord,
} from '../../option-checks.js';
import { checkNames, checkObject, namesOf } from '../../option-names.js';
import type { MechanismName, ServerMechanism } from '../../sasl/exchange/exchange.js';
import { resolveMechanisms } from '../../sasl/given-mechanisms.js';
import { MINIMUM_ITERATIONS } from '../../sasl/scram/scram-keys.js';
import { serverMechanisms } from '../../sasl/server-mechanisms.js';
import type { TlsInformation } from '../../tls.js';
import type { BareNewline } from '../../wire/inbound.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { ServerChartInput, ServerTimeouts } from '../chart/chart-context.js';
import type { ReplyOccasion } from '../decisions/replies.js';
import type { ServerProtocolEvent } from '../observing/protocol-events.js';

/** Who may authenticate, and how (RFC 4954). */
export interface ServerAuthenticationOptions {
  /**
   * The mechanisms to offer, as far as the connection allows: those that bind to the TLS channel (`-PLUS`) and
   * EXTERNAL need TLS in any case. Ours by their names, one of your own as a value.
   * @default SCRAM in all its forms, PLAIN and LOGIN. CRAM-MD5 needs the passwords themselves to be stored; tokens
   *   (OAUTHBEARER, XOAUTH2) and certificates (EXTERNAL) need an application that checks them.
   */
  readonly mechanisms?: readonly (MechanismName | ServerMechanism)[];
  /**
   * Offer AUTH without TLS too: then PLAIN and LOGIN send passwords in the clear.
   * @default false
   */
  readonly allowInsecure?: boolean;
  /**
   * Take no mail, and answer no VRFY, EXPN or ETRN, before AUTH: 530 5.7.0 (RFC 6409 §4.3).
   * @default false
   */
  readonly required?: boolean;
  /**
   * Refused exchanges until the session ends by 421 4.7.0. A refusal by 4yz does not count: the service failed.
   * @default 3
   */
  readonly maximumFailures?: number;
  /**
   * PBKDF2 iterations of SCRAM where the stored credentials are a password: 4096 (RFC 7677 §4) to 1,000,000: each attempt
   * has them derived.
   * @default 15_000
   */
  readonly iterations?: number;
}

/** What a `ServerSession` offers, takes and waits for (RFC 5321); each has a default. */
export interface ServerSessionOptions {
  /**
   * LMTP (RFC 2033) begins with LHLO, and answers a message with a reply for each recipient.
   * @default 'smtp'
   */
  readonly protocol?: 'smtp' | 'lmtp';
  /** TLS that protects the connection from the start (RFC 8314 §3). */
  readonly tls?: TlsInformation;
  /**
   * STARTTLS (RFC 3207); the transport must be able to take TLS up in mid-connection. `required`: all but EHLO, NOOP
   * and QUIT gets 530 5.7.0 before it.
   * @default 'none'
   */
  readonly startTls?: 'none' | 'offered' | 'required';
  /** @default AUTH is not offered */
  readonly authentication?: ServerAuthenticationOptions;
  /**
   * The service extensions, in the order in which EHLO lists those that it offers.
   * @default standardExtensions
   */
  readonly extensions?: readonly ServiceExtension[];
  /**
   * The peer may speak for others: XCLIENT and XFORWARD are offered to it. That ends with an XCLIENT that tells the
   * client's address: from there on a proxy passes on what that client says.
   * @default false
   */
  readonly trusted?: boolean;
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
   * Commands refused in a row for what they are or when they come (500 to 504, 530, 538, 555, 550 to XCLIENT) until
   * the session ends by 421 4.7.0. The application's refusals do not count.
   * @default 10
   */
  readonly maximumErrors?: number;
  /**
   * Commands that bring no mail forward, since the last message that reached its end: NOOP, VRFY, EXPN, HELP, RSET, ETRN,
   * EHLO or HELO once more, and MAIL without an accepted recipient; `Infinity` for no limit. Over it, the session ends
   * by 421 4.7.0.
   * @default 100
   */
  readonly maximumJunkCommands?: number;
  /**
   * Recipients that are refused in one session, by the application, for their address, or because the mail transaction has
   * `maximumRecipients`; `Infinity` for no limit. Over it, the session ends by 421 4.7.0.
   * @default 1000
   */
  readonly maximumRefusedRecipients?: number;
  /**
   * The least mail data in octets a second; 0 for no limit. A message has 60 s to begin with, each of its octets earns
   * it the time that the rate says, and at most `timeouts.mailData` is saved up; once nothing is left, the session ends
   * by 421 4.7.0. Only time in which the host reads from the client counts, that between two chunks of BDAT too.
   * @default 100
   */
  readonly minimumMailDataRate?: number;
  /**
   * The longest command line in octets, CRLF included; service extensions add to it for MAIL and RCPT, and AUTH may
   * have 12288 (RFC 4954 §4). Over it: 500 5.5.2, of AUTH 500 5.5.6, and the line is skipped (RFC 5321 §4.5.3.1.4).
   * @default 512
   */
  readonly maximumCommandLength?: number;
  /**
   * The longest line of mail data in octets, CRLF included; `Infinity` for any. Over it: 554 5.6.0 after the end
   * of the mail data. RFC 5321 §4.5.3.1.6 has 1000, and lets a server take more.
   * @default Infinity
   */
  readonly maximumTextLineLength?: number;
  /**
   * What becomes of a bare CR, bare LF or NUL. None of them ends a message in any case: only CRLF.CRLF does
   * (RFC 5321 §2.3.8, §4.1.1.4). `reject`: 500 5.5.2 to a command, 554 5.6.0 to a message. `normalize`: a bare LF ends
   * a command and a line of the message, which is handed on with CRLF; a bare CR or NUL is refused as by `reject`.
   * `keep`: it stays where it is, verbatim.
   * @default 'reject'
   */
  readonly bareNewline?: BareNewline;
  /**
   * Take what printers, management boards and the like send, as Postfix does by default: paths without angle brackets or
   * with blanks inside them, TAB as a separator, an argument of QUIT, MAIL before EHLO. docs/receiving.md has all of it.
   * @default false
   */
  readonly lenient?: boolean;
  /**
   * Milliseconds before the question `connect` is asked, 60,000 at most: a client that sends anything in this time, and so
   * has not waited for the greeting (RFC 5321 §3.1), is asked about at once.
   * @default 0
   */
  readonly greetingDelay?: number;
  /**
   * Milliseconds by which each reply 4yz and 5yz is delayed, 60,000 at most, unless it ends the session. What the client has
   * sent meanwhile waits.
   * @default 0
   */
  readonly refusalDelay?: number;
  /**
   * Octets that may be handed in while `wantsInput` is false. More throws a `LocalProtocolError`.
   * @default 262_144
   */
  readonly maximumHeldOctets?: number;
  /**
   * Deadlines in milliseconds; `Infinity` for none.
   * @default { idle: 300_000, mailData: 300_000, decision: 600_000, handshake: 60_000, linger: 5_000, session: 3_600_000 }
   */
  readonly timeouts?: Partial<ServerTimeouts>;
  /**
   * Says a reply in other words, or by another code with the same first digit (RFC 5321 §4.2.1), before it is written;
   * the greeting and the reply to EHLO come whole. Give it back as it is where it needs none. What it throws, and a
   * reply that cannot be written, comes out of `poll()` as an error.
   * @default replies are written as they are
   */
  readonly rephrase?: (reply: Reply, occasion: ReplyOccasion) => Reply;
  /**
   * Tell what happens by outputs `observed`: everything, or the kinds of events that stand in a list. What nobody wants
   * to know is not made.
   * @default false
   */
  readonly observe?: boolean | readonly ServerProtocolEvent['type'][];
}

export type ResolvedServerAuthentication = Readonly<
  Required<Omit<ServerAuthenticationOptions, 'mechanisms'>> & {
    readonly mechanisms: readonly ServerMechanism[];
  }
>;

/** All options, defaults filled in. */
export type ResolvedServerOptions = Readonly<
  Required<Omit<ServerSessionOptions, 'timeouts' | 'tls' | 'authentication' | 'rephrase' | 'observe'>> & {
    readonly timeouts: ServerTimeouts;
    readonly tls: TlsInformation | undefined;
    readonly authentication: ResolvedServerAuthentication | undefined;
    readonly rephrase: ServerSessionOptions['rephrase'] | undefined;
    readonly observe: ReadonlySet<ServerProtocolEvent['type']>;
  }
>;

/** Those with which a user proves to know a password. */
const PASSWORD_MECHANISMS: readonly MechanismName[] = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-1',
  'PLAIN',
  'LOGIN',
];

const DEFAULT_TIMEOUTS: ServerTimeouts = {
  // RFC 5321 §4.5.3.2.7
  idle: 300_000,
  mailData: 300_000,
  // The client waits 10 minutes for the reply to its final dot (RFC 5321 §4.5.3.2.6).
  decision: 600_000,
  handshake: 60_000,
  linger: 5_000,
  session: 3_600_000,
};

const EVENT_TYPES = new Set(
  namesOf<Record<ServerProtocolEvent['type'], unknown>>({
    command: true,
    response: true,
    transition: true,
    timerSet: true,
    timerCleared: true,
    decision: true,
    reply: true,
    refusal: true,
    authentication: true,
    message: true,
  }) as readonly ServerProtocolEvent['type'][],
);

/** A client waits five minutes for a reply (RFC 5321 §4.5.3.2), and many give up sooner. */
const DELAY = { least: 0, most: 60_000 } as const;

/** Each attempt has them derived: more would be an attack on oneself. */
const OWN_ITERATIONS = { least: MINIMUM_ITERATIONS, most: 1_000_000 } as const;

function resolvedAuthentication(options: ServerAuthenticationOptions): ResolvedServerAuthentication {
  const { mechanisms = PASSWORD_MECHANISMS } = options;
  return {
    mechanisms: resolveMechanisms<ServerMechanism>(mechanisms, serverMechanisms, {
      clientFirst: 'boolean',
      begin: 'function',
    }),
    allowInsecure: checkFlag('authentication.allowInsecure', options.allowInsecure ?? false),
    required: checkFlag('authentication.required', options.required ?? false),
    maximumFailures: checkLimit('authentication.maximumFailures', options.maximumFailures ?? 3),
    iterations: checkLimit('authentication.iterations', options.iterations ?? 15_000, OWN_ITERATIONS),
  };
}

const AUTHENTICATION_NAMES = Object.keys(resolvedAuthentication({}));

function resolveAuthentication(options: ServerAuthenticationOptions): ResolvedServerAuthentication {
  checkNames('The option', options, AUTHENTICATION_NAMES, 'authentication.');
  return resolvedAuthentication(options);
}

/** The names of the options that have such a value. */
type NameOf<Value> = {
  [Name in keyof ServerSessionOptions]-?: Required<ServerSessionOptions>[Name] extends Value ? Name : never;
}[keyof ServerSessionOptions];

/** All options, checked, with the defaults of those that are not given. */
function resolved(options: ServerSessionOptions): ResolvedServerOptions {
  const limit = (name: NameOf<number>, fallback: number, bounds?: Parameters<typeof checkLimit>[2]) =>
    checkLimit(name, options[name] ?? fallback, bounds);
  const flag = (name: NameOf<boolean>) => checkFlag(name, options[name] ?? false);
  const { authentication } = options;
  return {
    protocol: checkWord('protocol', options.protocol ?? 'smtp', ['smtp', 'lmtp']),
    tls: options.tls,
    startTls: checkWord('startTls', options.startTls ?? 'none', ['none', 'offered', 'required']),
    authentication: authentication === undefined ? undefined : resolveAuthentication(authentication),
    extensions: checkList('extensions', options.extensions ?? standardExtensions, 'service extensions'),
    trusted: flag('trusted'),
    hostname: checkName('hostname', options.hostname ?? 'localhost'),
    maximumMessageSize: limit('maximumMessageSize', 36_700_160, {
      unlimited: true,
    }),
    maximumRecipients: limit('maximumRecipients', 1000),
    maximumErrors: limit('maximumErrors', 10),
    maximumJunkCommands: limit('maximumJunkCommands', 100, {
      unlimited: true,
    }),
    maximumRefusedRecipients: limit('maximumRefusedRecipients', 1000, { unlimited: true }),
    minimumMailDataRate: limit('minimumMailDataRate', 100, { least: 0 }),
    maximumCommandLength: limit('maximumCommandLength', 512, {
      least: 2,
    }),
    maximumTextLineLength: limit('maximumTextLineLength', Number.POSITIVE_INFINITY, {
      least: 2,
      unlimited: true,
    }),
    bareNewline: checkWord('bareNewline', options.bareNewline ?? 'reject', ['reject', 'normalize', 'keep']),
    lenient: flag('lenient'),
    greetingDelay: limit('greetingDelay', 0, DELAY),
    refusalDelay: limit('refusalDelay', 0, DELAY),
    maximumHeldOctets: limit('maximumHeldOctets', 262_144),
    timeouts: checkTimeouts(options.timeouts ?? {}, DEFAULT_TIMEOUTS),
    rephrase: options.rephrase,
    observe: checkKinds('observe', options.observe ?? false, EVENT_TYPES),
  };
}

/** The names of all options of a server session. */
export const SERVER_OPTION_NAMES: readonly string[] = Object.keys(resolved({}));

const CONSTRUCTOR_NAMES = [...SERVER_OPTION_NAMES, 'now'];

/**
 * @throws {RangeError} naming the option whose value is out of range, and the range
 * @throws {TypeError} naming an option that is not known, and the one that was probably meant
 */
export function resolveServerOptions(options: ServerSessionOptions): ResolvedServerOptions {
  checkObject('The option', options, CONSTRUCTOR_NAMES);
  return resolved(options);
}

/** What the chart is to know of them. */
export function chartInput(options: ResolvedServerOptions): ServerChartInput {
  const { protocol, lenient, timeouts, maximumRecipients, maximumErrors, tls, startTls, authentication } =
    options;
  return {
    timeouts,
    lmtp: protocol === 'lmtp',
    lenient,
    maximumRecipients,
    maximumErrors,
    maximumAuthenticationFailures: authentication?.maximumFailures ?? 1,
    secured: tls !== undefined,
    tlsRequired: startTls === 'required',
    authenticationRequired: authentication?.required ?? false,
  };
}
