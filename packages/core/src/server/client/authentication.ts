/**
 * AUTH at the server (RFC 4954 §4): what is offered, how an exchange begins, what the client responds, and the
 * exchange itself, which runs the server's half of a mechanism and keeps what it wants next until it gets it. The
 * chart decides what may happen in between; it is told the kind of the next step.
 *
 * - After success there is no AUTH any more; without TLS there is none either, unless it is allowed.
 * - Nobody is let in whom the application has not let in; who they are then is for `authorization.ts` to say, and not for
 *   a mechanism.
 * - A wrong initial response refuses the command: the exchange has not begun.
 */

import { authorize } from '../../sasl/authorization.js';
import { decodeBase64 } from '../../sasl/exchange/base64.js';
import type {
  AuthenticatedIdentity,
  Judgement,
  ServerChannel,
  ServerExchange,
  ServerMechanism,
  ServerOutcome,
  ServerStep,
} from '../../sasl/exchange/exchange.js';
import { checkExchange, checkServerStep } from '../../sasl/exchange/given-steps.js';
import { REFUSED, type Resumption } from '../../sasl/exchange/steps.js';
import { usableMechanisms } from '../../sasl/server-mechanisms.js';
import type { Command } from '../../wire/commands/command.js';
import type { InboundLine } from '../../wire/inbound.js';
import { decodeText, NOTHING } from '../../wire/octets.js';
import { type Reply, severity } from '../../wire/replies/reply.js';
import type { AuthenticationNext, ServerChartEvent } from '../chart/chart-events.js';
import type { ResolvedServerOptions } from '../contract/options.js';
import type { Answer, AuthenticationDecision, Question } from '../decisions/questions.js';
import { defaultReplies, replies } from '../decisions/replies.js';
import type { ClientIdentity } from './client-identity.js';

/** The questions of an exchange. */
export type AuthenticationQuestion = Question & { kind: 'credentials' | 'authenticate' };

const NEXT = {
  challenge: 'challenge',
  compute: 'computation',
  retrieve: 'credentials',
  verify: 'decision',
} as const satisfies Record<ServerStep['type'], AuthenticationNext>;

/** One exchange. */
export class Authentication {
  readonly mechanism: string;
  /** The name of the last question. */
  #username: string | undefined;
  #identity: AuthenticatedIdentity | undefined;
  readonly #exchange: ServerExchange;
  #step: ServerStep | ServerOutcome;
  /** What the application wants said once the exchange has come to its end. */
  #lastWord: Reply | undefined;
  /** The application has let nobody in, though the mechanism may have more to say (RFC 7628 §3.2.3). */
  #turnedAway = false;

  constructor(mechanism: ServerMechanism, channel: ServerChannel) {
    this.mechanism = mechanism.name;
    this.#exchange = checkExchange(mechanism.name, mechanism.begin(channel));
    this.#step = checkServerStep(mechanism.name, this.#exchange.next());
  }

