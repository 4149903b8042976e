/**
 * Options of a client session, each with its default. Limits are integers of 1 or more.
 */

import type { ServiceExtension } from '../../extensions/contract/extension.js';
import { knownExtensions } from '../../extensions/lists.js';
import {
  type AttributeVerb,
  attributeNames,
  type ClientAttributes,
  formatClientAttributes,
} from '../../extensions/session/client-attributes.js';
import {
  checkFlag,
  checkKinds,
  checkLimit,
  checkList,
  checkName,
  checkTimeouts,
  checkWord,
  outOfRange,
} from '../../option-checks.js';
import { checkNames, checkObject, namesOf } from '../../option-names.js';
import { byPreference, CLIENT_MECHANISMS, clientMechanisms } from '../../sasl/client-mechanisms.js';
import type { ClientCredentials, ClientMechanism, MechanismName } from '../../sasl/exchange/exchange.js';
import { resolveMechanisms } from '../../sasl/given-mechanisms.js';
import { ITERATIONS } from '../../sasl/scram/scram-keys.js';
import { Secret } from '../../secret.js';
import type { TlsInformation } from '../../tls.js';
import { formatCommand } from '../../wire/commands/format-command.js';
import type { LoneLineFeed } from '../../wire/mail-data/mail-data-encoder.js';
import type { ClientTimeouts } from '../chart/chart-context.js';
import type { ClientProtocolEvent } from '../observing/protocol-events.js';

/** How a client proves who it is (RFC 4954). */
export interface ClientAuthentication {
  readonly credentials: ClientCredentials;
  /**
   * The SASL mechanisms that may be used: ours by their names, one of your own as a value. Of those that the server offers
   * and the credentials fit, the first of your own is used, or the strongest of ours.
   * @default all but CRAM-MD5
   */
  readonly mechanisms?: readonly (MechanismName | ClientMechanism)[];
  /**
   * Authenticate also without TLS, where whoever listens may learn the password or token, or enough to guess it
   * (RFC 4954 §9).
   * @default false
   */
  readonly allowInsecure?: boolean;
  /**
   * PBKDF2 iterations that a server may ask for in SCRAM, 4096 to 100,000,000; each takes time here (RFC 5802 §9).
   * Over it, and below 4096: the exchange is given up.
   * @default 1_000_000
   */
  readonly maximumIterations?: number;
  /** Host and port that were connected to; OAUTHBEARER tells them to the server (RFC 7628 §3.1). */
  readonly host?: string;
  readonly port?: number;
}

/** How a client presents itself, what it demands of the server, and how long it waits. All have defaults. */
export interface ClientSessionOptions {
  /**
   * `lmtp`: LHLO, no HELO, and a reply for each recipient to the message (RFC 2033).
   * @default 'smtp'
   */
  readonly protocol?: 'smtp' | 'lmtp';
  /**
   * Whether to begin TLS by STARTTLS (RFC 3207) on a connection that has none. `opportunistic`: where it is offered
   * and the server is ready; a handshake that fails ends the session all the same. `required`: nothing is said
   * without it.
   * @default 'never'
   */
  readonly startTls?: 'never' | 'opportunistic' | 'required';
  /**
   * The TLS that has protected the connection from its start (RFC 8314 §3).
   * @default none
   */
  readonly tls?: TlsInformation;
  /**
   * Authenticate before the session is open; the session fails if that cannot be done.
   * @default without
   */
  readonly authentication?: ClientAuthentication;
  /**
   * The service extensions whose parameters and verbs may be sent, where the server offers them.
   * @default all that stand in the table of this package
   */
  readonly extensions?: readonly ServiceExtension[];
  /**
   * On whose behalf the session is held, said by XCLIENT; the session fails if the server does not take it.
   * @default nobody's
   */
  readonly xclient?: ClientAttributes;
  /**
   * From whom the mail came here, said by XFORWARD for the server's log; left out where it is not offered.
   * @default nobody
   */
  readonly xforward?: ClientAttributes;
  /**
   * How a message is sent: by DATA; or by BDAT (RFC 3030) where CHUNKING is offered, without dots being doubled, in
   * chunks of 65,536 octets, whatever the pieces that are handed in. A message of `body: 'BINARYMIME'` always goes by BDAT.
   * @default 'data'
   */
  readonly mailDataBy?: 'data' | 'bdat';
  /**
   * The name given in EHLO, LHLO and HELO: the host's domain name, or an address literal if it has none
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
   * allows servers 512, and some exceed that. In a SASL exchange it is 12288 at least (RFC 4954 §4).
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
   * @default { greeting: 300_000, hello: 300_000, startTls: 300_000, handshake: 60_000, authentication: 300_000,
   *   computation: 60_000, proxying: 300_000, inquiry: 300_000, mail: 300_000, rcpt: 300_000,
   *   dataInitiation: 120_000, dataBlock: 180_000, chunk: 180_000, dataTermination: 600_000, reset: 300_000,
   *   quit: 10_000, linger: 5_000 }
   */
  readonly timeouts?: Partial<ClientTimeouts>;
  /**
   * Tell what happens by outputs `observed`: everything, or the kinds of events that stand in a list. What nobody wants
   * to know is not made.
   * @default false
   */
  readonly observe?: boolean | readonly ClientProtocolEvent['type'][];
}

