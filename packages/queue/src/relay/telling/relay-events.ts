/**
 * What a relay tells: each event names the message by its ID in the queue, from when it was accepted until its last recipient is
 * done with. Logs and figures are made of them.
 */
import type { ClientRecipient } from '@sansmtp/core';
import type { DeliveryVerdict } from '@sansmtp/delivery';
import type { QueuedMessage } from '../../contract/messages.js';

/** Of one message. */
interface OfMessage {
  /** As in `QueuedMessage`. */
  readonly id: string;
}

/** What an attempt came to for one recipient. */
export interface RecipientEvent extends OfMessage {
  readonly type: 'recipient';
  readonly recipient: ClientRecipient;
  /** Where deliveries for it are counted. */
  readonly destination: string;
  readonly verdict: DeliveryVerdict;
  /** RFC 3463. */
  readonly enhancedCode: string;
  readonly reply: string | null;
  readonly host: string | null;
  /** For people, one line. */
  readonly reason: string;
  /** Attempts so far. */
  readonly attempts: number;
  /** `waiting`: it is tried again at `next`; the others: this recipient is done with. */
  readonly state: 'waiting' | 'delivered' | 'bounced';
  /** Milliseconds since 1970 UTC. */
  readonly next?: number;
  /** Milliseconds from the message's arrival. */
  readonly age: number;
  /** Milliseconds that the attempt took. */
  readonly duration: number;
}

export type RelayEvent =
  /** It is safe in the queue. */
  | (OfMessage & {
      readonly type: 'accepted';
      readonly sender: string;
      readonly recipients: number;
      readonly size: number;
      /** When the first attempt is due: milliseconds since 1970 UTC. */
      readonly due: number;
    })
  | RecipientEvent
  /**
   * The message may have arrived at this recipient, and may arrive again: the final dot may have been sent, and no reply to it, or
   * no settling, was stored (RFC 1047).
   */
  | (OfMessage & { readonly type: 'unknown'; readonly recipient: ClientRecipient; readonly cause: string })
  /** The sender is told of something; `notification` is the ID of the message that tells it. */
  | (OfMessage & {
      readonly type: 'notified';
      readonly notification: string;
      readonly actions: readonly ('failed' | 'delayed' | 'delivered' | 'relayed')[];
    })
  /** What was to be told is told to nobody: it is about a notification itself. */
  | (OfMessage & {
      readonly type: 'notificationDropped';
      readonly recipient: ClientRecipient;
      readonly reason: string;
    })
  /** A destination gets no mail for a while. */
  | {
      readonly type: 'destinationDown';
      readonly destination: string;
      readonly until: number;
      readonly reason: string;
    }
  /** It answers again. */
  | { readonly type: 'destinationUp'; readonly destination: string }
  /**
   * The store does not answer. Nothing is lost by it: what was going on is tried again at `retryAt` (milliseconds since 1970 UTC).
   * `retryAt` undefined: it never will; open the store anew.
   */
  | { readonly type: 'storeFailed'; readonly error: Error; readonly retryAt?: number }
  /** The store answers again. */
  | { readonly type: 'storeRecovered' }
  /** The wall clock was set, or the machine slept: by so many milliseconds. What waits is due by the new time. */
  | { readonly type: 'clockSet'; readonly by: number };

/** A recipient that a message was given up for. */
export interface Bounce {
  /** The message as it stands in the queue; its ID is that of the other events. */
  readonly message: QueuedMessage;
  readonly recipient: ClientRecipient;
  /** RFC 3463. */
  readonly enhancedCode: string;
  /** What the server replied; null: nothing, or none was reached. */
  readonly reply: string | null;
  /** The host that decided, or that was tried last; null: none was. */
  readonly host: string | null;
  /** For people, one line. */
  readonly reason: string;
}

/** Told of all that happens; what it throws goes to `onError`. */
export type RelayObserver = (event: RelayEvent) => void;
