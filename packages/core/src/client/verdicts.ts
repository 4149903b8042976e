/**
 * The verdicts of one mail transaction: what became of the message for each recipient.
 *
 * - The first decision about a recipient stands. So a refused RCPT keeps its reply whatever becomes of the
 *   message, and a refused MAIL is the verdict for all, whatever a server says to the RCPTs behind it.
 * - `delivered` comes from a 2yz to the final dot and from nothing else.
 */
import { type Reply, severity } from '../wire/reply.js';
import type { Phase, SessionFailure, Verdict } from './messages.js';

export class Verdicts {
  readonly #verdicts: (Verdict | undefined)[];
  /** Recipients whose RCPT has its reply. */
  #answered = 0;

  /** @param recipients how many the envelope has */
  constructor(recipients: number) {
    this.#verdicts = new Array<Verdict | undefined>(recipients).fill(undefined);
  }

  /**
   * Takes the reply to the next RCPT.
   * @returns which recipient that was, counted from 0
   */
  answerRecipient(reply: Reply): number {
    const index = this.#answered;
    this.#answered += 1;
    if (severity(reply.code) !== 'success') this.#verdicts[index] ??= refusal('rcpt', reply);
    return index;
  }

  /** The server took the message. */
  deliver(reply: Reply): void {
    this.#decideRest({ verdict: 'delivered', phase: 'message', reply });
  }

  /** A 4yz or 5yz reply refuses the whole message. */
  refuse(phase: Phase, reply: Reply): void {
    this.#decideRest(refusal(phase, reply));
  }

  /** The session failed before the final dot was written: no server may have delivered the message. */
  defer(failure: SessionFailure): void {
    this.#decideRest({ verdict: 'deferred', phase: failure.phase, failure });
  }

  /** The session failed behind the final dot: the server may have delivered the message (RFC 1047). */
  loseSight(failure: SessionFailure): void {
    this.#decideRest({ verdict: 'unknown', phase: 'message', failure });
  }

  /** One for each recipient, in the order of the envelope. Call it once all are decided. */
  all(): readonly Verdict[] {
    return this.#verdicts.map((verdict, index) => {
      if (verdict === undefined) throw new Error(`No verdict was reached for recipient ${index}`);
      return verdict;
    });
  }

  #decideRest(verdict: Verdict): void {
    this.#verdicts.forEach((decided, index) => {
      this.#verdicts[index] = decided ?? verdict;
    });
  }
}

function refusal(phase: Phase, reply: Reply): Verdict {
  // RFC 5321 §4.5.3.1.10: a 552 to RCPT means what 452 does, too many recipients for one mail transaction.
  const temporary = severity(reply.code) === 'transient' || (phase === 'rcpt' && reply.code === 552);
  return temporary ? { verdict: 'deferred', phase, reply } : { verdict: 'rejected', phase, reply };
}
