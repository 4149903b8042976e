/**
 * The delivery of one message to one group of recipients: from destination to destination, in one mail transaction
 * after the other, until every recipient has a verdict.
 *
 * - What a server has said to a recipient, or to the message, is final for this delivery: there is no asking elsewhere
 *   after a refusal. Nor is there after the end of the message was sent (RFC 1047): that might double it.
 * - What is no answer leads on: no connection, a refused session, a connection that is lost before the message's end, or
 *   closed by a 421 there (RFC 5321 §5.1, §3.8). Only if nothing is left to be tried, and all have refused for good, is the mail rejected.
 * - A session that waited in the pool may have been lost meanwhile, which says nothing of the server: the same address
 *   gets another try on a new connection.
 */
import {
  type ClientEnvelope,
  ExtensionNotOfferedError,
  LocalProtocolError,
  type Verdict,
} from '@sansmtp/core';
import { SessionError, type SessionSendOptions } from '@sansmtp/transport';
import type { OpenBody } from '../bodies/message-body.js';
import { UnstoredError } from '../bodies/spool.js';
import type { Destination } from '../sessions/destination.js';
import type { PooledSession, SessionPool } from '../sessions/session-pool.js';
import { outcomeOfOpening } from '../verdicts/opening-outcome.js';
import { noRoom, notEnded, notOffered, stopped, withoutBody, withoutCopy } from '../verdicts/own-outcomes.js';
import { type DeliveryPhase, type Outcome, outcomeOfVerdict } from '../verdicts/recipient-verdict.js';
import { recounted, withOthers } from '../verdicts/recounted-failures.js';
import { fitting, transactionOf } from './fitting-envelope.js';
import type { RecipientGroup } from './recipient-groups.js';

/** What all groups of a message have in common. */
export interface MessageDelivery {
  readonly envelope: ClientEnvelope;
  readonly body: OpenBody;
  readonly pool: SessionPool;
  /** Undefined: nothing can stop it. */
  readonly signal: AbortSignal | undefined;
  /** Told the recipients' places in the envelope. */
  readonly beforeFinalDot: ((recipients: readonly number[]) => Promise<void>) | undefined;
  readonly recipientsPerTransaction: number;
  /** The verdicts, by the recipients' places in the envelope. */
  readonly outcomes: (Outcome | undefined)[];
}

/**
 * Delivers to one group; the verdicts go to `outcomes`, also when it throws: whom that left undecided is deferred.
 * @param several there is more than one group, and so more than one reading of the body
 * @throws what the body throws, and a `MailDataError` for what it holds
 */
export function deliverToGroup(
  group: RecipientGroup,
  message: MessageDelivery,
  several: boolean,
): Promise<void> {
  return new GroupDelivery(group, message, several).run();
}

/** What one mail transaction came to, for those recipients that it did not decide. */
interface Undecided {
  /** To be tried elsewhere: the session broke, for this reason. */
  readonly broken: number[];
  readonly breakage: Verdict | undefined;
  /** Too many for this transaction, or this session. */
  readonly leftover: number[];
  /** How many the server took in this transaction. */
  readonly taken: number;
  /** The session takes no more domains. */
  readonly domainsExhausted: boolean;
}

class GroupDelivery {
  readonly #group: RecipientGroup;
  readonly #message: MessageDelivery;
  readonly #several: boolean;
  #pending: readonly number[];
  #step = 0;
  /** Why the steps so far have failed, a reason for each. */
  readonly #failures: Outcome[] = [];
  /** Those of them that say that a host lacks what the message needs. */
  #lacking: Set<Outcome> | undefined;
  /** A session from the pool has broken. */
  #fresh = false;
  /** How far it had come, should it be stopped between two mail transactions. */
  #phase: DeliveryPhase = 'connect';
  #session: PooledSession | undefined;
  #batchSize: number;
  /** What the caller threw when the end of the message was to be sent. */
  #unended: { readonly error: unknown } | undefined;

  constructor(group: RecipientGroup, message: MessageDelivery, several: boolean) {
    this.#group = group;
    this.#message = message;
    this.#several = several;
    this.#pending = group.recipients;
    this.#batchSize = message.recipientsPerTransaction;
  }

