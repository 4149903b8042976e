/**
 * The fetches of MTA-STS policies that a mailer has under way, and those that have failed.
 *
 * - A policy is fetched once for all who wait for it. One who gives up takes nothing from the others; a fetch for which
 *   nobody waits any more is aborted.
 * - After a failure a version is not fetched again for a while (RFC 8461 §3.3): the answer is the same failure.
 */
import type { Clock } from '@sansmtp/transport';
import { settledOrAborted } from '../signals/settled-or-aborted.js';
import type { StsPolicy } from './sts-policy.js';

/** Milliseconds for which a failure holds; RFC 8461 §3.3 asks for five minutes or longer. */
const FAILURE_TIME = 5 * 60_000;

/** Failures that are remembered: whoever can make us send mail to many domains must not fill the memory. */
export const MAXIMUM_FAILURES = 1_000;

/** Rejects with an error that is for a person when there is no policy to be had. */
export type FetchAndRead = (domain: string, signal: AbortSignal) => Promise<StsPolicy>;

interface Fetch {
  readonly policy: Promise<StsPolicy>;
  readonly controller: AbortController;
  waiting: number;
}

export class PolicyFetches {
  readonly #fetchAndRead: FetchAndRead;
  readonly #timeout: number;
  readonly #clock: Clock;
  /** Both by domain and id. */
  readonly #underWay = new Map<string, Fetch>();
  /** Those that failed first are first. */
  readonly #failures = new Map<string, { readonly error: unknown; readonly until: number }>();

  /** @param timeout milliseconds of the clock for one fetch */
  constructor(fetchAndRead: FetchAndRead, timeout: number, clock: Clock) {
    this.#fetchAndRead = fetchAndRead;
    this.#timeout = timeout;
    this.#clock = clock;
  }

  /**
   * The policy that a domain announces under this id.
   * @throws the signal's reason once it is aborted, and why there is no policy to be had
   */
  async policyOf(domain: string, id: string, signal: AbortSignal | undefined): Promise<StsPolicy> {
    const version = `${domain} ${id}`;
    const failure = this.#failures.get(version);
    if (failure !== undefined && failure.until > this.#clock.now()) throw failure.error;
    const fetch = this.#underWay.get(version) ?? this.#begin(version, domain);
    fetch.waiting += 1;
    try {
      return await settledOrAborted(fetch.policy, signal);
    } finally {
      fetch.waiting -= 1;
      if (fetch.waiting === 0 && this.#end(version, fetch)) fetch.controller.abort();
    }
  }

  #begin(version: string, domain: string): Fetch {
    const controller = new AbortController();
    const policy = this.#fetch(domain, controller);
    const fetch: Fetch = { policy, controller, waiting: 0 };
    this.#underWay.set(version, fetch);
    policy.then(
      () => this.#end(version, fetch),
      (error: unknown) => {
        if (this.#end(version, fetch)) this.#remember(version, error);
      },
    );
    return fetch;
  }

  /** False: nobody waited any more, and it has been aborted for that alone. */
  #end(version: string, fetch: Fetch): boolean {
    return this.#underWay.get(version) === fetch && this.#underWay.delete(version);
  }

  async #fetch(domain: string, controller: AbortController): Promise<StsPolicy> {
    const { signal } = controller;
    const cancelTimer = this.#clock.set(this.#clock.now() + this.#timeout, () =>
      controller.abort(new Error(`The policy could not be fetched: no answer within ${this.#timeout} ms`)),
    );
    try {
      return await settledOrAborted(this.#fetchAndRead(domain, signal), signal);
    } finally {
      cancelTimer();
    }
  }

  #remember(version: string, error: unknown): void {
    this.#failures.delete(version);
    this.#failures.set(version, { error, until: this.#clock.now() + FAILURE_TIME });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAXIMUM_FAILURES && oldest !== undefined) this.#failures.delete(oldest);
  }
}
