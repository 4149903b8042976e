/** What stands in a queue: messages, their recipients, and what the attempts to deliver to them came to. */
import type { ClientEnvelope, ClientRecipient } from '@sansmtp/core';
import type { DeliveryVerdict } from '@sansmtp/delivery';

/** What an attempt came to for one recipient. */
export interface Attempt {
  /** When it was decided: milliseconds since 1970 UTC. */
  readonly at: number;
  /** `unknown`: the final dot may have been sent, and no reply to it is known (RFC 1047). */
  readonly verdict: DeliveryVerdict;
  /** What the server replied, in one line; null: nothing. */
  readonly reply: string | null;
  /** The host that decided, or that was tried last; null: none was. */
  readonly host: string | null;
  /** For people, one line. Where the store recorded `unknown` by itself, it says why. */
  readonly reason: string;
}

/**
 * What whoever delivers has to remember of a recipient, as names and times (milliseconds since 1970 UTC): that it was first
 * tried, that the sender was told of the delay. A store looks at none of them.
 */
export type Marks = Readonly<Record<string, number>>;

interface RecipientInQueue {
  /** As the envelope has it. */
  readonly recipient: ClientRecipient;
  /**
   * The domain as `comparableDomain` of `@sansmtp/delivery` gives it, '' for `<Postmaster>`: claims are by domain.
   */
  readonly domain: string;
  /** Attempts that were settled; those that were given back do not count. */
  readonly attempts: number;
  /** The last attempt that was settled; null: there was none. */
  readonly last: Attempt | null;
  /** What was marked when it was settled, and when that was. */
  readonly marks: Marks;
}

/** Still to be delivered to. */
export interface WaitingRecipient extends RecipientInQueue {
  readonly state: 'waiting';
  /** When the next attempt is due: milliseconds since 1970 UTC. */
  readonly next: number;
}

/** Nothing more is to be done for this one: some server took responsibility, or the sender was told that none did. */
export interface FinishedRecipient extends RecipientInQueue {
  readonly state: 'delivered' | 'bounced';
}

export type QueuedRecipient = WaitingRecipient | FinishedRecipient;

/** `held`: not to be claimed; `delivering`: a claim is out, whether or not it is held as well; `waiting`: neither. */
export type MessageState = 'waiting' | 'held' | 'delivering';

/** A message as it stands in the queue at the moment of the call; what happens later does not change it. */
export interface QueuedMessage {
  /** Names the message in this queue for ever: no other gets the same. Letters and digits. */
  readonly id: string;
  /** When it was put: milliseconds since 1970 UTC. */
  readonly arrived: number;
  /** Octets of the body. */
  readonly size: number;
  readonly envelope: ClientEnvelope;
  /** Within a domain each sender has its turn. */
  readonly sender: string;
  readonly state: MessageState;
  /** In the order of the envelope. */
  readonly recipients: readonly QueuedRecipient[];
}

/** What is to be put into the queue. */
export interface NewMessage {
  /** Whom to deliver to. Parameters of extensions that are not ours (`custom`) must survive `JSON.stringify`. */
  readonly envelope: ClientEnvelope;
  /** When it arrived: milliseconds since 1970 UTC. */
  readonly now: number;
  /** When the first attempt is due: milliseconds since 1970 UTC (FUTURERELEASE, RFC 4865). @default now */
  readonly due?: number;
  /**
   * Whose mail it is: within a domain each sender has its turn, so that one with many messages does not hold up another's.
   * A user's name, say, or a customer's number.
   * @default the reverse-path; all notifications together, whose reverse-path is null, are one sender
   */
  readonly sender?: string;
  /** Hold it until `release()`. @default false */
  readonly held?: boolean;
}

/**
 * A worker's right to attempt the delivery of one message to the recipients in one domain, or in those that go to the same
 * place, until its lease ends. At any moment a recipient is in one claim at most.
 */
export interface Claim {
  /**
   * The fencing number: higher than that of every claim before it in this queue, restarts included. Once the store has
   * taken a claim back, its number is stale and settles nothing.
   */
  readonly fence: number;
  /** The message as it was when claimed. */
  readonly message: QueuedMessage;
  /** That of one of the recipients; with `destinationOf`, others may be in other domains. */
  readonly domain: string;
  /** Which recipients: indices of `message.recipients`, ascending. */
  readonly places: readonly number[];
  /** When the store may take the claim back: milliseconds since 1970 UTC. */
  readonly leaseUntil: number;
}

/** A message and its body, to be put by a method that does something else as well. */
export interface MessageWithBody {
  readonly message: NewMessage;
  /** Read once, as by `put()`. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What became of one recipient of a claim. */
export type Settlement =
  | {
      /** Index in `message.recipients`. */
      readonly place: number;
      /** Nothing more is to be done: delivered, or given up and the sender told. */
      readonly state: 'delivered' | 'bounced';
      readonly attempt: Attempt;
      /** Added to those that the recipient has. @default none */
      readonly marks?: Marks;
    }
  | {
      readonly place: number;
      /** Try again. */
      readonly state: 'waiting';
      /** When: milliseconds since 1970 UTC; `nextAttempt` of `@sansmtp/delivery` knows. */
      readonly next: number;
      /** Left out: nothing was attempted, as when only the sender was told of the delay; `attempts` and `last` stay. */
      readonly attempt?: Attempt;
      /** Added to those that the recipient has. @default none */
      readonly marks?: Marks;
    };
