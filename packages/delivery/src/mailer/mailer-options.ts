/**
 * Options of a mailer, each with its default.
 */
import { isIP } from 'node:net';
import { hostname as systemName } from 'node:os';
import { type ClientCredentials, checkNames, isHostName, kindOf, namesOf } from '@sansmtp/core';
import {
  type ClientObserver,
  type Clock,
  checkOpenOptions,
  type OpenSessionOptions,
} from '@sansmtp/transport';
import {
  type ClientTlsOptions,
  checkClientTls,
  connect,
  nodeCryptography,
  systemClock,
} from '@sansmtp/transport-node';
import type { GroupingOptions } from '../groups/recipient-groups.js';
import type { TlsaResolver } from '../policies/dane.js';
import { createPolicyFetches, type StsOptions } from '../policies/mta-sts.js';
import { toAsciiDomain } from '../routing/internationalized-domain.js';
import type { MailResolver } from '../routing/mail-resolver.js';
import { createResolver } from '../routing/resolver.js';
import type { RoutingOptions } from '../routing/routing.js';
import type { SessionSettings, TlsPlan } from '../sessions/destination.js';
import type { Endpoint, OpenStream } from '../sessions/endpoint.js';
import { type AddressLookUp, lookUpBy, systemLookUp } from '../sessions/relay-addresses.js';
import type { MailerAuthentication } from '../sessions/session-credentials.js';
import type { PoolLimits } from '../sessions/session-pool.js';

/** Limits of the sessions that are kept, and of those that are open at all. */
export interface PoolOptions {
  /**
   * Connections to one host at the same time, over all of its addresses. Hosts with the same addresses count as one; of
   * two that share only some, each may count for itself, and such an address may get twice as many.
   * @default 5
   */
  readonly connectionsPerHost?: number;
  /** Connections in all at the same time. @default 100 */
  readonly connections?: number;
  /** Mail transactions of one connection; then it says QUIT. @default 100 */
  readonly messagesPerConnection?: number;
  /** Milliseconds for which a session that has nothing to do is kept; 0: none is. @default 5000 */
  readonly idleTime?: number;
  /** Mail transactions that may begin within `rateDelta`, over all connections. @default no limit */
  readonly rateLimit?: number;
  /** Milliseconds that `rateLimit` is for. @default 1000 */
  readonly rateDelta?: number;
}

/** Without effect on a relay. */
export interface MailerRoutingOptions
  extends Pick<RoutingOptions, 'ownNames' | 'ownAddresses' | 'maximumHosts' | 'maximumAttempts'> {
  /**
   * The names under which this host may be a mail exchanger itself. It then sends to better ones only, and rejects
   * mail for which it is the best: that would come back (RFC 5321 §5.1).
   * @default `hostname`, if that was given
   */
  readonly ownNames?: readonly string[];
  /**
   * The addresses at which this host receives mail; exchangers there are taken for it likewise. With `0.0.0.0` or `::`, all
   * loopback ones as well.
   * @default none
   */
  readonly ownAddresses?: readonly string[];
  /**
   * Mail exchangers of a domain whose addresses are looked up; the best ones. With `ownAddresses`, up to as many again
   * that are as good as the last. Mail is deferred where none of them can be tried and the domain has more.
   * @default 10
   */
  readonly maximumHosts?: number;
  /** Addresses that are tried for a domain. @default 20 */
  readonly maximumAttempts?: number;
}