  /** What the exchange wants next, or how it ended. */
  get next(): AuthenticationNext {
    switch (this.#step.type) {
      case 'success':
        return 'success';
      case 'failure':
        if (this.#step.reason === 'malformed' || this.#lastWord === undefined) return this.#step.reason;
        return severity(this.#lastWord.code) === 'transient' ? 'unavailable' : 'refused';
      default:
        return NEXT[this.#step.type];
    }
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

  /** What is asked of the application. */
  question(kind: AuthenticationQuestion['kind']): AuthenticationQuestion {
    if (kind === 'authenticate') {
      const { attempt } = this.step('verify');
      if ('username' in attempt) this.#username = attempt.username;
      return { kind, attempt };
    }
    const { mechanism, username } = this.step('retrieve');
    this.#username = username;
    return { kind, mechanism, username };
  }

  /** Who the client says it is, as soon as the application was asked about them. */
  get username(): string | undefined {
    return this.#username;
  }

  /** Gives the exchange what it wanted. */
  resume(given: Resumption): AuthenticationNext {
    this.#step = checkServerStep(this.mechanism, this.#exchange.next(given));
    return this.next;
  }

  /** Goes on with what the host has computed; undefined if it could not. */
  resumeWithResult(result: Uint8Array | undefined): AuthenticationNext {
    return result === undefined ? this.#refuse(replies.authenticationUnavailable) : this.resume(result);
  }

  /** Goes on with what the application has answered. */
  resumeWithAnswer(
    kind: AuthenticationQuestion['kind'],
    { decision, reply, credentials, grant, tokenError }: Answer,
  ): AuthenticationNext {
    this.#lastWord = reply;
    if (kind === 'authenticate') {
      // Nothing was decided: a mechanism that says why would say that the token is bad.
      if (reply !== undefined && severity(reply.code) === 'transient') return this.#refuse(reply);
      // The last word counts: a mechanism may ask about a second factor.
      this.#identity = decision === 'accept' ? authorize(this.step('verify').attempt, grant) : undefined;
      this.#turnedAway = this.#identity === undefined;
      const refusal: Judgement = { accepted: false, ...(tokenError && { tokenError }) };
      return this.resume(this.#turnedAway ? refusal : { accepted: true });
    }
    // Its own reply ends the exchange; without one nobody is to notice that there is no such user.
    if (decision === 'reject' && reply !== undefined) return this.#refuse(reply);
    return this.resume(decision === 'accept' ? credentials : undefined);
  }

  /**
   * The client gives no response. The exchange is over, which may be a refusal already: then it counts as one, or a
   * client could try as many secrets as it likes (RFC 4954 §9).
   */
  breakOff(): AuthenticationNext | undefined {
    if (!this.#turnedAway) return undefined;
    this.#step = REFUSED;
    return this.next;
  }

  /** Who was let in. */
  get identity(): AuthenticatedIdentity {
    if (this.step('success') && this.#identity !== undefined) return this.#identity;
    throw new Error(`The mechanism ${this.mechanism} let somebody in about whom nobody was asked`);
  }

  /** How the exchange ended; undefined where it came to no decision: malformed, cancelled, or not at its end. */
  get decision(): AuthenticationDecision | undefined {
    const { mechanism } = this;
    const about = { mechanism, ...(this.#username !== undefined && { username: this.#username }) };
    switch (this.next) {
      case 'success':
        return { outcome: 'accepted', ...about, identity: this.identity };
      case 'refused':
        return { outcome: 'refused', ...about };
      case 'unavailable':
        return { outcome: 'unavailable', ...about };
      default:
        return undefined;
    }
  }

  /** What to tell the client at the end: what the application wants said, if it agrees with how it ended. */
  lastReply(decision: Answer['decision']): Reply {
    const word = this.#lastWord;
    const agrees = word !== undefined && word.code < 300 === (decision === 'accept');
    return agrees ? word : defaultReplies.authenticate[decision];
  }

  /** Ends the exchange by this reply, whatever it wants. */
  #refuse(lastWord: Reply): AuthenticationNext {
    this.#lastWord = lastWord;
    this.#step = REFUSED;
    return this.next;
  }
}

/**
 * The mechanisms that may be used on this connection. They stay in the offer for a client that has authenticated: with
 * the keyword it would lose the parameter of MAIL, which is meant for such (RFC 4954 §5).
 */
export function offeredMechanisms(
  { authentication }: ResolvedServerOptions,
  { tls }: ClientIdentity,
  withheld: readonly string[],
): readonly string[] {
  if (authentication === undefined) return [];
  if (tls === undefined && !authentication.allowInsecure) return [];
  const names = authentication.mechanisms.map(({ name }) => name);
  return usableMechanisms(
    names.filter((name) => !withheld.includes(name)),
    tls,
  );
}

/**
 * Begins an exchange, or gives the reply that refuses it.
 * @param withheld mechanisms that this client is not to have
 */
export function beginAuthentication(
  { mechanism: name, initialResponse }: Command & { verb: 'AUTH' },
  options: ResolvedServerOptions,
  client: ClientIdentity,
  withheld: readonly string[],
): Authentication | Reply {
  const { authentication, hostname } = options;
  const { tls } = client;
  const offered = offeredMechanisms(options, client, withheld);
  const mechanism = authentication?.mechanisms.find((each) => each.name === name && offered.includes(name));
  if (authentication === undefined || mechanism === undefined) {
    // RFC 4954 §6: it is not the mechanism that is wrong.
    const isThere = !withheld.includes(name) && authentication?.mechanisms.some((each) => each.name === name);
    return isThere && tls === undefined ? replies.mechanismNeedsTls : replies.mechanismUnknown;
  }
  const { iterations } = authentication;
  const exchange = new Authentication(mechanism, { tls, hostname, offered, iterations });
  if (initialResponse === undefined) return exchange;
  if (!mechanism.clientFirst) return replies.noInitialResponse;
  const text = initialResponse.revealText();
  const response = text === '=' ? NOTHING : decodeBase64(text);
  if (response === undefined) return replies.malformedBase64;
  exchange.resume(response);
  return exchange;
}

/** The client's line in reply to a challenge (RFC 4954 §4). */
export function readResponse(line: InboundLine, exchange: Authentication): ServerChartEvent {
  const text = line.kind === 'line' ? decodeText(line.octets) : undefined;
  const response = text === undefined ? undefined : decodeBase64(text);
  if (response !== undefined) return { type: 'response', next: exchange.resume(response) };
  const next = exchange.breakOff();
  if (next !== undefined) return { type: 'response', next };
  if (text === '*') return { type: 'cancel' };
  const tooLong = line.kind === 'tooLong';
  return {
    type: 'badResponse',
    refusal: tooLong ? replies.authenticationLineTooLong : replies.malformedBase64,
  };
}