  async run(): Promise<void> {
    const { signal, body } = this.#message;
    try {
      while (this.#pending.length > 0 && !signal?.aborted) {
        const step = this.#group.steps[this.#step];
        if (step === undefined || !body.readable) {
          this.#settle(this.#pending, withOthers(this.#failures, this.#unsupported()));
          this.#pending = [];
        } else if (!('key' in step)) {
          this.#fail(step);
        } else if (body.loss !== undefined) {
          this.#settle(this.#pending, withoutCopy(body.loss, step.host, this.#failures));
          this.#pending = [];
        } else {
          await this.#tryAt(step);
        }
      }
      if (this.#pending.length > 0) this.#settle(this.#pending, this.#stopped());
    } catch (error) {
      this.#settle(this.#pending, withoutBody(error, this.#group.steps[this.#step]?.host));
      throw error;
    } finally {
      this.#giveBack(true);
    }
  }

  async #tryAt(destination: Destination): Promise<void> {
    const { pool, signal } = this.#message;
    let turn: Promise<void> | undefined;
    try {
      const session = this.#session ?? pool.acquire(destination, signal, this.#fresh);
      this.#session = session instanceof Promise ? await session : session;
      if (signal?.aborted) return;
      turn = pool.turn(signal);
      if (turn !== undefined) await turn;
    } catch (error) {
      if (!signal?.aborted) this.#fail(outcomeOfOpening(error, destination));
      else if (error instanceof SessionError) this.#phase = error.failure.phase;
      return;
    }
    // One that has waited may have been lost meanwhile, which says nothing of the server.
    const reused = this.#session.transactions > 0 || turn !== undefined;
    const batch =
      this.#pending.length <= this.#batchSize ? this.#pending : this.#pending.slice(0, this.#batchSize);
    const rest = this.#pending.slice(batch.length);
    let verdicts: readonly Verdict[];
    try {
      verdicts = await this.#transact(this.#session, batch);
    } catch (error) {
      this.#takeError(error, batch, rest, destination, reused);
      return;
    }
    this.#conclude(this.#session, destination.host, batch, rest, reused, verdicts);
  }