export interface MailerOptions {
  /**
   * All mail goes to this host, or over this Unix socket. The addresses of a host that is given by name race each other,
   * like those of a mail exchanger.
   * @default to the mail exchangers of each recipient's domain (RFC 5321 §5.1)
   */
  readonly relay?: { readonly host: string; readonly port?: number } | { readonly path: string };
  /** The port of mail exchangers, and of a relay that names none. @default 25 */
  readonly port?: number;
  /**
   * The name said in EHLO (RFC 5321 §4.1.4).
   * @default the system's host name if that has a domain, else the connection's local address as a literal,
   *   `localhost` over a Unix socket
   */
  readonly hostname?: string;
  /**
   * - `opportunistic`: STARTTLS where it is offered, with any certificate; in the clear where the handshake fails.
   *   What DANE or MTA-STS demand is held to. With `authentication`, TLS is never done without.
   * - `none`: no TLS.
   * - `required`: nothing without STARTTLS.
   * - `implicit`: TLS from the first octet on (RFC 8314 §3); with `relay` only.
   * @default 'opportunistic'
   */
  readonly tls?: 'opportunistic' | 'none' | 'required' | 'implicit';
  /**
   * The rest about TLS. `verify` demands a certificate for the host's name that is trusted, and so forbids to go on in
   * the clear; its default is true for a `relay` under `authentication`, and for one by name where `tls` is `required` or
   * `implicit`, and else false: few mail exchangers have such a certificate. A Unix socket has no name: give `servername`,
   * or `verify: false`, or `authentication.allowInsecure`.
   */
  readonly tlsOptions?: Partial<Omit<ClientTlsOptions, 'mode'>>;
  /**
   * With `relay` only. Credentials go out over TLS with a certificate for the relay's name only, unless
   * `tlsOptions.verify` is false or `allowInsecure` is true; mail is `deferred` otherwise.
   * @default without
   */
  readonly authentication?: MailerAuthentication;
  /** `lmtp`: with `relay` only (RFC 2033). @default 'smtp' */
  readonly protocol?: 'smtp' | 'lmtp';
  /**
   * Where mail exchangers are looked up, and the addresses of a relay that is given by name.
   * @default a `createResolver()` that asks `dns`; for a relay without `dns`, the system's own look-up
   */
  readonly resolver?: MailResolver;
  /** The DNS server of the default resolver, `ADDRESS` or `ADDRESS:PORT`. @default those of the system */
  readonly dns?: string;
  /** MTA-STS (RFC 8461); without `relay` only. @default not looked at */
  readonly sts?: Pick<StsOptions, 'fetchPolicy' | 'cache' | 'fetchTimeout'>;
  /** DANE (RFC 7672); without `relay` only, and with a `resolver` that proves its answers, too. @default not looked at */
  readonly tlsa?: TlsaResolver;
  readonly pool?: PoolOptions;
  /** Recipients of one mail transaction; RFC 5321 §4.5.3.1.8 has every server take 100. @default 100 */
  readonly recipientsPerTransaction?: number;
  /** Milliseconds for a connection to stand. @default 30000 */
  readonly connectTimeout?: number;
  /**
   * Milliseconds for a connection to stand until the next address of the same host is tried beside it (RFC 8305 §5).
   * @default 250
   */
  readonly attemptDelay?: number;
  /** What keeps mail from looping, and bounds what an unfriendly zone can make us try. */
  readonly routing?: MailerRoutingOptions;
  /**
   * Told of what happens in all sessions: a function of everything, an object with functions of these kinds of events. What
   * it throws goes to `session.onError`.
   * @default nobody; subscribers of the channels `sansmtp:client:…` of `node:diagnostics_channel` are told all the same
   */
  readonly observer?: ClientObserver;
  /** What else there is to say of the sessions: `timeouts`, `mailDataBy`, `onWire`, … */
  readonly session?: Omit<
    OpenSessionOptions,
    'clock' | 'signal' | 'hostname' | 'protocol' | 'startTls' | 'authentication' | 'observer'
  >;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Milliseconds since 1970, by which certificates (DANE) and policies (MTA-STS) expire. @default Date.now */
  readonly now?: () => number;
  /** Orders mail exchangers of equal preference: 0 up to but not including 1. @default Math.random */
  readonly random?: () => number;
  /** @default by TCP or a Unix socket */
  readonly openStream?: OpenStream;
}

/** All options, defaults filled in. */
export interface ResolvedMailerOptions {
  /** One of these two says where mail goes. */
  readonly relay: { readonly endpoint: Endpoint; readonly plan: TlsPlan } | undefined;
  readonly grouping: GroupingOptions | undefined;
  readonly settings: SessionSettings;
  readonly pool: PoolLimits;
  readonly recipientsPerTransaction: number;
  readonly clock: Clock;
}

