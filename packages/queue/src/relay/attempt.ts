/**
 * One attempt: a claim is delivered, and what became of its recipients is stored.
 *
 * - Before the end of the message is sent the claim is stored as committing, and its lease looked at once more: whoever lost the
 *   claim sends no end.
 * - What a server said is stored, for as long as it takes to reach the store; unless the claim is over by then. That, and a connection that
 *   is lost amid the end, are told as `unknown`.
 * - What ended for a reason of ours (a shutdown, a claim that is over, a store that fails) is no attempt: the claim is given back.
 */
import { type ClientRecipient, MailDataError, replyText } from '@sansmtp/core';
import type { RecipientVerdict } from '@sansmtp/delivery';
import type { Clock } from '@sansmtp/transport';
import { NotInQueueError, QueueClosedError, StaleClaimError } from '../contract/errors.js';
import { mayWriteFinalDot } from '../contract/lease.js';
import type { Claim, QueuedMessage } from '../contract/messages.js';
import type { QueueStore } from '../contract/queue-store.js';
import type { Down } from '../scheduler/destinations.js';
import type { HeldClaim, Leases } from '../scheduler/leases.js';
import type { NextHop } from '../scheduler/routes.js';
import type { Delivered } from '../scheduler/scheduler.js';
import { type NotificationSettings, notify } from './notifying.js';
import { outgoingEnvelope } from './outgoing-envelope.js';
import { reachOf } from './reach.js';
import type { Bounce, RelayEvent } from './relay-events.js';
import { isExpired, overdueAt, type RetryOptions } from './retrying.js';
import { type Decision, decide, decideUntried } from './settling.js';

export interface AttemptParts {
  readonly store: QueueStore;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly now: () => number;
  readonly retrying: RetryOptions;
  readonly notifications: NotificationSettings;
  readonly onBounce: ((bounce: Bounce) => unknown) | undefined;
  /** Told of what `onBounce` throws. */
  readonly onError: (error: unknown) => void;
  readonly tell: (event: RelayEvent) => void;
  /** Aborted when what is under way has to end now. */
  readonly stopped: AbortSignal;
}

/** Recipients of one `send`: what became of some is stored before others are tried. */
const RECIPIENTS_AT_ONCE = 100;

/** Milliseconds until a message is tried again whose end could not be sent for a reason of ours. */
const POSTPONED = 60_000;

/** Milliseconds of the waits for a store that fails. */
const FIRST_STORE_WAIT = 250;
const LONGEST_STORE_WAIT = 30_000;

/** The lease ran out while it was stored that the end follows: nothing may be sent. */
class LeaseTooShortError extends Error {
  override readonly name = 'LeaseTooShortError';
}

