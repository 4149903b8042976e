/**
 * The store in one directory: a journal of all that happens to messages, long bodies beside it, and in memory when each is
 * due.
 *
 * Claims are in memory only. A process that dies takes its claims with it; what it had stored as committing is settled as
 * `unknown` when the queue is opened again.
 */
import { NotInQueueError, QueueClosedError, QueueFullError } from '../contract/errors.js';
import { COMMITTING_LEASE } from '../contract/lease.js';
import type { Claim, MessageWithBody, NewMessage, QueuedMessage, Settlement } from '../contract/messages.js';
import {
  type ClaimRequest,
  DEFAULT_MAXIMUM_MESSAGES,
  type DomainCount,
  type QueueCount,
  type QueueLimits,
  type QueueStore,
  type RetrySelection,
} from '../contract/queue-store.js';
import { Claims, checkSettlements, type Granted } from './claims.js';
import { hasOldSegments, removeOldSegments } from './compaction.js';
import type { FileSystem } from './disk/file-system.js';
import { describe, duePlaces, type Live, waitingPlaces } from './live-message.js';
import { sequenceOf } from './message-state.js';
import { StoredMessages } from './stored-messages.js';

/** Messages that are read from the disk at a time. */
const READ_AT_ONCE = 32;

const NO_FURTHER = 'The queue is closed; open it anew';

export interface StoreOptions extends QueueLimits {
  /** Which opening of the directory this is: higher than any before. */
  readonly epoch: number;
  readonly segmentOctets?: number;
  /** Octets that stay free on the disk, for what is to be stored about messages that were accepted. */
  readonly reserve: number;
  /** Called once after all is closed. */
  readonly onClosed?: () => Promise<void>;
}

/** @throws {QueueUnreadableError} what is there cannot be read */
export async function openStore(
  files: FileSystem,
  directory: string,
  options: StoreOptions,
): Promise<QueueStore> {
  let store: EmbeddedStore | undefined;
  const messages = await StoredMessages.open(files, directory, options, {
    changed: () => store?.changed(),
    background: (task) => store?.background(task),
  });
  try {
    store = new EmbeddedStore(files, directory, messages, options);
    await store.settleUnknown();
    return store;
  } catch (error) {
    await messages.journal.close();
    throw error;
  }
}

class EmbeddedStore implements QueueStore {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #messages: StoredMessages;
  readonly #options: StoreOptions;
  readonly #claims: Claims;
  readonly #listeners = new Set<() => void>();
  readonly #underWay = new Set<Promise<unknown>>();
  #compacting = false;
  #closing: Promise<void> | undefined;

  constructor(files: FileSystem, directory: string, messages: StoredMessages, options: StoreOptions) {
    this.#files = files;
    this.#directory = directory;
    this.#messages = messages;
    this.#options = options;
    this.#claims = new Claims(options.epoch, ({ sequence }) => messages.release(sequence));
  }

