/**
 * One AUTH exchange at the server (RFC 4954 §4): runs the server's half of a mechanism, and keeps what it wants
 * next until it gets it. The chart decides what may happen in between; it is told the kind of the next step.
 */
import type {
  AuthenticatedIdentity,
  ServerChannel,
  ServerExchange,
  ServerMechanism,
  ServerOutcome,
  ServerStep,
  StoredCredentials,
} from '../sasl/exchange.js';
import { REFUSED } from '../sasl/steps.js';
import { type Reply, severity } from '../wire/reply.js';
import type { AuthenticationNext } from './chart.js';

const NEXT = {
  challenge: 'challenge',
  compute: 'computation',
  retrieve: 'credentials',
  verify: 'decision',
} as const satisfies Record<ServerStep['type'], AuthenticationNext>;

export class Authentication {
  readonly #exchange: ServerExchange;
  #step: ServerStep | ServerOutcome;
  /** What the application wants said once the exchange has come to its end. */
  lastWord: Reply | undefined;

  constructor(mechanism: ServerMechanism, channel: ServerChannel) {
    this.#exchange = mechanism.begin(channel);
    this.#step = this.#exchange.next().value;
  }

  /** What the exchange wants next, or how it ended. */
  get next(): AuthenticationNext {
    switch (this.#step.type) {
      case 'success':
        return 'success';
      case 'failure':
        if (this.#step.reason === 'malformed' || this.lastWord === undefined) return this.#step.reason;
        return severity(this.lastWord.code) === 'transient' ? 'unavailable' : 'refused';
      default:
        return NEXT[this.#step.type];
    }
  }

  /** Gives the exchange what it wanted. */
  resume(given: Uint8Array | StoredCredentials | boolean | undefined): AuthenticationNext {
    this.#step = this.#exchange.next(given).value;
    return this.next;
  }

  /** Ends the exchange by this reply, whatever it wants. */
  refuse(lastWord: Reply): AuthenticationNext {
    this.lastWord = lastWord;
    this.#step = REFUSED;
    return this.next;
  }

  /** The step of which the chart speaks; it speaks of no other. */
  step<Type extends (ServerStep | ServerOutcome)['type']>(
    type: Type,
  ): Extract<ServerStep | ServerOutcome, { readonly type: Type }> {
    if (this.#step.type === type) {
      return this.#step as Extract<ServerStep | ServerOutcome, { readonly type: Type }>;
    }
    throw new Error(`The server chart speaks of ${type}, but the AUTH exchange is at ${this.#step.type}`);
  }

  /** Who was let in. */
  get identity(): AuthenticatedIdentity {
    return this.step('success').identity;
  }
}
