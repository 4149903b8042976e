/**
 * The application, as a server's driver calls it. What it throws, or returns though it is no answer, becomes an answer to
 * the client or goes to `onError`: nothing of it reaches the driver's loop.
 */
import type { Answer } from '@sansmtp/core';
import { complain, guarded } from '../guarded.js';
import { isPromiseLike, misreturned, type ResultRule, rejectionIn } from '../handlers/handler-answers.js';
import { MailDataAbandonedError, type ServerHandlers } from '../handlers/handlers.js';
import { type SessionContext, sessionContext } from '../observing/diagnostics.js';
import type { LiveInformation } from './live-information.js';
import type { Watching } from './watching.js';

export class Application {
  readonly handlers: ServerHandlers;
  readonly information: LiveInformation;
  readonly #context: SessionContext;
  readonly #watching: Watching;

  constructor(handlers: ServerHandlers, information: LiveInformation, watching: Watching) {
    this.handlers = handlers;
    this.information = information;
    this.#context = sessionContext('server', information);
    this.#watching = watching;
  }

  /** Runs a handler and reads its result, or what it throws, as an answer. */
  answerOf(name: keyof ServerHandlers, rule: ResultRule, handler: () => unknown): Answer | Promise<Answer> {
    try {
      const result = this.#context.runInAsyncScope(handler);
      return isPromiseLike(result) ? this.#settled(name, rule, result) : this.#read(name, rule, result);
    } catch (error) {
      return this.refusal(name, error, rule);
    }
  }

  #settled(name: keyof ServerHandlers, rule: ResultRule, result: PromiseLike<unknown>): Promise<Answer> {
    return Promise.resolve(result)
      .then((settled) => this.#read(name, rule, settled))
      .catch((error: unknown) => this.refusal(name, error, rule));
  }

  #read(name: keyof ServerHandlers, rule: ResultRule, result: unknown): Answer {
    return rule.read(result) ?? this.refusal(name, misreturned(name, result, rule.takes), rule);
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
      () => this.#context.runInAsyncScope(handler),
      (error) => this.report(name, error),
    );
  }

  /** @param callback the name of what threw */
  report(callback: string, error: unknown): undefined {
    if (this.#watching.wants('fault')) this.#watching.tell({ type: 'fault', callback, error });
    this.complain(callback, error);
  }

  complain(callback: string, error: unknown): void {
    if (this.handlers.onError === undefined) {
      complain(callback, error);
      return;
    }
    guarded(
      () => this.#context.runInAsyncScope(() => this.handlers.onError?.(error, this.information)),
      (thrown) => {
        complain(callback, error);
        complain('onError', thrown);
      },
    );
  }
}