  /** Settles what the last process left open. */
  async settleUnknown(): Promise<void> {
    await this.#each(this.#messages.index.sequencesThatAre('committing'), (live) =>
      this.#messages.settleAsUnknown(live, live.state.recipients.keys(), 'the process ended'),
    );
    this.#compact();
  }

  /** Something may be due earlier, or take less of the disk. */
  changed(): void {
    for (const listener of this.#listeners) queueMicrotask(listener);
    this.#compact();
  }

  background(task: () => Promise<void>): void {
    void this.#run(task).catch(() => {});
  }

  put(message: NewMessage, body: AsyncIterable<Uint8Array>): Promise<QueuedMessage> {
    return this.#run(async () => {
      try {
        checkRecipients(message);
        this.#checkLimits(0);
        await this.#checkRoom();
      } catch (error) {
        await closeUnread(body);
        throw error;
      }
      return this.#messages.put({ message, body }, (size) => this.#checkLimits(size));
    });
  }

  claim(request: ClaimRequest): Promise<readonly Claim[]> {
    return this.#run(async () => {
      await this.#takeBack(request.now);
      const { limit = 1 } = request;
      const claims: Claim[] = [];
      while (claims.length < limit) {
        const some = await this.#claimSome(request, Math.min(limit - claims.length, READ_AT_ONCE));
        if (some === undefined) break;
        claims.push(...some);
      }
      return claims;
    });
  }

  async nextDue({
    domain,
    except,
  }: Pick<ClaimRequest, 'domain' | 'except'> = {}): Promise<number | undefined> {
    const due = this.#messages.index.order.next(wantedIn(domain, except));
    const end = this.#claims.nextEnd();
    return due === undefined || end === undefined ? (due ?? end) : Math.min(due, end);
  }

  subscribe(listener: () => void): () => void {
    // The same function may be given twice.
    const one = () => listener();
    this.#listeners.add(one);
    return () => void this.#listeners.delete(one);
  }

  renew(claim: Claim, { now, lease }: { readonly now: number; readonly lease: number }): Promise<Claim> {
    return this.#run(async () => this.#claims.extend(claim, now + lease));
  }

  committing(claim: Claim, now: number): Promise<Claim> {
    return this.#ofClaim(claim, async ({ live, places }) => {
      await this.#messages.change(live, { t: 'committing', id: live.state.id, places: [...places], at: now });
      return this.#claims.extend(claim, now + COMMITTING_LEASE);
    });
  }

  settle(
    claim: Claim,
    settlements: readonly Settlement[],
    put?: MessageWithBody,
  ): Promise<QueuedMessage | undefined> {
    let isRead = false;
    const settling = async (granted: Granted) => {
      const { live } = granted;
      checkSettlements(granted, settlements);
      const { id } = live.state;
      const settled = settlements.map(({ place }) => place);
      const applied = () => this.#claims.free(granted, settled);
      if (put !== undefined) {
        checkRecipients(put.message);
        isRead = true;
        return this.#messages.put(put, undefined, { live, id, settlements, applied });
      }
      if (settlements.length > 0) {
        await this.#messages.change(live, { t: 'settled', id, settlements }, applied);
      }
      return undefined;
    };
    return this.#ofClaim(claim, settling).catch(async (error) => {
      if (put !== undefined && !isRead) await closeUnread(put.body);
      throw error;
    });
  }

  giveBack(claim: Claim): Promise<void> {
    return this.#ofClaim(claim, async (granted) => {
      const { live } = granted;
      const places = [...granted.places];
      const isCommitting = places.some(
        (place) => live.state.recipients[place]?.committingSince !== undefined,
      );
      const free = () => this.#claims.free(granted, places);
      if (isCommitting) {
        await this.#messages.change(live, { t: 'givenBack', id: live.state.id, places }, free);
      } else {
        free();
        this.#messages.reschedule(live);
        this.changed();
      }
    });
  }

  async *body(id: string): AsyncGenerator<Uint8Array, void, undefined> {
    const live = await this.#messages.borrow(sequenceOf(id));
    if (live === undefined) throw new NotInQueueError(id);
    try {
      if (live.state.body === 'file') yield* this.#messages.bodies.read(id);
      else if (live.state.size > 0) {
        const octets = await this.#messages.inlineBody(live);
        if (octets === undefined) throw new NotInQueueError(id);
        yield octets;
      }
    } finally {
      this.#messages.release(live.sequence);
    }
  }

  hold(id: string): Promise<boolean> {
    return this.#ofMessage(id, (live) => this.#messages.change(live, { t: 'held', id, held: true }));
  }

  release(id: string): Promise<boolean> {
    return this.#ofMessage(id, (live) => this.#messages.change(live, { t: 'held', id, held: false }));
  }

  drop(id: string): Promise<boolean> {
    return this.#ofMessage(id, (live) => this.#messages.change(live, { t: 'dropped', id }));
  }

  retry(selection: RetrySelection, now: number): Promise<number> {
    return this.#run(async () => {
      const { index } = this.#messages;
      const domain = 'domain' in selection ? selection.domain : undefined;
      const all =
        'ids' in selection ? [...new Set(selection.ids)].map(sequenceOf) : index.sequencesByArrival();
      let retried = 0;
      await this.#each(all, async (live) => {
        const places = waitingPlaces(live).filter(
          (place) => domain === undefined || live.domains[place] === domain,
        );
        if (places.length === 0) return;
        await this.#messages.change(live, { t: 'due', id: live.state.id, places, next: now });
        retried++;
      });
      return retried;
    });
  }

  async *list(): AsyncGenerator<QueuedMessage, void, undefined> {
    const all = this.#messages.index.sequencesByArrival();
    for (let start = 0; start < all.length; start += READ_AT_ONCE) {
      const some = all.slice(start, start + READ_AT_ONCE);
      const lives = await Promise.all(some.map((sequence) => this.#messages.borrow(sequence)));
      try {
        for (const live of lives) if (live !== undefined && !live.isGone) yield describe(live);
      } finally {
        for (const live of lives) if (live !== undefined) this.#messages.release(live.sequence);
      }
    }
  }

  show(id: string): Promise<QueuedMessage | undefined> {
    return this.#messages.use(sequenceOf(id), describe);
  }

  async count(): Promise<QueueCount> {
    const { index, delivering: lives, octets } = this.#messages;
    const delivering = lives.length;
    const held = index.held - lives.filter(({ state }) => state.held).length;
    const waiting = index.size - held - delivering;
    const arrivals = lives.map(({ state }) => state.arrived);
    const oldest = {
      ...index.oldest((sequence) => this.#messages.isDelivering(sequence)),
      ...(delivering > 0 && { delivering: arrivals.reduce((one, other) => Math.min(one, other)) }),
    };
    return { waiting, held, delivering, octets, oldest };
  }

  async *domains(): AsyncGenerator<DomainCount, void, undefined> {
    yield* this.#messages.index.order.domains();
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
      await this.#messages.journal.close();
      await this.#options.onClosed?.();
    })();
    return this.#closing;
  }

  /** What is called before `close()` is waited for by it; what is called after it is refused. */
  #run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(new QueueClosedError(NO_FURTHER));
    const running = task();
    this.#underWay.add(running);
    const done = () => void this.#underWay.delete(running);
    running.then(done, done);
    return running;
  }

  #ofMessage(id: string, task: (live: Live) => Promise<void>): Promise<boolean> {
    return this.#run(async () => {
      let isThere = false;
      await this.#each([sequenceOf(id)], async (live) => {
        isThere = true;
        await task(live);
      });
      return isThere;
    });
  }

  /** Does something to each of these messages that is there, in its turn. */
  async #each(sequences: readonly number[], task: (live: Live) => Promise<void>): Promise<void> {
    for (let start = 0; start < sequences.length; start += READ_AT_ONCE) {
      const some = sequences.slice(start, start + READ_AT_ONCE).map((sequence) =>
        this.#messages.use(sequence, (live) =>
          this.#messages.inTurn(live, async () => {
            // It may have left the queue meanwhile.
            if (!live.isGone) await task(live);
          }),
        ),
      );
      const failed = (await Promise.allSettled(some)).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    }
  }

  #ofClaim<T>(claim: Claim, task: (granted: Granted) => Promise<T>): Promise<T> {
    return this.#run(async () => {
      const { live } = this.#claims.get(claim);
      return this.#messages.inTurn(live, async () => task(this.#claims.get(claim)));
    });
  }

  /** Undefined: nothing is due. None: what seemed to be is not. */
  async #claimSome(request: ClaimRequest, limit: number): Promise<readonly Claim[] | undefined> {
    const { now, lease, domain, except } = request;
    const { index } = this.#messages;
    const isWanted = wantedIn(domain, except);
    const taken: { readonly sequence: number; readonly domain: string }[] = [];
    for (let task = index.take(now, isWanted); task !== undefined; ) {
      taken.push(task);
      task = taken.length < limit ? index.take(now, isWanted) : undefined;
    }
    if (taken.length === 0) return undefined;
    const read = await Promise.allSettled(taken.map(({ sequence }) => this.#messages.borrow(sequence)));
    const claims: Claim[] = [];
    const failures: unknown[] = [];
    for (const [i, task] of taken.entries()) {
      const each = read[i] as PromiseSettledResult<Live | undefined>;
      if (each.status === 'rejected') {
        failures.push(each.reason);
        // One that cannot be read must not be in the way of all others. It is tried again when the queue is opened.
        if (each.reason?.name !== 'QueueUnreadableError') index.putBack(task);
        continue;
      }
      const claim = each.value && this.#grant(each.value, task.domain, now, now + lease);
      if (claim !== undefined) claims.push(claim);
    }
    if (claims.length === 0 && failures.length > 0) throw failures[0];
    return claims;
  }

  /** Takes over the message that was borrowed. */
  #grant(live: Live, domain: string, now: number, leaseUntil: number): Claim | undefined {
    const places = duePlaces(live, domain, now);
    const claim = places.length > 0 ? this.#claims.grant(live, domain, places, leaseUntil) : undefined;
    // Others in this domain, or these, may be due later.
    this.#messages.reschedule(live);
    if (claim === undefined) this.#messages.release(live.sequence);
    return claim;
  }

  /** Ends the claims whose lease is over. */
  async #takeBack(now: number): Promise<void> {
    await Promise.all(
      this.#claims.overdue(now).map((granted) =>
        this.#messages.inTurn(granted.live, async () => {
          // It may have been renewed, or have ended, meanwhile.
          if (!this.#claims.isOverdue(granted, now)) return;
          const { live, places } = granted;
          await this.#messages.settleAsUnknown(live, places, 'the lease ended');
          this.#claims.free(granted, [...places]);
          this.#messages.reschedule(live);
        }),
      ),
    );
  }

  #checkLimits(size: number): void {
    const { maximumMessages = DEFAULT_MAXIMUM_MESSAGES, maximumOctets = Number.POSITIVE_INFINITY } =
      this.#options;
    const { index, octets } = this.#messages;
    if (index.size >= maximumMessages) {
      throw new QueueFullError(
        `The queue is full: it has ${index.size} messages, ${maximumMessages} at most`,
      );
    }
    if (octets + size > maximumOctets) {
      throw new QueueFullError(
        `The queue is full: it has ${octets} octets, and with ${size} more it would pass ${maximumOctets}`,
      );
    }
  }

  async #checkRoom(): Promise<void> {
    const free = await this.#files.freeOctets(this.#directory);
    if (free >= this.#options.reserve) return;
    throw new QueueFullError(
      `No room for mail: ${free} octets are free in ${this.#directory}, ${this.#options.reserve} stay so`,
    );
  }

  /** Removes old segments, in the background. What fails is tried again after the next change. */
  #compact(): void {
    if (this.#compacting || this.#closing !== undefined || !hasOldSegments(this.#messages)) return;
    this.#compacting = true;
    const done = () => {
      this.#compacting = false;
    };
    this.#run(() => removeOldSegments(this.#messages)).then(done, done);
  }
}

function wantedIn(
  domain: string | undefined,
  except: Iterable<string> | undefined,
): (each: string) => boolean {
  const excepted = new Set(except);
  return (each) => (domain === undefined || each === domain) && !excepted.has(each);
}

function checkRecipients({ envelope }: NewMessage): void {
  if (envelope.recipients.length > 0) return;
  throw new RangeError('The envelope has no recipient; it takes one at least');
}

/** Nobody will read it: a stream is destroyed, and whoever writes into it hears of that. */
async function closeUnread(body: AsyncIterable<Uint8Array>): Promise<void> {
  await body[Symbol.asyncIterator]().return?.();
}