const DEFAULT_CONNECT_TIMEOUT = 30_000;

export const MAILER_OPTION_NAMES = namesOf<MailerOptions>({
  relay: true,
  port: true,
  hostname: true,
  tls: true,
  tlsOptions: true,
  authentication: true,
  protocol: true,
  resolver: true,
  dns: true,
  sts: true,
  tlsa: true,
  pool: true,
  recipientsPerTransaction: true,
  connectTimeout: true,
  attemptDelay: true,
  routing: true,
  observer: true,
  session: true,
  clock: true,
  now: true,
  random: true,
  openStream: true,
});

const POOL_NAMES = namesOf<PoolOptions>({
  connectionsPerHost: true,
  connections: true,
  messagesPerConnection: true,
  idleTime: true,
  rateLimit: true,
  rateDelta: true,
});

const ROUTING_NAMES = namesOf<MailerRoutingOptions>({
  ownNames: true,
  ownAddresses: true,
  maximumHosts: true,
  maximumAttempts: true,
});

const TLS_NAMES = namesOf<NonNullable<MailerOptions['tlsOptions']>>({
  handshakeTimeout: true,
  servername: true,
  verify: true,
  ca: true,
  minVersion: true,
  cert: true,
  key: true,
});

/** What the mailer says itself, in each session. */
const OF_MAILER = ['hostname', 'protocol', 'startTls', 'authentication', 'clock', 'signal'];

/** @throws {TypeError} a name is not known, or what has others is no object */
function checkOptionNames(options: MailerOptions): void {
  checkNames('The option', options, MAILER_OPTION_NAMES);
  checkNames('The option', options.pool, POOL_NAMES, 'pool.');
  checkNames('The option', options.routing, ROUTING_NAMES, 'routing.');
  checkNames('The option', options.tlsOptions, TLS_NAMES, 'tlsOptions.');
  checkNames('The option', options.sts, ['fetchPolicy', 'cache', 'fetchTimeout'], 'sts.');
  for (const name of ['openStream', 'now', 'random'] as const) {
    const given: unknown = options[name];
    if (given === undefined || typeof given === 'function') continue;
    throw new TypeError(`The option ${name} is ${kindOf(given)}; it takes a function`);
  }
  const { relay, session } = options;
  checkNames('The option', relay, ['host', 'port', 'path'], 'relay.');
  if (relay !== undefined && !('host' in relay) && !('path' in relay)) {
    throw new TypeError('The option relay.host is missing; give host, or the path of a Unix socket');
  }
  if (session === undefined || session === null) return;
  if (typeof session !== 'object' || Array.isArray(session)) {
    checkNames('The option', session, ['timeouts', 'mailDataBy', 'onError', '…'], 'session.');
  }
  for (const name of OF_MAILER) {
    if (!(name in session)) continue;
    const help = name === 'startTls' ? 'tls of the mailer says it' : `give ${name} to the mailer itself`;
    throw new TypeError(`The option session.${name} is not known: ${help}`);
  }
}

/**
 * @throws {RangeError} naming the option whose value is out of range, and the range
 * @throws {TypeError} options that are not known, or contradict each other, or credentials of another shape
 */
