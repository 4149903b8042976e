/** Failed authentications of one session's client, which the failure limiter counts. */
import type { AuthenticationDecision, ServerSession } from '@sansmtp/core';
import type { FailureLimiter } from '../authentication/failure-limiter.js';
import { guarded } from '../guarded.js';
import type { Application } from './application.js';
import { clientNetwork } from './client-network.js';

export class LoginFailures {
  readonly #limiter: FailureLimiter;
  readonly #application: Application;
  readonly #session: ServerSession;
  readonly #trusted: boolean;
  readonly #now: () => number;
  /** Under which name an attempt is under way. */
  #username: string | undefined;

  /** @param trusted the peer is */
  constructor(
    limiter: FailureLimiter,
    application: Application,
    session: ServerSession,
    trusted: boolean,
    now: () => number,
  ) {
    this.#limiter = limiter;
    this.#application = application;
    this.#session = session;
    this.#trusted = trusted;
    this.#now = now;
  }

  /** Under which the client's failures count; undefined where they do not. */
  get #client(): string | undefined {
    // A trusted peer may speak for a client: from there on it is that client's failure.
    const isItself = this.#session.client?.address === undefined;
    return this.#trusted && isItself ? undefined : clientNetwork(this.#application.information.peer);
  }

  /** The limiter lets this client try no more under this name for now. */
  areTooMany(username: string): boolean {
    this.#username = username;
    const client = this.#client;
    if (client === undefined) return false;
    let isClosed: unknown;
    const fault = (error: unknown) => this.#application.report('failureLimiter', error);
    guarded(() => {
      isClosed = this.#limiter.isClosed(client, username, this.#now());
      return isClosed;
    }, fault);
    if (typeof isClosed === 'boolean') return isClosed;
    // Nothing was said, and nobody is to guess freely.
    if (isClosed !== undefined) fault(new TypeError('isClosed() gave no boolean: it has to know at once'));
    return true;
  }

  /**
   * The limit was reached while the attempt was under way, by others at the same time: whether it is right is not told, or
   * whoever connects often enough could guess more often.
   */
  get haveBecomeTooMany(): boolean {
    return this.#username !== undefined && this.areTooMany(this.#username);
  }

  /** An authentication was decided on: counts a failure, and tells the application. */
  decided(decision: AuthenticationDecision): void {
    this.#username = undefined;
    const client = this.#client;
    if (decision.outcome === 'refused' && client !== undefined) {
      this.#application.call('failureLimiter', () =>
        this.#limiter.failed(client, decision.username ?? '', this.#now()),
      );
    }
    this.#application.call('onAuthDecided', () =>
      this.#application.handlers.onAuthDecided?.(decision, this.#application.information),
    );
  }
}
