/**
 * The contract of a queue's store.
 *
 * A message is `put`, and from then on safe. A worker claims the due recipients of a message in one domain, or in those that go
 * to the same place, delivers, and settles each recipient; a message whose recipients are all delivered or bounced leaves the queue. The way of a worker:
 *
 *     claim → … RCPT, DATA, the message … → committing → mayWriteFinalDot → the final dot → settle
 *
 * - What a promise of the store resolved for outlives `kill -9` and a power failure. What was rejected, or never answered,
 *   has happened or has not, and nothing in between.
 * - A claim whose lease ends, and each claim of a process that died, is taken back. If it had stored `committing`, the
 *   store settles its recipients as `unknown` by itself, due at once: so each possible duplicate can be seen in `last`.
 *   The next worker should log it.
 * - Times are milliseconds since 1970 UTC. A store has no clock: callers say what time it is.
 * - Methods may be called at any time, also before others have resolved.
 */
import type {
  Claim,
  MessageState,
  MessageWithBody,
  NewMessage,
  QueuedMessage,
  Settlement,
} from './messages.js';

export interface ClaimRequest {
  readonly now: number;
  /** Milliseconds for which the claim is the worker's alone; `renew()` it before that is over. */
  readonly lease: number;
  /** Claims at most. @default 1 */
  readonly limit?: number;
  /** Only of this domain. @default any: each domain in turn, so that none waits for another's mail */
  readonly domain?: string;
  /** Not of these domains. @default none */
  readonly except?: Iterable<string>;
  /**
   * Where mail for a domain goes. The recipients of a message in domains that go to one place are given in one claim, so that
   * one mail transaction serves them all; `domain` and `except` say which domains a claim may begin with.
   * @default each domain goes to a place of its own
   */
  readonly destinationOf?: (domain: string) => string;
}

/** Which messages `retry()` means. */
export type RetrySelection =
  | { readonly ids: Iterable<string> }
  /** The recipients in this domain only, of all messages. */
  | { readonly domain: string }
  | { readonly all: true };

export interface QueueCount {
  /** Messages by state. */
  readonly waiting: number;
  readonly held: number;
  readonly delivering: number;
  /** Octets of all bodies. */
  readonly octets: number;
  /** When the oldest message of each state arrived: milliseconds since 1970 UTC; absent: there is none. */
  readonly oldest: { readonly [state in MessageState]?: number };
}

/** What waits for one domain. */
export interface DomainCount {
  /** As in `QueuedRecipient`. */
  readonly domain: string;
  /** Messages that wait for a recipient there, also those that are held or being delivered. */
  readonly messages: number;
}

/** How much a store takes. Every store has these options. */
export interface QueueLimits {
  /** Messages at most; beyond it `put` throws a `QueueFullError`. @default 1000000 */
  readonly maximumMessages?: number;
  /** Octets of all bodies at most; beyond it `put` throws a `QueueFullError`. @default no limit but the disk's */
  readonly maximumOctets?: number;
}

export const DEFAULT_MAXIMUM_MESSAGES = 1_000_000;

export interface QueueStore {
  /**
   * Puts a message into the queue. Once it resolves, the message is safe: only then answer 250.
   * @param body the message as it is to be delivered, without transparency; it is read once, a chunk at a time, and its
   *   iterator closed
   * @throws what `body` throws, or the system's error (`ENOSPC`, …): nothing is put then
   * @throws {QueueFullError} a limit is reached (`QueueLimits`); what is being put at the same moment may pass it
   * @throws {RangeError} the envelope has no recipient
   */
  put(message: NewMessage, body: AsyncIterable<Uint8Array>): Promise<QueuedMessage>;

  /**
   * Takes what is due: of each domain in turn; within a domain of higher MT-PRIORITY first (RFC 6710), then of each sender
   * in turn, and of a sender what has been due the longest. Takes claims back whose lease is over. For each claim call `settle` or `giveBack` in the end.
   * @returns `limit` claims at most; none: nothing is due, see `nextDue()`
   */
  claim(request: ClaimRequest): Promise<readonly Claim[]>;

