/**
 * The two ways in which a dialogue goes wrong, told apart by who is at fault.
 */
import type { Reply } from './wire/reply.js';

/**
 * The caller broke a session's contract, for example by answering a question that is not open. Thrown by
 * `handle()`; the session is as it was before the call.
 */
export class LocalProtocolError extends Error {
  override readonly name = 'LocalProtocolError';
  /** The state in which it happened. */
  readonly state: string;

  /**
   * @param state where the session stood
   * @param problem what the caller did
   * @param allowed what the session allows there
   */
  constructor(state: string, problem: string, allowed: string) {
    super(`${problem} in state ${state}; allowed there: ${allowed}`);
    this.state = state;
  }
}

/**
 * The peer broke the protocol. Never thrown by a session: it is an output, or the reason of a verdict.
 */
export class RemoteProtocolError extends Error {
  override readonly name = 'RemoteProtocolError';
  /** The reply that a server gives to it; a client has none to give. */
  readonly suggestedReply: Reply | undefined;

  constructor(message: string, suggestedReply?: Reply) {
    super(message);
    this.suggestedReply = suggestedReply;
  }
}
