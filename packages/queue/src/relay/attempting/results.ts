/**
 * What became of recipients, on its way into the store.
 *
 * - It is tried for as long as it takes to reach the store; unless the claim is over by then, or the relay is stopped.
 * - The application hears of a bounce before that is stored, for whoever dies in between tells it again.
 */
import { replyText } from '@sansmtp/core';
import type { Clock } from '@sansmtp/transport';
import { QueueClosedError, StaleClaimError } from '../../contract/errors.js';
import type { QueuedMessage } from '../../contract/messages.js';
import type { QueueStore } from '../../contract/queue-store.js';
import type { HeldClaim } from '../../scheduler/leases.js';
import type { NextHop } from '../../scheduler/routes.js';
import type { Decision } from '../deciding/settling.js';
import { tellOfUnsettled } from '../telling/delivery-events.js';
import { type NotificationSettings, notify } from '../telling/notifying.js';
import type { Bounce, RelayEvent } from '../telling/relay-events.js';

export interface ResultsParts {
  readonly store: QueueStore;
  readonly clock: Clock;
  readonly now: () => number;
  readonly notifications: NotificationSettings;
  readonly onBounce: ((bounce: Bounce) => unknown) | undefined;
  /** Told of what `onBounce` throws. */
  readonly onError: (error: unknown) => void;
  readonly tell: (event: RelayEvent) => void;
  /** Aborted when what is under way has to end now. */
  readonly stopped: AbortSignal;
}

/** Milliseconds of the waits for a store that fails, or for an application that does. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;

/** Another try would fail alike. */
const FINAL_ERRORS = [StaleClaimError, QueueClosedError, RangeError];

/** What became of recipients could not be stored. */
export class UnsettledError extends Error {
  override readonly name = 'UnsettledError';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

export class Results {
  readonly #parts: ResultsParts;

  constructor(parts: ResultsParts) {
    this.#parts = parts;
  }

  /**
   * What was delivered first: nothing may come between a reply and its storing.
   * @throws {UnsettledError} not all was stored
   */
  async store(held: HeldClaim, decisions: readonly Decision[], hop: NextHop): Promise<void> {
    const { onBounce } = this.#parts;
    const isBounced = ({ settlement }: Decision): boolean => settlement.state === 'bounced';
    if (onBounce === undefined || !decisions.some(isBounced)) return this.#settle(held, decisions, hop);
    await this.#settle(
      held,
      decisions.filter((each) => !isBounced(each)),
      hop,
    );
    const bounced = decisions.filter(isBounced);
    await this.#announce(held.claim.message, bounced, onBounce);
    await this.#settle(held, bounced, hop);
  }

  /** @throws {UnsettledError} it was not stored */
  async #settle(held: HeldClaim, decisions: readonly Decision[], hop: NextHop): Promise<void> {
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
          tellOfUnsettled(tell, message, decisions, hop, unsettled);
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
}

/** Milliseconds; each time twice as many, up to the longest. */
function waitAfter(failures: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
}

/** What would have been told. */
function explained(status: Decision['status']): string {
  const { diagnostic, status: code = '' } = status ?? {};
  if (diagnostic === undefined) return code;
  return typeof diagnostic === 'string' ? diagnostic : replyText(diagnostic);
}
