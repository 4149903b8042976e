/** Options of a relay, each with its default. */
import { checkNames, isHostName, type Mailbox, namesOf } from '@sansmtp/core';
import { comparableDomain, DEFAULT_RETRY_SCHEDULE, type Mailer } from '@sansmtp/delivery';
import type { Clock } from '@sansmtp/transport';
import { systemClock } from '@sansmtp/transport-node';
import type { QueueStore } from '../contract/queue-store.js';
import { type Deliverer, EVERY_OTHER_DOMAIN, type NextHop, type Routes } from '../scheduler/routes.js';
import type { Bounce, RelayObserver } from './telling/relay-events.js';

export interface RelayOptions {
  /** Where messages are safe. The relay does not close it. */
  readonly store: QueueStore;
  /**
   * Delivers what has no route. Give it `pool` limits as high as those here. The relay does not close it.
   */
  readonly mailer: Mailer | Deliverer;
  /** The name of this host: a domain or an address literal. It stands in notifications. */
  readonly hostname: string;
  /** Where the mail for some domains goes instead of to their exchangers; `setRoutes()` changes it. @default none */
  readonly routes?: Routes;
  /**
   * Milliseconds between attempts, the last of them from then on. Each may be up to a tenth longer.
   * @default 30 minutes twice, then 1, 2 and 4 hours; and once, after the first 4yz to RCPT, 5 minutes (greylisting)
   */
  readonly retry?: readonly number[];
  /** Milliseconds from a message's arrival until its sender is told of the delay, once. @default 14400000 (4 hours) */
  readonly warnAfter?: number;
  /** Milliseconds from a message's arrival until it is given up, and its sender told. @default 432000000 (5 days) */
  readonly giveUpAfter?: number;
  /** Deliveries to one destination at a time: to a domain, or to the next hop of a route. @default 20 */
  readonly connectionsPerHost?: number;
  /** Deliveries in all at a time. @default 500 */
  readonly connections?: number;
  /**
   * Milliseconds for which a destination that is down gets nothing.
   * @default 300000 (5 minutes), or the shortest wait of `retry` if that is less
   */
  readonly backOff?: number;
  /** Milliseconds for which a claim belongs to this process; it is renewed in time. @default 300000 (5 minutes) */
  readonly lease?: number;
  /** Who gets notifications that cannot be delivered. @default nobody: they are dropped, with the event `notificationDropped` */
  readonly postmaster?: Mailbox;
  /** Tells senders by mail (RFC 3464) of failures, delays, and what else they ask for by NOTIFY. @default true */
  readonly notifications?: boolean;
  /**
   * Called for each recipient that is given up, before that is stored: while it throws, and after a crash, it is called again. So being
   * told twice must do no harm.
   */
  readonly onBounce?: (bounce: Bounce) => unknown;
  /** `Received` fields that a message may have; with more it is refused (554 5.4.6), for it loops. @default 100 */
  readonly maximumHops?: number;
  /** Told of all that happens. */
  readonly observer?: RelayObserver;
  /** Told of what the observer throws. @default it is written to stderr */
  readonly onError?: (error: unknown) => void;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Milliseconds since 1970 UTC. @default Date.now */
  readonly now?: () => number;
  /** 0 up to but not including 1. @default Math.random */
  readonly random?: () => number;
}

export type ResolvedRelayOptions = Omit<
  Required<RelayOptions>,
  'retry' | 'postmaster' | 'observer' | 'onError' | 'onBounce' | 'mailer'
> &
  Pick<RelayOptions, 'retry' | 'postmaster' | 'observer' | 'onError' | 'onBounce'> & {
    readonly mailer: Deliverer;
  };

export const RELAY_OPTION_NAMES = namesOf<RelayOptions>({
  store: true,
  mailer: true,
  hostname: true,
  routes: true,
  retry: true,
  warnAfter: true,
  giveUpAfter: true,
  connectionsPerHost: true,
  connections: true,
  backOff: true,
  lease: true,
  postmaster: true,
  notifications: true,
  onBounce: true,
  maximumHops: true,
  observer: true,
  onError: true,
  clock: true,
  now: true,
  random: true,
});

const HOUR = 3_600_000;
const DEFAULT_BACK_OFF = 300_000;

/**
 * @throws {TypeError} an option is not known, is missing, or of another shape
 * @throws {RangeError} the value of an option is out of its range
 */
export function resolveRelayOptions(options: RelayOptions): ResolvedRelayOptions {
  checkNames('The option', options, RELAY_OPTION_NAMES);
  const { store, mailer, hostname, retry } = options;
  if (typeof store?.claim !== 'function')
    throw new TypeError('The option store takes a QueueStore, as openQueue() opens one');
  if (typeof mailer?.send !== 'function')
    throw new TypeError('The option mailer takes a mailer, as createMailer() makes one');
  if (!isHostName(hostname)) {
    throw new RangeError(
      `The option hostname is ${JSON.stringify(hostname)}; it takes the name of this host, or an address literal such as [192.0.2.1]`,
    );
  }
  if (retry !== undefined) {
    if (!Array.isArray(retry) || retry.length === 0) throw outOfRange('retry', retry, 'one wait at least');
    for (const wait of retry) checkTime('retry', wait, 1);
  }
  const backOff = Math.min(DEFAULT_BACK_OFF, ...(retry ?? []));
  return {
    ...options,
    routes: checkRoutes(options.routes ?? new Map()),
    warnAfter: checkTime('warnAfter', options.warnAfter ?? 4 * HOUR),
    giveUpAfter: checkTime('giveUpAfter', options.giveUpAfter ?? DEFAULT_RETRY_SCHEDULE.giveUpAfter),
    connectionsPerHost: checkCount('connectionsPerHost', options.connectionsPerHost ?? 20),
    connections: checkCount('connections', options.connections ?? 500),
    backOff: checkTime('backOff', options.backOff ?? backOff),
    lease: checkTime('lease', options.lease ?? 300_000, 1),
    notifications: options.notifications ?? true,
    maximumHops: checkCount('maximumHops', options.maximumHops ?? 100),
    clock: options.clock ?? systemClock,
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
  };
}

/** @throws {TypeError} they are no map of next hops; @throws {RangeError} a domain is spelt otherwise than it is compared */
export function checkRoutes(routes: Routes): Routes {
  if (!(routes instanceof Map))
    throw new TypeError('The option routes takes a Map from domains to next hops');
  for (const [domain, hop] of routes as ReadonlyMap<string, NextHop>) {
    if (typeof hop?.name !== 'string' || typeof hop.mailer?.send !== 'function') {
      throw new TypeError(`The route of ${JSON.stringify(domain)} takes { name, mailer }`);
    }
    if (domain === EVERY_OTHER_DOMAIN || domain === '' || comparableDomain(domain) === domain) continue;
    throw new RangeError(
      `The route of ${JSON.stringify(domain)} is never taken: spell the domain as comparableDomain() does, ` +
        'in lower case, as A-labels, without a final dot',
    );
  }
  return routes;
}

function checkCount(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw outOfRange(option, value, 'an integer of 1 or more');
}

function checkTime(option: string, value: number, least = 0): number {
  if (typeof value === 'number' && value >= least && value < Number.POSITIVE_INFINITY) return value;
  throw outOfRange(option, value, `milliseconds of ${least} or more`);
}

function outOfRange(option: string, value: unknown, allowed: string): RangeError {
  return new RangeError(`The option ${option} is ${JSON.stringify(value)}; it takes ${allowed}`);
}
