/**
 * Routing: from a domain to the addresses to be tried for it, in their order (RFC 5321 §5.1).
 *
 * `selectExchangers` and `planAttempts` are pure: DNS answers in, decisions out. `findRoute` asks the questions
 * between them.
 *
 * - What DNS fails to say is never taken for "there are none": such mail is deferred (4.4.3).
 * - Where we are an exchanger ourselves, only better ones are tried: each hop of a message brings it nearer.
 * - An unfriendly zone can make us try a bounded number of hosts and addresses only.
 * - What comes from DNS is not trusted to be text: the sentences of replies hold checked names only.
 */
import { BlockList, isIP } from 'node:net';
import { checkNames, isHostName, namesOf, type Reply } from '@sansmtp/core';
import { checkAddresses, checkMx } from './checked-answer.js';
import { toAsciiDomain } from './internationalized-domain.js';
import type { DnsAnswer, MailExchanger, MailResolver } from './mail-resolver.js';

/** One address to be tried. */
export interface Attempt {
  /** The exchanger's name in lower case, to check a certificate against; or the address literal. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** The preference of the MX record; 0 without one. */
  readonly preference: number;
  /** Milliseconds that the connection may take to stand. */
  readonly connectTimeout: number;
  /** DNSSEC proves both that the host is the domain's and that the address is the host's (RFC 7672 §2.2). */
  readonly secure: boolean;
}

/** Why there is nowhere to go. The reply is as a server would have given it to RCPT: for verdicts and notifications. */
export type RoutingFailure =
  | { readonly kind: 'rejected'; readonly reply: Reply }
  | { readonly kind: 'deferred'; readonly reply: Reply };

export type Route =
  | {
      readonly kind: 'attempts';
      /** The domain in ASCII, or the address literal. */
      readonly domain: string;
      /** One at least. */
      readonly attempts: readonly Attempt[];
    }
  | RoutingFailure;

export interface RoutingOptions {
  /** @default 25 */
  readonly port?: number;
  /** Milliseconds for each connection to stand. @default 30000 */
  readonly connectTimeout?: number;
  /**
   * Hosts whose addresses are looked up; the best ones. With `ownAddresses`, up to as many again whose preference is
   * that of the last: this host may be one of them, and would send to its equals.
   * @default 10
   */
  readonly maximumHosts?: number;
  /** Addresses to be tried. @default 20 */
  readonly maximumAttempts?: number;
  /** The names under which this host may be an exchanger itself. @default none */
  readonly ownNames?: readonly string[];
  /** The addresses at which this host receives mail at `port`; with `0.0.0.0` or `::`, all loopback ones as well. @default none */
  readonly ownAddresses?: readonly string[];
  /** Orders exchangers of equal preference: 0 up to but not including 1. @default Math.random */
  readonly random?: () => number;
}

type Settings = Required<RoutingOptions>;

function settingsOf(options: RoutingOptions): Settings {
  const settings = {
    port: 25,
    connectTimeout: 30_000,
    maximumHosts: 10,
    maximumAttempts: 20,
    ownNames: [],
    ownAddresses: [],
    random: Math.random,
    ...options,
  };
  for (const limit of ['maximumHosts', 'maximumAttempts'] as const) {
    if (Number.isSafeInteger(settings[limit]) && settings[limit] > 0) continue;
    throw new RangeError(`The option ${limit} is ${settings[limit]}; it takes an integer of 1 or more`);
  }
  const { port, connectTimeout, ownNames, ownAddresses, random } = settings;
  if (!Array.isArray(ownNames) || !ownNames.every((name) => typeof name === 'string')) {
    throw new RangeError('The option ownNames takes a list of host names');
  }
  if (!Array.isArray(ownAddresses) || !ownAddresses.every((address) => isIP(address) !== 0)) {
    throw new RangeError('The option ownAddresses takes a list of IP addresses');
  }
  if (typeof random !== 'function') throw new RangeError('The option random takes a function');
  if (!(Number.isSafeInteger(port) && port >= 1 && port <= 65_535)) {
    throw new RangeError(`The option port is ${port}; it takes an integer of 1 to 65535`);
  }
  if (!(Number.isFinite(connectTimeout) && connectTimeout >= 0)) {
    throw new RangeError(
      `The option connectTimeout is ${connectTimeout}; it takes milliseconds of 0 or more`,
    );
  }
  return settings;
}

function rejected(code: number, enhancedCode: string, text: string): RoutingFailure {
  return { kind: 'rejected', reply: { code, enhancedCode, lines: [text] } };
}

/** RFC 3463 §3.5: X.4.3 is a directory server that failed, X.4.4 is routing that did. */
function deferred(enhancedCode: '4.4.3' | '4.4.4', text: string): RoutingFailure {
  return { kind: 'deferred', reply: { code: 451, enhancedCode, lines: [text] } };
}