export function resolveMailerOptions(options: MailerOptions): ResolvedMailerOptions {
  checkOptionNames(options);
  const { relay, tls = 'opportunistic', tlsOptions = {}, clock = systemClock } = options;
  const pool = {
    connectionsPerHost: 5,
    connections: 100,
    messagesPerConnection: 100,
    idleTime: 5_000,
    rateDelta: 1_000,
    ...options.pool,
  };
  for (const limit of ['connectionsPerHost', 'connections', 'messagesPerConnection'] as const) {
    checkCount(`pool.${limit}`, pool[limit]);
  }
  checkTime('pool.idleTime', pool.idleTime);
  if (pool.rateLimit !== undefined) checkCount('pool.rateLimit', pool.rateLimit);
  checkTime('pool.rateDelta', pool.rateDelta);
  const recipientsPerTransaction = checkCount(
    'recipientsPerTransaction',
    options.recipientsPerTransaction ?? 100,
  );
  const connectTimeout = checkTime('connectTimeout', options.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT);
  checkTlsOptions(tlsOptions);
  const settings = sessionSettings(options, clock);
  const common = { settings, pool, recipientsPerTransaction, clock };
  checkWord('tls', tls, ['opportunistic', 'none', 'required', 'implicit']);

  if (relay === undefined) {
    checkWithoutRelay(options);
    checkRouting(options.routing ?? {});
    if (tls === 'implicit')
      throw new TypeError("tls 'implicit' goes with a relay: mail exchangers have STARTTLS");
    const grouping: GroupingOptions = {
      resolver: options.resolver ?? createResolver(options.dns === undefined ? {} : { server: options.dns }),
      routing: {
        ...(options.hostname !== undefined && { ownNames: [options.hostname] }),
        ...options.routing,
        connectTimeout,
        ...(options.port !== undefined && { port: checkPort('port', options.port) }),
        ...(options.random && { random: options.random }),
      },
      tls,
      verify: tlsOptions.verify ?? false,
      sts: options.sts && {
        cache: options.sts.cache,
        fetches: createPolicyFetches(options.sts, clock, 'sts.fetchTimeout'),
      },
      tlsa: options.tlsa,
      settings,
    };
    return { ...common, relay: undefined, grouping };
  }

  if ((options.sts ?? options.tlsa) !== undefined) {
    throw new TypeError('sts and tlsa go without a relay: they are about the mail exchangers of a domain');
  }
  const named = 'host' in relay;
  const strict = tls === 'required' || tls === 'implicit' || options.authentication !== undefined;
  const { authentication } = options;
  const verify =
    tlsOptions.verify ??
    (named ? strict : authentication !== undefined && authentication.allowInsecure !== true);
  if (verify && !named && tlsOptions.servername === undefined) {
    throw new TypeError(
      'The server at a Unix socket cannot be verified without its name: give tlsOptions.servername, or say ' +
        'tlsOptions.verify: false, or authentication.allowInsecure: true where the socket is to be trusted',
    );
  }
  const endpoint: Endpoint = named
    ? {
        host: nameInDns(relay.host),
        address: nameInDns(relay.host),
        port: relay.port ?? options.port ?? 25,
        connectTimeout,
      }
    : { path: checkNotEmpty('relay.path', relay.path), connectTimeout };
  return { ...common, relay: { endpoint, plan: { mode: tls, verify } }, grouping: undefined };
}

/** What each connection would be refused for. */
function checkTlsOptions(tlsOptions: NonNullable<MailerOptions['tlsOptions']>): void {
  const { verify, handshakeTimeout, servername } = tlsOptions;
  if (verify !== undefined && typeof verify !== 'boolean') {
    throw outOfRange('tlsOptions.verify', verify, 'true or false');
  }
  if (handshakeTimeout !== undefined && !(typeof handshakeTimeout === 'number' && handshakeTimeout >= 0)) {
    throw outOfRange('tlsOptions.handshakeTimeout', handshakeTimeout, 'milliseconds of 0 or more');
  }
  if (servername !== undefined) checkNotEmpty('tlsOptions.servername', servername);
  checkClientTls({ mode: 'startTls', verify: false, ...tlsOptions });
}

/** As DNS, certificates and servers know it; an address is left as it is. */
function nameInDns(host: string): string {
  const converted = toAsciiDomain(checkNotEmpty('relay.host', host));
  return converted.kind === 'domain' ? converted.domain : host;
}

function checkWithoutRelay(options: MailerOptions): void {
  const { authentication, protocol, tls, tlsOptions, resolver, sts, tlsa } = options;
  if (tlsOptions?.servername !== undefined) {
    throw new TypeError('tlsOptions.servername goes with a relay: each mail exchanger has a name of its own');
  }
  if (authentication !== undefined) {
    throw new TypeError('Authentication goes with a relay: mail exchangers know nobody');
  }
  if (protocol === 'lmtp') throw new TypeError("protocol 'lmtp' goes with a relay (RFC 2033 §5)");
  if (tls === 'none' && (sts ?? tlsa) !== undefined) {
    throw new TypeError("tls 'none' contradicts sts and tlsa, which may demand TLS");
  }
  // By the default one nothing would be proven, no TLSA record asked for, and nobody would notice.
  if (tlsa !== undefined && resolver === undefined) {
    throw new TypeError('tlsa goes with a resolver that validates DNSSEC, too: the default one does not');
  }
}