type Optional = 'timeouts' | 'tls' | 'authentication' | 'xclient' | 'xforward' | 'observe';

/** All options, defaults filled in. */
export type ResolvedClientOptions = Readonly<Required<Omit<ClientSessionOptions, Optional>>> & {
  readonly timeouts: ClientTimeouts;
  readonly tls: TlsInformation | undefined;
  readonly authentication: ResolvedAuthentication | undefined;
  readonly xclient: ClientAttributes | undefined;
  readonly xforward: ClientAttributes | undefined;
  readonly observe: ReadonlySet<ClientProtocolEvent['type']>;
};

export type ResolvedAuthentication = Readonly<
  Required<Omit<ClientAuthentication, 'host' | 'port' | 'mechanisms'>> & {
    /** The one that is preferred first. */
    readonly mechanisms: readonly ClientMechanism[];
    readonly host: string | undefined;
    readonly port: number | undefined;
  }
>;

const CREDENTIALS_NAMES: Readonly<Record<string, readonly string[]>> = {
  password: ['kind', 'username', 'password', 'authorizationIdentity'],
  token: ['kind', 'username', 'token'],
  external: ['kind', 'authorizationIdentity'],
};

/**
 * Not every caller is compiled, and what has another shape would be found out at the server only. No value is shown: it
 * may be the secret.
 */
function checkCredentials(credentials: ClientCredentials): ClientCredentials {
  const names = CREDENTIALS_NAMES[credentials?.kind];
  if (names !== undefined) checkNames('The option', credentials, names, 'authentication.credentials.');
  switch (credentials?.kind) {
    case 'password':
      checkText('username', credentials.username);
      checkSecret('password', credentials.password);
      break;
    case 'token':
      checkText('username', credentials.username);
      checkSecret('token', credentials.token);
      return credentials;
    case 'external':
      break;
    default:
      throw wrongCredentials('kind', "'password', 'token' or 'external'");
  }
  if (credentials.authorizationIdentity !== undefined) {
    checkText('authorizationIdentity', credentials.authorizationIdentity);
    // NUL would end it in PLAIN, and no name of ours has the others (RFC 4013 §2.3).
    if (/\p{Cc}/u.test(credentials.authorizationIdentity)) {
      throw wrongCredentials('authorizationIdentity', 'a string without control characters');
    }
  }
  return credentials;
}

function checkText(field: string, value: unknown): void {
  if (typeof value !== 'string') throw wrongCredentials(field, 'a string');
}

function checkSecret(field: string, value: unknown): void {
  if (!(value instanceof Secret)) {
    throw wrongCredentials(field, 'a Secret: new Secret(…) of a string or of octets');
  }
}

function wrongCredentials(field: string, wanted: string): TypeError {
  return new TypeError(`The option authentication.credentials.${field} takes ${wanted}`);
}

const AUTHENTICATION_NAMES = namesOf<ClientAuthentication>({
  credentials: true,
  mechanisms: true,
  allowInsecure: true,
  maximumIterations: true,
  host: true,
  port: true,
});

const DEFAULT_TIMEOUTS: ClientTimeouts = {
  greeting: 300_000,
  hello: 300_000,
  startTls: 300_000,
  handshake: 60_000,
  authentication: 300_000,
  computation: 60_000,
  proxying: 300_000,
  inquiry: 300_000,
  mail: 300_000,
  rcpt: 300_000,
  dataInitiation: 120_000,
  dataBlock: 180_000,
  chunk: 180_000,
  dataTermination: 600_000,
  reset: 300_000,
  quit: 10_000,
  linger: 5_000,
};

