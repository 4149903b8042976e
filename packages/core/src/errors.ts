/**
 * The two ways in which a dialogue goes wrong, told apart by who is at fault.
 */

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
 * The peer broke the protocol. Never thrown by a session: at the client it is the reason of a failure, and of the
 * verdicts that follow from it; a server answers by a reply instead.
 */
export class RemoteProtocolError extends Error {
  override readonly name = 'RemoteProtocolError';
}
