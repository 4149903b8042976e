/**
 * How often a client may fail to authenticate before nothing more is looked at: for its network and a name, and for its
 * network. Only failures count, and they are forgotten when their period is over.
 *
 * It is bounded in memory: beyond so many networks (or names) the one that failed first is forgotten.
 */

import { checkNames } from '@sansmtp/core';

/** What `failureLimiter` takes. */
export interface FailureLimiterOptions {
  /**
   * Failures in a period for one name from one network (an IPv4 address or an IPv6 /64); 0: no limit.
   * @default 10
   */
  readonly perName?: number;
  /**
   * Failures in a period from one network; 0: no limit.
   * @default ten times `perName`
   */
  readonly perNetwork?: number;
  /**
   * Milliseconds, from the first failure on.
   * @default 600_000
   */
  readonly period?: number;
}

/**
 * Counts failed authentications. Its keys are those of `clientNetwork()`; one of your own may count for several
 * processes.
 */
export interface FailureLimiter {
  /** Whether an attempt is answered 454 4.7.0 without a look. `now` is in monotonic milliseconds. */
  isClosed(network: string, username: string, now: number): boolean;
  /** An attempt has failed. `username` is empty where none was given. */
  failed(network: string, username: string, now: number): void;
}

/** Networks, and names from a network, that are remembered: some 20 MB at worst. */
const MAXIMUM_KEYS = 100_000;

/** Characters of a name that count: it is as long as a client likes. */
const NAME_LENGTH = 64;

/** Failures of each key within their period. */
class Failures {
  readonly #limit: number;
  readonly #period: number;
  /** In the order of the first failure, so that what is over stands in front. */
  readonly #counts = new Map<string, { count: number; readonly until: number }>();

  constructor(limit: number, period: number) {
    this.#limit = limit;
    this.#period = period;
  }

  isClosed(key: string, now: number): boolean {
    const failures = this.#counts.get(key);
    return failures !== undefined && failures.until > now && failures.count >= this.#limit;
  }

  add(key: string, now: number): void {
    if (this.#limit === 0) return;
    for (const [oldest, { until }] of this.#counts) {
      if (until > now && this.#counts.size <= MAXIMUM_KEYS) break;
      this.#counts.delete(oldest);
    }
    const failures = this.#counts.get(key);
    if (failures === undefined) this.#counts.set(key, { count: 1, until: now + this.#period });
    else failures.count++;
  }
}

function checkCount(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(
    `The option ${option} is ${value}; it takes an integer of 1 or more, or 0 for no limit`,
  );
}

/**
 * Makes a limiter, for the option `failureLimiter` of `serveSession` and `startMailServer`.
 * @throws {RangeError} an option is out of its range
 * @throws {TypeError} an option is not known
 */
export function failureLimiter(options: FailureLimiterOptions = {}): FailureLimiter {
  checkNames('The option', options, ['perName', 'perNetwork', 'period']);
  const perName = checkCount('perName', options.perName ?? 10);
  const perNetwork = checkCount('perNetwork', options.perNetwork ?? perName * 10);
  const period = options.period ?? 600_000;
  if (typeof period !== 'number' || !(period > 0)) {
    throw new RangeError(`The option period is ${period}; it takes milliseconds of more than 0`);
  }
  const names = new Failures(perName, period);
  const networks = new Failures(perNetwork, period);
  const nameKey = (network: string, username: string) => `${network} ${username.slice(0, NAME_LENGTH)}`;
  return {
    isClosed: (network, username, now) =>
      networks.isClosed(network, now) || names.isClosed(nameKey(network, username), now),
    failed(network, username, now) {
      networks.add(network, now);
      names.add(nameKey(network, username), now);
    },
  };
}

const limiters = new WeakMap<object, FailureLimiter>();

/** The limiter of all sessions with these handlers, where none was given: who embeds a server need not think of it. */
export function limiterOf(handlers: object): FailureLimiter {
  const known = limiters.get(handlers) ?? failureLimiter();
  limiters.set(handlers, known);
  return known;
}