function loop(domain: string): RoutingFailure {
  return rejected(554, '5.4.6', `Mail for ${domain} loops back: this host is the best mail exchanger for it`);
}

/** Host names compare without regard to case and to the dot at the end. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/**
 * Whether the target of an MX record can be looked up. Underscores are let pass, which some exchangers have; an
 * address is not, though some zones have one there (RFC 5321 §5.1: a domain name).
 */
function isExchange(name: string): boolean {
  return name.length <= 253 && /^[\w-]{1,63}(?:\.[\w-]{1,63})*$/.test(name) && isIP(name) === 0;
}

/** By Fisher and Yates: each order is as likely as each other. */
function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1));
    [order[last], order[chosen]] = [order[chosen] as Item, order[last] as Item];
  }
  return order;
}

export interface SelectedExchangers {
  readonly kind: 'exchangers';
  /** Those to be looked up, best first; names in lower case, each once; never none. */
  readonly exchangers: readonly MailExchanger[];
  /** Those that come after them, and are too many. */
  readonly omitted: readonly MailExchanger[];
  /** DNSSEC proves which they are. */
  readonly secure: boolean;
}

/**
 * Which hosts to try for a domain, in which order. Without MX records that is the domain itself, the implicit MX
 * (RFC 5321 §5.1). Equal preferences are in random order, so that their hosts share the load.
 *
 * @param domain in ASCII and lower case
 */
export function selectExchangers(
  domain: string,
  answer: DnsAnswer<MailExchanger>,
  options: RoutingOptions = {},
): SelectedExchangers | RoutingFailure {
  const { maximumHosts, ownNames, ownAddresses, random } = settingsOf(options);
  if (answer.kind === 'temporary') {
    return deferred('4.4.3', `The mail exchangers of ${domain} could not be looked up: ${answer.problem}`);
  }
  if (answer.kind === 'noSuchDomain') return rejected(550, '5.1.2', `The domain ${domain} does not exist`);

  const records =
    answer.kind === 'none'
      ? [{ exchange: domain, preference: 0 }]
      : answer.records.map(({ exchange, preference }) => ({ exchange: canonical(exchange), preference }));
  // A null MX means what it says when it stands alone; among others it is a mistake (RFC 7505 §3).
  if (records.every(({ exchange }) => exchange === '')) {
    return rejected(556, '5.1.10', `The domain ${domain} accepts no mail`);
  }

  const own = new Set(ownNames.map(canonical));
  const limit = Math.min(
    ...records.filter(({ exchange }) => own.has(exchange)).map((record) => record.preference),
  );
  const better = records.filter(({ preference }) => preference < limit);
  if (better.length === 0) return loop(domain);

  const exchangers = new Map<string, MailExchanger>();
  // The order among equals survives sorting, which is stable.
  for (const record of shuffled(better, random).sort((a, b) => a.preference - b.preference)) {
    if (isExchange(record.exchange) && !exchangers.has(record.exchange))
      exchangers.set(record.exchange, record);
  }
  if (exchangers.size === 0) return noHost(domain);
  const ranked = [...exchangers.values()];
  let end = Math.min(maximumHosts, ranked.length);
  if (ownAddresses.length > 0) {
    while (end < 2 * maximumHosts && ranked[end]?.preference === ranked[end - 1]?.preference) end += 1;
  }
  const secure = answer.secure ?? false;
  return { kind: 'exchangers', exchangers: ranked.slice(0, end), omitted: ranked.slice(end), secure };
}

function noHost(domain: string): RoutingFailure {
  return rejected(550, '5.1.2', `The domain ${domain} has no host that accepts mail`);
}

/** Not for good: one that is not looked up may accept mail. */
function notAllTried(domain: string, lookedUp: number): RoutingFailure {
  const text = `None of the first ${lookedUp} mail exchangers of ${domain} can be tried; no more are looked up`;
  return deferred('4.4.4', `${text} (maximumHosts)`);
}

/**
 * IPv6 and IPv4 in turn, so that a family which leads nowhere costs one time-out and not one for each address; each
 * family in the order of DNS (RFC 5321 §5.1).
 */
function alternating(addresses: readonly string[]): string[] {
  const ipv6 = addresses.filter((address) => isIP(address) === 6);
  const ipv4 = addresses.filter((address) => isIP(address) === 4);
  const length = Math.max(ipv6.length, ipv4.length);
  return Array.from({ length }, (_, index) => [ipv6[index], ipv4[index]])
    .flat()
    .filter((address) => address !== undefined);
}

/**
 * An address can be written in several ways, which a comparison of texts would tell apart. Whoever listens at the unspecified address
 * is reached by all of the loopback network, too.
 */