export class Attempts {
  readonly #parts: AttemptParts;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
  }

  async deliver(held: HeldClaim, hop: NextHop): Promise<Delivered> {
    const { now } = this.#parts;
    const { message, places } = held.claim;
    this.#tellOfUnknown(message, places);
    let delivered: Delivered = { reach: 'nothing', reason: '' };
    try {
      if (isExpired(message, now())) {
        await this.#settleUntried(held, hop, 'The time that it was to be delivered by has passed');
        return delivered;
      }
      for (let start = 0; start < places.length; start += RECIPIENTS_AT_ONCE) {
        const some = places.slice(start, start + RECIPIENTS_AT_ONCE);
        delivered = await this.#deliverTo(held, some, hop);
        if (delivered.reach !== 'reached') break;
      }
    } catch (error) {
      // The message may have arrived: the lease ends by itself, and the store then records that.
      if (error instanceof UnsettledError) return delivered;
    }
    await this.#giveBack(held);
    return delivered;
  }

  /** From when on the passing of time alone demands something. */
  overdueAt({ message, places }: Claim): number {
    return Math.min(...places.map((place) => overdueAt(message, place, this.#parts.retrying)));
  }

  /** Stores what the passing of time demands, without an attempt. */
  async attend(held: HeldClaim, hop: NextHop, down: Down): Promise<void> {
    const since = new Date(down.since).toISOString();
    const reason = `${hop.name} has not been reached since ${since}: ${down.reason}`;
    try {
      await this.#settleUntried(held, hop, reason);
      await this.#giveBack(held);
    } catch {
      // Nothing was stored, and the lease ends by itself.
    }
  }

  async #deliverTo(held: HeldClaim, places: readonly number[], hop: NextHop): Promise<Delivered> {
    const { now, stopped, retrying } = this.#parts;
    const { message } = held.claim;
    const start = now();
    const ending = new AbortController();
    const end = (event: Event): void => ending.abort((event.target as AbortSignal).reason);
    for (const signal of [held.over, stopped]) {
      if (signal.aborted) ending.abort(signal.reason);
      else signal.addEventListener('abort', end, { once: true });
    }
    let verdicts: readonly RecipientVerdict[];
    try {
      verdicts = await this.#send(held, places, hop, ending.signal);
    } finally {
      for (const signal of [held.over, stopped]) signal.removeEventListener('abort', end);
    }
    const ours = verdicts.map((verdict) => isOurs(verdict, ending.signal));
    const decided = verdicts.flatMap((verdict, index) => {
      if (ours[index]) return [];
      const decision = decide(
        message,
        places[index] as number,
        verdict,
        hop.isFinal === true,
        now(),
        retrying,
      );
      return [{ verdict, decision }];
    });
    // Before that is stored: a process that is killed right afterwards would leave duplicates without a word.
    for (const { verdict, decision } of decided) {
      const { recipient } = decision;
      if (verdict.verdict !== 'unknown') continue;
      this.#parts.tell({ type: 'unknown', id: message.id, recipient, cause: verdict.reason });
    }
    await this.#settle(
      held,
      decided.map(({ decision }) => decision),
      hop,
    );
    for (const { verdict, decision } of decided) {
      this.#tellOfRecipient(message, decision, verdict, hop, now() - start);
    }
    await this.#postpone(
      held,
      places.filter((_, index) => isUnstored(verdicts[index])),
    );
    return reachOf(verdicts.filter((_, index) => !ours[index]));
  }

  async #send(
    held: HeldClaim,
    places: readonly number[],
    hop: NextHop,
    signal: AbortSignal,
  ): Promise<readonly RecipientVerdict[]> {
    const { store, leases, now } = this.#parts;
    const { message } = held.claim;
    const envelope = outgoingEnvelope(message, places, now());
    const body = { size: message.size, read: () => store.body(message.id) };
    const beforeFinalDot = async (): Promise<void> => {
      try {
        const claim = await leases.commit(held);
        if (mayWriteFinalDot(claim, now())) return;
        throw new LeaseTooShortError('The lease was over before the end of the message could be sent');
      } catch (cause) {
        throw new NotSentError(cause);
      }
    };
    try {
      return await hop.mailer.send(envelope, body, { signal, beforeFinalDot });
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (error instanceof MailDataError) return all(envelope.recipients, 'rejected', '5.6.0', error);
      if (error instanceof NotInQueueError) throw error;
      return all(envelope.recipients, 'deferred', '4.3.0', error);
    }
  }

  async #settleUntried(held: HeldClaim, hop: NextHop, reason: string): Promise<void> {
    const { now, retrying } = this.#parts;
    const { message, places } = held.claim;
    const decisions = places.flatMap((place) => decideUntried(message, place, reason, now(), retrying) ?? []);
    await this.#settle(held, decisions, hop);
    for (const decision of decisions) {
      const { settlement, recipient, status } = decision;
      if (settlement.state !== 'bounced') continue;
      const enhancedCode = status?.status ?? '4.4.7';
      const verdict = { recipient, verdict: 'deferred', phase: 'routing', enhancedCode, reason } as const;
      this.#tellOfRecipient(message, decision, verdict, hop, 0);
    }
  }

  /** That the end follows could not be stored. At once it would probably fail again, after a whole message was sent. */
  async #postpone(held: HeldClaim, places: readonly number[]): Promise<void> {
    if (places.length === 0) return;
    const next = this.#parts.now() + POSTPONED;
    await this.#parts.store.settle(
      held.claim,
      places.map((place) => ({ place, state: 'waiting', next })),
    );
  }

  /**
   * What was delivered first: nothing may come between a reply and its storing.
   * @throws {UnsettledError} not all was stored
   */
  async #settle(held: HeldClaim, decisions: readonly Decision[], hop: NextHop): Promise<void> {
    const { onBounce } = this.#parts;
    const isBounced = ({ settlement }: Decision): boolean => settlement.state === 'bounced';
    if (onBounce === undefined || !decisions.some(isBounced)) return this.#store(held, decisions, hop);
    await this.#store(
      held,
      decisions.filter((each) => !isBounced(each)),
      hop,
    );
    const bounced = decisions.filter(isBounced);
    await this.#announce(held.claim.message, bounced, onBounce);
    await this.#store(held, bounced, hop);
  }

  /** @throws {UnsettledError} it was not stored */
  async #store(held: HeldClaim, decisions: readonly Decision[], hop: NextHop): Promise<void> {
    if (decisions.length === 0) return;
    const { store, now, notifications, tell } = this.#parts;
    const { message } = held.claim;
    for (let failures = 0; ; failures++) {
      // The body of a notification is read once: each try has one of its own.
      const { telling, dropped } = notify(message, decisions, store, now(), notifications);
      try {
        const settlements = decisions.map(({ settlement }) => settlement);
        const put = await store.settle(held.claim, settlements, telling?.put);
        if (failures > 0) tell({ type: 'storeRecovered' });
        if (put !== undefined && telling !== undefined) {
          tell({ type: 'notified', id: message.id, notification: put.id, actions: telling.actions });
        }
        for (const { recipient, status } of dropped) {
          tell({ type: 'notificationDropped', id: message.id, recipient, reason: explained(status) });
        }
        return;
      } catch (error) {
        const isFinal = FINAL_ERRORS.some((kind) => error instanceof kind);
        try {
          if (isFinal) throw error;
          await this.#waitForStore(error, failures);
        } catch (cause) {
          const unsettled = new UnsettledError(cause);
          this.#tellOfUnsettled(message, decisions, hop, unsettled);
          throw unsettled;
        }
      }
    }
  }

  /** Tells the application of those who are given up, until it takes it. */
  async #announce(
    message: QueuedMessage,
    decisions: readonly Decision[],
    onBounce: (bounce: Bounce) => unknown,
  ): Promise<void> {
    const { onError } = this.#parts;
    for (const { recipient, settlement, status } of decisions) {
      if (settlement.state !== 'bounced') continue;
      const { reply, host, reason } = settlement.attempt;
      for (let failures = 0; ; failures++) {
        try {
          await onBounce({
            message,
            recipient,
            enhancedCode: status?.status ?? '5.0.0',
            reply,
            host,
            reason,
          });
          break;
        } catch (error) {
          onError(error);
          await this.#wait(error, waitAfter(failures));
        }
      }
    }
  }

  /** @throws the error, if the shutdown comes first */
  async #waitForStore(thrown: unknown, failures: number): Promise<void> {
    const { now, tell } = this.#parts;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const wait = waitAfter(failures);
    tell({ type: 'storeFailed', error, retryAt: now() + wait });
    await this.#wait(error, wait);
  }

  /** @throws the error, if the shutdown comes first */
  async #wait(error: unknown, wait: number): Promise<void> {
    const { clock, stopped } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.set(clock.now() + wait, () => {
        stopped.removeEventListener('abort', onStop);
        resolve();
      });
      const onStop = (): void => {
        cancel();
        reject(error);
      };
      if (stopped.aborted) onStop();
      else stopped.addEventListener('abort', onStop, { once: true });
    });
  }

  /** What was not settled is due again. Harmless where all was, or the claim is over. */
  async #giveBack(held: HeldClaim): Promise<void> {
    try {
      await this.#parts.store.giveBack(held.claim);
    } catch {
      // It is over, or its lease ends by itself.
    }
  }

  /** The store has recorded by itself that the final dot may have been sent. */
  #tellOfUnknown(message: QueuedMessage, places: readonly number[]): void {
    for (const place of places) {
      const { recipient, last } = message.recipients[place] ?? {};
      if (recipient === undefined || last?.verdict !== 'unknown' || last.host !== null) continue;
      this.#parts.tell({ type: 'unknown', id: message.id, recipient, cause: last.reason });
    }
  }

  #tellOfUnsettled(message: QueuedMessage, decisions: readonly Decision[], hop: NextHop, error: Error): void {
    for (const { recipient, settlement } of decisions) {
      if (settlement.attempt?.verdict !== 'delivered') continue;
      const cause = `${hop.name} has answered, but that was not stored: ${error.message}`;
      this.#parts.tell({ type: 'unknown', id: message.id, recipient, cause });
    }
  }

  #tellOfRecipient(
    message: QueuedMessage,
    { place, recipient, settlement }: Decision,
    verdict: RecipientVerdict,
    hop: NextHop,
    duration: number,
  ): void {
    const { tell, now } = this.#parts;
    const { id, arrived, recipients } = message;
    const { reply = null, host = null, reason } = settlement.attempt ?? {};
    tell({
      type: 'recipient',
      id,
      recipient,
      destination: hop.name,
      verdict: verdict.verdict,
      enhancedCode: verdict.enhancedCode,
      reply,
      host,
      reason: reason ?? verdict.reason,
      attempts: (recipients[place]?.attempts ?? 0) + 1,
      state: settlement.state,
      ...(settlement.state === 'waiting' && { next: settlement.next }),
      age: now() - arrived,
      duration,
    });
  }
}

