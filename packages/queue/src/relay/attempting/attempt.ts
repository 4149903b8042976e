/**
 * One attempt: a claim is delivered, and what became of its recipients is stored.
 *
 * - What a server said is stored (`results.ts`) before anything else is done. Where the claim is over by then, or the connection is lost
 *   amid the end of the message (`final-dot.ts`), that is told as `unknown`.
 * - What ended for a reason of ours (a shutdown, a claim that is over, a store that fails) is no attempt: the claim is given back.
 */
import { type ClientRecipient, MailDataError } from '@sansmtp/core';
import type { RecipientVerdict } from '@sansmtp/delivery';
import { NotInQueueError } from '../../contract/errors.js';
import type { Claim } from '../../contract/messages.js';
import type { Down } from '../../scheduler/destinations.js';
import type { HeldClaim, Leases } from '../../scheduler/leases.js';
import type { NextHop } from '../../scheduler/routes.js';
import type { Delivered } from '../../scheduler/scheduler.js';
import { isExpired, overdueAt, type RetryOptions } from '../deciding/retrying.js';
import { decide, decideUntried } from '../deciding/settling.js';
import { tellOfRecipient, tellOfUnknown } from '../telling/delivery-events.js';
import { commitBeforeFinalDot, isOurs, isUnstored } from './final-dot.js';
import { outgoingEnvelope } from './outgoing-envelope.js';
import { reachOf } from './reach.js';
import { Results, type ResultsParts, UnsettledError } from './results.js';

export interface AttemptParts extends ResultsParts {
  readonly leases: Leases;
  readonly retrying: RetryOptions;
}

/** Recipients of one `send`: what became of some is stored before others are tried. */
const RECIPIENTS_AT_ONCE = 100;

/** Octets of a message that is read before it is sent: so it goes out in one write with its end. */
const SMALL = 65_536;

/** Milliseconds until a message is tried again whose end could not be sent for a reason of ours. */
const POSTPONED = 60_000;

export class Attempts {
  readonly #parts: AttemptParts;
  readonly #results: Results;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
    this.#results = new Results(parts);
  }

  /** @param onEnd called once, as soon as nothing more is to be said to the destination; results are stored after it */
  async deliver(held: HeldClaim, hop: NextHop, onEnd: (delivered: Delivered) => void): Promise<void> {
    const { now, tell } = this.#parts;
    const { message, places } = held.claim;
    tellOfUnknown(tell, message, places);
    let hasEnded = false;
    const end = (delivered: Delivered): void => {
      if (!hasEnded) onEnd(delivered);
      hasEnded = true;
    };
    let settled = 0;
    try {
      if (isExpired(message, now())) {
        settled = await this.#settleUntried(held, hop, 'The time that it was to be delivered by has passed');
        return;
      }
      for (let start = 0; start < places.length && !hasEnded; start += RECIPIENTS_AT_ONCE) {
        const some = places.slice(start, start + RECIPIENTS_AT_ONCE);
        const isLast = start + some.length === places.length;
        settled += await this.#deliverTo(held, some, hop, (delivered) => {
          if (isLast || delivered.reach !== 'reached') end(delivered);
        });
      }
    } catch (error) {
      // The message may have arrived: the lease ends by itself, and the store then records that.
      if (error instanceof UnsettledError) settled = places.length;
    } finally {
      end({ reach: 'nothing', reason: '' });
      if (settled < places.length) await this.#giveBack(held);
    }
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

  /**
   * @param onAnswered told what came of it before that is stored
   * @returns for how many of them the store knows what is next
   */
  async #deliverTo(
    held: HeldClaim,
    places: readonly number[],
    hop: NextHop,
    onAnswered: (delivered: Delivered) => void,
  ): Promise<number> {
    const { clock, now, stopped, retrying, tell } = this.#parts;
    const { message } = held.claim;
    const start = clock.now();
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
    // Before that is stored: whoever dies right after that would leave a duplicate without a word.
    for (const { verdict, decision } of decided) {
      if (verdict.verdict !== 'unknown') continue;
      tell({ type: 'unknown', id: message.id, recipient: decision.recipient, cause: verdict.reason });
    }
    onAnswered(reachOf(verdicts.filter((_, index) => !ours[index])));
    await this.#results.store(
      held,
      decided.map(({ decision }) => decision),
      hop,
    );
    for (const { verdict, decision } of decided) {
      tellOfRecipient(tell, message, decision, verdict, hop, now(), clock.now() - start);
    }
    const unstored = places.filter((_, index) => isUnstored(verdicts[index]));
    await this.#postpone(held, unstored);
    return decided.length + unstored.length;
  }

  async #send(
    held: HeldClaim,
    places: readonly number[],
    hop: NextHop,
    signal: AbortSignal,
  ): Promise<readonly RecipientVerdict[]> {
    const { store, leases, clock, now } = this.#parts;
    const { message } = held.claim;
    const envelope = outgoingEnvelope(message, places, now());
    const { id, size } = message;
    const beforeFinalDot = (accepted: readonly number[]) => {
      const committing = accepted.map((index) => places[index] as number);
      return commitBeforeFinalDot(leases, held, committing, now, clock);
    };
    try {
      const body = size <= SMALL ? await whole(store.body(id)) : { size, read: () => store.body(id) };
      return await hop.mailer.send(envelope, body, { signal, beforeFinalDot });
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (error instanceof MailDataError) return all(envelope.recipients, 'rejected', '5.6.0', error);
      if (error instanceof NotInQueueError) throw error;
      return all(envelope.recipients, 'deferred', '4.3.0', error);
    }
  }

  /** @returns for how many recipients the store knows what is next */
  async #settleUntried(held: HeldClaim, hop: NextHop, reason: string): Promise<number> {
    const { now, retrying, tell } = this.#parts;
    const { message, places } = held.claim;
    const decisions = places.flatMap((place) => decideUntried(message, place, reason, now(), retrying) ?? []);
    await this.#results.store(held, decisions, hop);
    for (const decision of decisions) {
      const { settlement, recipient, status } = decision;
      if (settlement.state !== 'bounced') continue;
      const enhancedCode = status?.status ?? '4.4.7';
      const verdict = { recipient, verdict: 'deferred', phase: 'routing', enhancedCode, reason } as const;
      tellOfRecipient(tell, message, decision, verdict, hop, now(), 0);
    }
    return decisions.length;
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

  /** What was not settled is due again. Harmless where the claim is over. */
  async #giveBack(held: HeldClaim): Promise<void> {
    try {
      await this.#parts.store.giveBack(held.claim);
    } catch {
      // It is over, or its lease ends by itself.
    }
  }
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

async function whole(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
}