function ownAddressCheck(ownAddresses: readonly string[]): (address: string) => boolean {
  const own = new BlockList();
  for (const address of ownAddresses) own.addAddress(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  if (own.check('0.0.0.0') || own.check('::', 'ipv6')) {
    own.addSubnet('127.0.0.0', 8);
    own.addAddress('::1', 'ipv6');
  }
  return (address) => own.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * The addresses to try for a domain, in their order.
 *
 * @param domain in ASCII and lower case
 * @param answers to the address look-ups of `selected.exchangers`, in the same order
 */
export function planAttempts(
  domain: string,
  selected: SelectedExchangers,
  answers: readonly DnsAnswer<string>[],
  options: RoutingOptions = {},
): Route {
  const { port, connectTimeout, maximumAttempts, ownAddresses } = settingsOf(options);
  const isOwn = ownAddressCheck(ownAddresses);
  const hosts = selected.exchangers.flatMap(({ exchange, preference }, index) => {
    const answer = answers[index];
    return answer === undefined ? [] : [{ exchange, preference, answer }];
  });
  // By whatever name it goes: a host at an address of ours is this one.
  const own = Math.min(
    ...hosts
      .filter(({ answer }) => answer.kind === 'found' && answer.records.some(isOwn))
      .map(({ preference }) => preference),
  );
  // Nor are those tried whose equals are not all known: one may be this host (RFC 5321 §5.1).
  const omitted = selected.omitted[0]?.preference ?? Number.POSITIVE_INFINITY;
  const last = selected.exchangers.at(-1)?.preference;
  const limit = ownAddresses.length > 0 && omitted === last ? Math.min(own, omitted) : own;
  const attempts: Attempt[] = [];
  let unknown: string | undefined;
  for (const { exchange, preference, answer } of hosts) {
    if (preference >= limit) continue;
    if (answer.kind === 'temporary') {
      unknown ??= `The addresses of ${exchange} could not be looked up: ${answer.problem}`;
    }
    if (answer.kind !== 'found') continue;
    const secure = selected.secure && (answer.secure ?? false);
    for (const address of new Set(alternating(answer.records))) {
      attempts.push({ host: exchange, address, port, preference, connectTimeout, secure });
    }
  }

  if (attempts.length > 0) return { kind: 'attempts', domain, attempts: attempts.slice(0, maximumAttempts) };
  // The host that could not be looked up may be the one that accepts mail.
  if (unknown !== undefined) return deferred('4.4.3', unknown);
  if (own < Number.POSITIVE_INFINITY) return loop(domain);
  return selected.omitted.length > 0 ? notAllTried(domain, selected.exchangers.length) : noHost(domain);
}

function routeToLiteral(literal: string, options: RoutingOptions): Route {
  const { port, connectTimeout, ownAddresses } = settingsOf(options);
  const address = literal.slice(1, -1).replace(/^IPv6:/i, '');
  if (isIP(address) === 0) {
    return rejected(550, '5.1.2', `The address literal ${literal} is of a kind that cannot be connected to`);
  }
  if (ownAddressCheck(ownAddresses)(address)) return loop(literal);
  const attempt = { host: literal, address, port, preference: 0, connectTimeout, secure: false };
  return { kind: 'attempts', domain: literal, attempts: [attempt] };
}

const FIND_NAMES = namesOf<FindOptions>({
  port: true,
  connectTimeout: true,
  maximumHosts: true,
  maximumAttempts: true,
  ownNames: true,
  ownAddresses: true,
  random: true,
  signal: true,
});

interface FindOptions extends RoutingOptions {
  readonly signal?: AbortSignal;
}

/**
 * Finds where mail for a domain goes.
 *
 * @param domain the domain of a mailbox: with A-labels or U-labels, or an address literal with its brackets
 * @throws {RangeError} an option is out of its range
 * @throws {TypeError} an option is not known, or an answer of the resolver is none
 * @throws the signal's reason once it is aborted
 */
export async function findRoute(
  domain: string,
  resolver: MailResolver,
  options: FindOptions = {},
): Promise<Route> {
  checkNames('The option', options, FIND_NAMES);
  if (domain.startsWith('[') && isHostName(domain)) return routeToLiteral(domain, options);
  const ascii = toAsciiDomain(domain);
  if (ascii.kind === 'invalid') return rejected(550, '5.1.2', ascii.problem);

  const { signal } = options;
  const exchangers = checkMx(await resolver.resolveMx(ascii.domain, signal));
  const selected = selectExchangers(ascii.domain, exchangers, options);
  if (selected.kind !== 'exchangers') return selected;
  const answers = await Promise.all(
    selected.exchangers.map(async ({ exchange }) =>
      checkAddresses(await resolver.resolveAddresses(exchange, signal)),
    ),
  );
  return planAttempts(ascii.domain, selected, answers, options);
}