  /** One mail transaction, for these recipients. */
  #transact(session: PooledSession, batch: readonly number[]): Promise<readonly Verdict[]> {
    const { envelope, body, pool } = this.#message;
    // Not for a reused session: one that was lost while it waited shows it before the body is read.
    const again = this.#several || this.#pending.length > 1 || this.#step + 1 < this.#group.steps.length;
    pool.begin(session);
    const { connection } = session;
    return connection.send(
      fitting(transactionOf(envelope, batch, body.size), connection.offer.keywords),
      body.read(again),
      this.#sendOptions(batch),
    );
  }

  /**
   * What a mail transaction came to, and what is next.
   * @param rest recipients that were not in it
   * @param reused the session had waited, since it was opened or between two mail transactions
   */
  #conclude(
    session: PooledSession,
    host: string,
    batch: readonly number[],
    rest: readonly number[],
    reused: boolean,
    verdicts: readonly Verdict[],
  ): void {
    const { signal } = this.#message;
    const offersDsn = session.connection.offer.keywords.has('DSN');
    if (verdicts.every(isFinal)) {
      for (let index = 0; index < batch.length; index += 1) {
        this.#decide(batch[index] as number, verdicts[index] as Verdict, host, offersDsn);
      }
      this.#pending = rest;
      if (session.transactionsLeft <= 0) this.#giveBack(true);
      return;
    }

    const undecided = this.#takeVerdicts(batch, verdicts, host, offersDsn);
    const { broken, breakage, leftover, taken, domainsExhausted } = undecided;
    this.#pending = [...broken, ...leftover, ...rest];
    if (leftover.length > 0) this.#batchSize = Math.max(taken, 1);
    if (breakage !== undefined) {
      this.#giveBack(false);
      if (signal?.aborted) {
        this.#settle(broken, this.#outcomeOf(breakage, host));
        this.#pending = [...leftover, ...rest];
      } else if (this.#pending.length > 0) {
        this.#breakOff(outcomeOfVerdict(breakage, host), reused);
      }
    } else if (domainsExhausted) {
      this.#giveBack(false);
      if (leftover.length === batch.length) this.#breakOff(noRoom(host), reused);
      else this.#fresh = true;
    } else if (session.transactionsLeft <= 0) {
      this.#giveBack(true);
    }
  }

  #sendOptions(batch: readonly number[]): SessionSendOptions | undefined {
    const { signal, beforeFinalDot } = this.#message;
    if (signal === undefined && beforeFinalDot === undefined) return undefined;
    return {
      ...(signal && { signal }),
      ...(beforeFinalDot && {
        beforeFinalDot: (accepted: readonly number[]) =>
          this.#mayEnd(() => beforeFinalDot(accepted.map((index) => batch[index] as number))),
      }),
    };
  }

  async #mayEnd(tellCaller: () => Promise<void>): Promise<void> {
    try {
      await tellCaller();
    } catch (error) {
      this.#unended = { error };
      throw error;
    }
  }

  /** Nothing was sent, or nothing that could count. */
  #takeError(
    error: unknown,
    batch: readonly number[],
    rest: readonly number[],
    destination: Destination,
    reused: boolean,
  ): void {
    const { body } = this.#message;
    const { host } = destination;
    if (this.#unended?.error === error) {
      this.#giveBack(false);
      this.#settle(this.#pending, notEnded(error, host));
      this.#pending = [];
      return;
    }
    if (error instanceof UnstoredError) {
      this.#giveBack(false); // nobody can be asked any more, for the same reason
      return;
    }
    if (body.failure === undefined && error instanceof SessionError) {
      this.#giveBack(false);
      this.#breakOff(outcomeOfOpening(error, destination), reused);
      return;
    }
    if (body.failure === undefined && error instanceof ExtensionNotOfferedError) {
      const isDowngraded = this.#session !== undefined && isDowngradedAt(destination, this.#session);
      this.#giveBack(true);
      const outcome = notOffered(error, host, isDowngraded);
      if (!isDowngraded) {
        this.#lacking ??= new Set();
        this.#lacking.add(outcome);
      }
      this.#fail(outcome);
      return;
    }
    if (body.failure === undefined && error instanceof LocalProtocolError) {
      const reason = `The envelope cannot be sent: ${error.message}`;
      const enhancedCode = '5.5.4';
      this.#settle(batch, { verdict: 'rejected', phase: 'mail', host, enhancedCode, reason, error });
      this.#pending = rest;
      return;
    }
    this.#giveBack(false);
    throw error;
  }

  /** Takes what is decided, and tells what is not. */
  #takeVerdicts(
    batch: readonly number[],
    verdicts: readonly Verdict[],
    host: string,
    offersDsn: boolean,
  ): Undecided {
    const broken: number[] = [];
    const leftover: number[] = [];
    const tooMany: number[] = [];
    let breakage: Verdict | undefined;
    let taken = 0;
    let domainsExhausted = false;
    for (const [index, recipient] of batch.entries()) {
      const verdict = verdicts[index];
      if (verdict === undefined) continue;
      if (endsSession(verdict)) breakage ??= verdict;
      if (verdict.failure?.kind === 'limit') {
        leftover.push(recipient);
        domainsExhausted ||= verdict.failure.keyword === 'RCPTDOMAINMAX';
      } else if (verdict.verdict === 'deferred' && endsSession(verdict)) {
        broken.push(recipient);
      } else if (saysTooMany(verdict)) {
        tooMany.push(recipient);
      } else {
        if (verdict.phase === 'data' || verdict.phase === 'message') taken += 1;
        this.#decide(recipient, verdict, host, offersDsn);
      }
    }
    // A server that takes none says that it has no room at all, and not how many it takes at once.
    if (taken + broken.length > 0) {
      leftover.push(...tooMany);
    } else {
      for (const recipient of tooMany) {
        const verdict = verdicts[batch.indexOf(recipient)];
        if (verdict !== undefined) this.#settle([recipient], outcomeOfVerdict(verdict, host));
      }
    }
    return { broken, breakage, leftover, taken: taken + broken.length, domainsExhausted };
  }

  #decide(recipient: number, verdict: Verdict, host: string, offersDsn: boolean): void {
    this.#message.outcomes[recipient] = this.#outcomeOf(verdict, host, offersDsn);
  }

  #outcomeOf(verdict: Verdict, host: string, offersDsn?: boolean): Outcome {
    const outcome = outcomeOfVerdict(verdict, host, offersDsn);
    if (!this.#message.signal?.aborted || outcome.failure === undefined) return outcome;
    const stop = this.#stopped(outcome.phase, outcome.reason);
    // What may have arrived has not come too late.
    const kept = outcome.verdict === 'unknown' && {
      verdict: outcome.verdict,
      enhancedCode: outcome.enhancedCode,
    };
    return { ...outcome, ...stop, ...kept };
  }

  /** @param reason what came of it at the host that it had come to */
  #stopped(phase = this.#phase, reason?: string): Outcome {
    const { signal } = this.#message;
    const stop = stopped(signal, phase);
    const host = (this.#group.steps[this.#step] ?? this.#failures.at(-1))?.host;
    const reasons = [stop.reason, ...(reason === undefined ? [] : [reason]), ...recounted(this.#failures)];
    return { ...stop, ...(host !== undefined && { host }), reason: reasons.join('; ') };
  }

  /** A session broke before the message's end was sent. */
  #breakOff(why: Outcome, reused: boolean): void {
    const { readable, loss } = this.#message.body;
    if (reused && readable && loss === undefined) this.#fresh = true;
    else this.#fail(why);
  }

  /** On to the next step. */
  #fail(why: Outcome): void {
    this.#failures.push(why);
    this.#step += 1;
    this.#phase = 'connect';
    this.#fresh = false;
    this.#batchSize = this.#message.recipientsPerTransaction;
  }

  /**
   * That the message cannot be sent as it is, once all steps have failed: every host of the best preference at which one was
   * reached lacks what it needs. One that was not reached, or whose offer may have been cut short on the way, may have it.
   */
  #unsupported(): Outcome | undefined {
    const lacking = this.#lacking;
    if (lacking === undefined) return undefined;
    const { preferences } = this.#group;
    const reached = this.#failures.findIndex((failure) => lacking.has(failure) || !isUnreached(failure));
    const ofBest = this.#failures.filter((_, step) => preferences[step] === preferences[reached]);
    return ofBest.length > 0 && ofBest.every((failure) => lacking.has(failure)) ? ofBest.at(-1) : undefined;
  }

  #giveBack(usable: boolean): void {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#message.pool.release(session, usable);
  }

  #settle(recipients: readonly number[], outcome: Outcome): void {
    for (const recipient of recipients) this.#message.outcomes[recipient] = outcome;
  }
}