  /**
   * When `claim()` may have more to give: milliseconds since 1970 UTC; undefined: not before something is put or changed.
   * @param request what the claims are to be of; a store that looks at none of it may be asked more often than needed
   */
  nextDue(request?: Pick<ClaimRequest, 'domain' | 'except'>): Promise<number | undefined>;

  /**
   * Calls the listener whenever `nextDue()` may have become earlier: something was put, released, given back, settled as
   * waiting, or made due; now and then for nothing. Where several processes share the store, what another one changed is
   * told soon, but may be missed if that one dies or the connection is lost: ask `nextDue()` once a minute as well.
   * @param listener called in a turn of its own, before the promise of the method that made the change resolves; what it
   *   throws is written to stderr, and others are told all the same
   * @returns stops it
   */
  subscribe(listener: () => void): () => void;

  /**
   * Lets the lease run until `now + lease`, unless it runs longer already.
   * @returns the claim with its new lease: go on with that
   * @throws {StaleClaimError} the claim is over: stop the delivery
   */
  renew(claim: Claim, lease: { readonly now: number; readonly lease: number }): Promise<Claim>;

  /**
   * Stores that the final dot may have been sent, and leaves `COMMITTING_LEASE` on the lease at least. Call it before the
   * final dot, and `mayWriteFinalDot()` right before the write.
   * @param places the recipients to whom the message may go with that: nobody else is ever settled as `unknown` by the store.
   *   @default all of the claim that are still to be settled
   * @returns the claim with its new lease: go on with that
   * @throws {StaleClaimError} the claim is over: do not send the final dot
   * @throws {RangeError} a place is not of this claim, or was settled
   */
  committing(claim: Claim, now: number, places?: readonly number[]): Promise<Claim>;

  /**
   * Stores what became of recipients of the claim: of some or of all. When all are settled, the claim is over; when all
   * of the message are delivered or bounced, it leaves the queue. A lease that is over does no harm as long as the
   * store has not taken the claim back.
   * @param put a notification of it, which is put if and only if the settlements are stored; whatever the limits
   * @returns what was put; undefined: nothing was
   * @throws {StaleClaimError} the claim is over; nothing is stored
   * @throws {RangeError} a place is not of this claim, or was settled, or `put` has no recipient; nothing is stored
   * @throws what the body of `put` throws; nothing is stored
   */
  settle(
    claim: Claim,
    settlements: readonly Settlement[],
    put?: MessageWithBody,
  ): Promise<QueuedMessage | undefined>;

  /**
   * Ends a claim without an attempt: its recipients are due as before. Only if no final dot was sent, or else
   * settle as `unknown`.
   * @throws {StaleClaimError} the claim is over anyway
   */
  giveBack(claim: Claim): Promise<void>;

  /**
   * The body of a message, in chunks of 64 KiB at most. A reader that has begun reads to the end, whatever becomes of
   * the message meanwhile.
   * @throws {NotInQueueError} when it is first read
   */
  body(id: string): AsyncIterable<Uint8Array>;

  /** Lets nobody claim the message until `release()`; an attempt under way ends first. False: there is no such message. */
  hold(id: string): Promise<boolean>;

  /** Ends `hold()`. False: there is no such message. */
  release(id: string): Promise<boolean>;

  /**
   * Deletes a message without a notification; an attempt under way ends first. False: there is no such message.
   */
  drop(id: string): Promise<boolean>;

  /**
   * Makes waiting recipients due now. What is held stays held, and recipients that are claimed stay as they are.
   * @returns how many messages it made due
   */
  retry(selection: RetrySelection, now: number): Promise<number>;

  /**
   * All messages that are in the queue when it begins and still there when their turn comes, oldest first. They are read
   * as they are asked for: a long queue is never in memory as a whole.
   */
  list(): AsyncIterable<QueuedMessage>;

  /** One message; undefined: there is none of this ID. */
  show(id: string): Promise<QueuedMessage | undefined>;

  count(): Promise<QueueCount>;

  /** The domains that something waits for, in no order. */
  domains(): AsyncIterable<DomainCount>;

  /** Lets what was called end, and takes nothing more. Claims end as by a crash: give them back before. */
  close(): Promise<void>;
}
