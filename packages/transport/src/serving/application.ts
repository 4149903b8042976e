/**
 * The application, as a server's driver calls it. What it throws, or returns though it is no answer, becomes an answer to
 * the client or goes to `onError`: nothing of it reaches the driver's loop.
 */
import type { Answer } from '@sansmtp/core';
import { complain, guarded } from '../guarded.js';
import { isPromiseLike, misreturned, type ResultRule, rejectionIn } from '../handlers/handler-answers.js';
import {
  MailDataAbandonedError,
  type ServerHandlers,
  type ServerSessionInformation,
} from '../handlers/handlers.js';
import { type RunInContext, sessionContext } from '../observing/diagnostics.js';
import type { Observation } from '../observing/observation.js';
import type { ServerEvent } from '../observing/observer.js';
import type { LiveInformation } from './live-information.js';

export class Application {
  readonly handlers: ServerHandlers;
  readonly information: LiveInformation;
  readonly #run: RunInContext;
  /** Undefined: nobody observes. */
  readonly #observation: Observation<ServerEvent, ServerSessionInformation> | undefined;

  constructor(
    handlers: ServerHandlers,
    information: LiveInformation,
    observation: Observation<ServerEvent, ServerSessionInformation> | undefined,
  ) {
    this.handlers = handlers;
    this.information = information;
    this.#run = sessionContext('server', information);
    this.#observation = observation;
  }

  /** Runs a handler and reads its result, or what it throws, as an answer. */
  answerOf(name: keyof ServerHandlers, rule: ResultRule, handler: () => unknown): Answer | Promise<Answer> {
    const answer = (result: unknown): Answer =>
      rule.read(result) ?? this.refusal(name, misreturned(name, result, rule.takes), rule);
    try {
      const result = this.#run(handler);
      if (!isPromiseLike(result)) return answer(result);
      return Promise.resolve(result)
        .then(answer)
        .catch((error: unknown) => this.refusal(name, error, rule));
    } catch (error) {
      return this.refusal(name, error, rule);
    }
  }

  /** What a handler threw as an answer: its own reply if it brought one, else a temporary failure. */
  refusal(name: string, error: unknown, { fault }: ResultRule): Answer {
    const rejection = rejectionIn(error);
    if (rejection !== undefined) return rejection;
    // Not a fault: the reader of a body that was abandoned lets the error pass.
    if (!(error instanceof MailDataAbandonedError)) this.report(name, error);
    return fault;
  }

  /** Calls a handler that decides nothing. */
  call(name: string, handler: () => unknown): void {
    guarded(
      () => this.#run(handler),
      (error) => this.report(name, error),
    );
  }

  /** @param callback the name of what threw */
  report(callback: string, error: unknown): undefined {
    this.#observation?.tell({ type: 'fault', callback, error });
    this.complain(callback, error);
  }

  complain(callback: string, error: unknown): void {
    if (this.handlers.onError === undefined) {
      complain(callback, error);
      return;
    }
    guarded(
      () => this.#run(() => this.handlers.onError?.(error, this.information)),
      (thrown) => {
        complain(callback, error);
        complain('onError', thrown);
      },
    );
  }
}