const EVENT_TYPES = new Set(
  namesOf<Record<ClientProtocolEvent['type'], unknown>>({
    command: true,
    response: true,
    reply: true,
    transition: true,
    timerSet: true,
    timerCleared: true,
    authentication: true,
    message: true,
    failed: true,
  }) as readonly ClientProtocolEvent['type'][],
);

function resolveAuthentication(authentication: ClientAuthentication): ResolvedAuthentication {
  checkNames('The option', authentication, AUTHENTICATION_NAMES, 'authentication.');
  return {
    credentials: checkCredentials(authentication.credentials),
    mechanisms: byPreference(
      resolveMechanisms<ClientMechanism>(authentication.mechanisms ?? CLIENT_MECHANISMS, clientMechanisms, {
        fits: 'function',
        begin: 'function',
      }),
    ),
    allowInsecure: checkFlag('authentication.allowInsecure', authentication.allowInsecure ?? false),
    maximumIterations: checkLimit(
      'authentication.maximumIterations',
      authentication.maximumIterations ?? 1_000_000,
      ITERATIONS,
    ),
    host: authentication.host === undefined ? undefined : checkHost(authentication.host),
    port:
      authentication.port === undefined
        ? undefined
        : checkLimit('authentication.port', authentication.port, PORTS),
  };
}

const PORTS = { least: 1, most: 65_535 } as const;

/** It stands in a message whose fields end in %x01 (RFC 7628 §3.1). */
function checkHost(host: string): string {
  if (typeof host === 'string' && /^[!-~]{1,255}$/.test(host)) return host;
  throw outOfRange(
    'authentication.host',
    host,
    'the name or address that was connected to, in printable ASCII',
  );
}

/** Undefined where there is nothing to say. What can be written with all attributes can be with fewer. */
function checkAttributes(
  verb: AttributeVerb,
  attributes: ClientAttributes | undefined,
): ClientAttributes | undefined {
  if (attributes === undefined) return undefined;
  const argument = formatClientAttributes(attributes, verb, attributeNames(verb).join(' '));
  if (argument === '') return undefined;
  formatCommand({ verb, argument });
  return attributes;
}

/** The names of the options that have such a value. */
type NameOf<Value> = {
  [Name in keyof ClientSessionOptions]-?: Required<ClientSessionOptions>[Name] extends Value ? Name : never;
}[keyof ClientSessionOptions];

/** All options, checked, with the defaults of those that are not given. */
function resolved(options: ClientSessionOptions): ResolvedClientOptions {
  const limit = (name: NameOf<number>, fallback: number, bounds?: Parameters<typeof checkLimit>[2]) =>
    checkLimit(name, options[name] ?? fallback, bounds);
  const { authentication } = options;
  return {
    protocol: checkWord('protocol', options.protocol ?? 'smtp', ['smtp', 'lmtp']),
    startTls: checkWord('startTls', options.startTls ?? 'never', ['never', 'opportunistic', 'required']),
    tls: options.tls,
    authentication: authentication === undefined ? undefined : resolveAuthentication(authentication),
    extensions: checkList('extensions', options.extensions ?? knownExtensions, 'service extensions'),
    xclient: checkAttributes('XCLIENT', options.xclient),
    xforward: checkAttributes('XFORWARD', options.xforward),
    mailDataBy: checkWord('mailDataBy', options.mailDataBy ?? 'data', ['data', 'bdat']),
    hostname: checkName('hostname', options.hostname ?? '[127.0.0.1]'),
    newlines: checkWord('newlines', options.newlines ?? 'convert', ['reject', 'convert']),
    maximumOctetsInFlight: limit('maximumOctetsInFlight', 4096),
    maximumReplyLineLength: limit('maximumReplyLineLength', 4096, {
      least: 2,
    }),
    maximumReplyLines: limit('maximumReplyLines', 128),
    timeouts: checkTimeouts(options.timeouts ?? {}, DEFAULT_TIMEOUTS),
    observe: checkKinds('observe', options.observe ?? false, EVENT_TYPES),
  };
}

/** The names of all options of a client session. */
export const CLIENT_OPTION_NAMES: readonly string[] = Object.keys(resolved({}));

const CONSTRUCTOR_NAMES = [...CLIENT_OPTION_NAMES, 'now'];

/**
 * @throws {RangeError} naming the option whose value is out of range, and the range
 * @throws {TypeError} naming an option that is not known, and the one that was probably meant; or the field of the
 *   credentials that is of the wrong type, and the right one
 */
export function resolveClientOptions(options: ClientSessionOptions): ResolvedClientOptions {
  checkObject('The option', options, CONSTRUCTOR_NAMES);
  return resolved(options);
}