/** Milliseconds; each time twice as many, up to the longest. */
function waitAfter(failures: number): number {
  return Math.min(LONGEST_STORE_WAIT, FIRST_STORE_WAIT * 2 ** failures);
}

/** What would have been told. */
function explained(status: Decision['status']): string {
  const { diagnostic, status: code = '' } = status ?? {};
  if (diagnostic === undefined) return code;
  return typeof diagnostic === 'string' ? diagnostic : replyText(diagnostic);
}

/** Another try would fail alike. */
const FINAL_ERRORS = [StaleClaimError, QueueClosedError, RangeError];

/** What became of recipients could not be stored. */
class UnsettledError extends Error {
  override readonly name = 'UnsettledError';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** The end of the message was not sent, for a reason of ours. */
class NotSentError extends Error {
  override readonly name = 'NotSentError';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function isUnstored(verdict: RecipientVerdict | undefined): boolean {
  return verdict?.error instanceof NotSentError && !(verdict.error.cause instanceof StaleClaimError);
}

/** It says nothing of the server: we have ended the delivery. Where the message may have arrived it counts all the same. */
function isOurs({ verdict, error }: RecipientVerdict, ending: AbortSignal): boolean {
  if (verdict !== 'deferred' || error === undefined) return false;
  return error instanceof NotSentError || (ending.aborted && error === ending.reason);
}

function all(
  recipients: readonly ClientRecipient[],
  verdict: 'rejected' | 'deferred',
  enhancedCode: string,
  error: Error,
): RecipientVerdict[] {
  const reason = `The message cannot be ${verdict === 'rejected' ? 'sent' : 'read'}: ${error.message}`;
  return recipients.map((recipient) => ({
    recipient,
    verdict,
    phase: 'message',
    enhancedCode,
    reason,
    error,
  }));
}