/** Whether the session is over with this, so that nobody can be asked on it any more. */
function endsSession({ failure }: Verdict): boolean {
  return failure !== undefined && failure.kind !== 'limit';
}

/**
 * The server takes no more recipients in this mail transaction (RFC 5321 §4.5.3.1.10). By RFC 3463 §3.6 its code is X.5.3, and
 * other codes say that something else is the matter.
 */
function saysTooMany({ phase, reply }: Verdict): boolean {
  if (phase !== 'rcpt' || (reply?.code !== 452 && reply?.code !== 552)) return false;
  return reply.enhancedCode?.endsWith('.5.3') ?? true;
}

/** The server has decided about the recipient: nobody else is asked. */
function isFinal(verdict: Verdict): boolean {
  return verdict.failure === undefined && !saysTooMany(verdict);
}

/** Nobody has spoken to the host about mail. */
function isUnreached({ phase, verdict }: Outcome): boolean {
  return (
    verdict === 'deferred' &&
    (phase === 'connect' || phase === 'greeting' || phase === 'policy' || phase === 'startTls')
  );
}

/** The host may offer more to who comes by TLS, or says EHLO: somebody in between may have prevented both. */
function isDowngradedAt({ tls }: Destination, { connection }: PooledSession): boolean {
  const { offer } = connection;
  return (
    offer.verb === 'HELO' || (tls !== 'none' && offer.tls === undefined && offer.keywords.has('STARTTLS'))
  );
}
