/**
 * The verdicts of one mail transaction: what became of the message for each recipient.
 *
 * - The first decision about a recipient stands. So a refused RCPT keeps its reply whatever becomes of the
 *   message, and a refused MAIL is the verdict for all, whatever a server says to the RCPTs after it.
 * - `delivered` comes from a 2yz to the final dot or to the last chunk and from nothing else.
 */
import { type Reply, severity } from '../../wire/replies/reply.js';
import type { Phase, RecipientLimit, SessionFailure, Verdict } from './outcomes.js';

export class Verdicts {
  readonly #verdicts: (Verdict | undefined)[];
  readonly #withheld: ReadonlyMap<number, RecipientLimit>;
  /** The recipient whose RCPT is answered next. */
  #next = 0;

  /**
   * @param recipients how many the envelope has
   * @param withheld those of them that are not sent, counted from 0
   */
  constructor(recipients: number, withheld: ReadonlyMap<number, RecipientLimit> = new Map()) {
    this.#verdicts = new Array<Verdict | undefined>(recipients).fill(undefined);
    this.#withheld = withheld;
    for (const [index, failure] of withheld) {
      this.#verdicts[index] = { verdict: 'deferred', phase: 'rcpt', failure };
    }
  }

  /**
   * Takes the reply to the next RCPT.
   * @returns which recipient that was, counted from 0
   */
  answerRecipient(reply: Reply): number {
    while (this.#withheld.has(this.#next)) this.#next += 1;
    const index = this.#next;
    this.#next += 1;
    if (severity(reply.code) !== 'success') this.#verdicts[index] ??= refusal('rcpt', reply);
    return index;
  }

  /** The server took the message. */
  deliver(reply: Reply): void {
    this.#decideRest({ verdict: 'delivered', phase: 'message', reply });
  }

  /** LMTP: the reply to the message for the next recipient whose RCPT was accepted (RFC 2033 §4.2). */
  decideRecipient(reply: Reply): void {
    const index = this.#verdicts.indexOf(undefined);
    const taken = severity(reply.code) === 'success';
    this.#verdicts[index] = taken
      ? { verdict: 'delivered', phase: 'message', reply }
      : refusal('message', reply);
  }

  /** A 4yz or 5yz reply refuses the whole message. */
  refuse(phase: Phase, reply: Reply): void {
    this.#decideRest(refusal(phase, reply));
  }

  /** The session failed before the message's end was written: no server may have delivered the message. */
  defer(failure: SessionFailure): void {
    const { phase } = failure;
    this.#decideRest(
      failure.kind === 'refused'
        ? { verdict: 'deferred', phase, reply: failure.reply, failure }
        : { verdict: 'deferred', phase, failure },
    );
  }

  /** The session failed after the message's end: the server may have delivered the message (RFC 1047). */
  loseSight(failure: SessionFailure): void {
    this.#decideRest({ verdict: 'unknown', phase: 'message', failure });
  }

  /** The recipients without a verdict, counted from 0: after the replies to RCPT, those to whom the message may go. */
  undecided(): readonly number[] {
    return [...this.#verdicts.keys()].filter((index) => this.#verdicts[index] === undefined);
  }

  /** One for each recipient, in the order of the envelope. Call it once all are decided. */
  all(): readonly Verdict[] {
    return this.#verdicts.map((verdict, index) => {
      if (verdict === undefined) throw new Error(`No verdict was reached for recipient ${index}`);
      return verdict;
    });
  }

  #decideRest(verdict: Verdict): void {
    const verdicts = this.#verdicts;
    for (let index = 0; index < verdicts.length; index += 1) verdicts[index] ??= verdict;
  }
}

function refusal(phase: Phase, reply: Reply): Verdict {
  // RFC 5321 §4.5.3.1.10: a 552 to RCPT means what 452 does, too many recipients for one mail transaction.
  const temporary = severity(reply.code) === 'transient' || (phase === 'rcpt' && reply.code === 552);
  return temporary ? { verdict: 'deferred', phase, reply } : { verdict: 'rejected', phase, reply };
}