function checkRouting({
  ownNames = [],
  ownAddresses = [],
  maximumHosts,
  maximumAttempts,
}: MailerRoutingOptions): void {
  for (const [name, list] of Object.entries({ ownNames, ownAddresses })) {
    if (!Array.isArray(list)) throw outOfRange(`routing.${name}`, list, 'a list');
  }
  if (maximumHosts !== undefined) checkCount('routing.maximumHosts', maximumHosts);
  if (maximumAttempts !== undefined) checkCount('routing.maximumAttempts', maximumAttempts);
  for (const address of ownAddresses) {
    if (isIP(address) === 0) throw outOfRange('routing.ownAddresses', address, 'IP addresses');
  }
}

function sessionSettings(options: MailerOptions, clock: Clock): SessionSettings {
  const { relay, protocol = 'smtp', openStream = connectTo, tlsOptions = {} } = options;
  const own = systemName();
  const hostname = options.hostname ?? (own.includes('.') && isHostName(own) ? own : undefined);
  const reached =
    relay !== undefined && 'host' in relay
      ? { host: nameInDns(relay.host), port: checkPort('relay.port', relay.port ?? options.port ?? 25) }
      : {};
  const session = {
    cryptography: nodeCryptography,
    ...options.session,
    ...(options.observer !== undefined && { observer: options.observer }),
    ...(hostname !== undefined && { hostname }),
    protocol,
  };
  const authentication = options.authentication && { ...reached, ...options.authentication };
  // What cannot be is the caller's mistake now, not a failing connection later.
  checkOpenOptions({
    ...session,
    ...(authentication && { authentication: { ...authentication, credentials: knownNow(authentication) } }),
  });
  const attemptDelay = checkTime('attemptDelay', options.attemptDelay ?? 250);
  return {
    openStream,
    options: { ...session, clock },
    authentication,
    lookUp: lookUpOf(options),
    tlsOptions,
    attemptDelay,
    now: options.now ?? Date.now,
  };
}

/** The credentials as far as they can be looked at before a session asks for them. */
function knownNow({ credentials }: MailerAuthentication): ClientCredentials {
  return typeof credentials === 'function' ? { kind: 'external' } : credentials;
}

/** Whoever opens streams in their own way may have names that nobody else knows. */
function lookUpOf({ resolver, dns, openStream }: MailerOptions): AddressLookUp | undefined {
  if (resolver !== undefined) return lookUpBy(resolver);
  if (dns !== undefined) return lookUpBy(createResolver({ server: dns }));
  return openStream === undefined ? systemLookUp : undefined;
}

const connectTo: OpenStream = (endpoint, tls, signal) => {
  const { connectTimeout: timeout } = endpoint;
  const target =
    'path' in endpoint ? { path: endpoint.path } : { host: endpoint.address, port: endpoint.port };
  return connect({ ...target, timeout, ...(signal && { signal }), ...(tls && { tls }) });
};

function checkCount(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw outOfRange(option, value, 'an integer of 1 or more');
}

function checkTime(option: string, value: number): number {
  // A text from the environment would be appended to the time and not added.
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  throw outOfRange(option, value, 'milliseconds of 0 or more');
}

function checkNotEmpty(option: string, value: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw outOfRange(option, value, 'a text that is not empty');
}

function checkPort(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= 65535) return value;
  throw outOfRange(option, value, 'an integer of 1 to 65535');
}

function checkWord(option: string, value: string, words: readonly string[]): void {
  if (words.includes(value)) return;
  throw outOfRange(option, value, words.map((word) => `'${word}'`).join(', '));
}

function outOfRange(option: string, value: unknown, allowed: string): RangeError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new RangeError(`The option ${option} is ${shown}; it takes ${allowed}`);
}
