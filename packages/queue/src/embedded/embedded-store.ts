/**
 * The store in one directory: a journal of all that happens to messages, long bodies beside it, and in memory when each is
 * due.
 *
 * Claims are in memory only. A process that dies takes its claims with it; what it had stored as committing is settled as
 * `unknown` when the queue is opened again.
 */
import { complain, guarded } from '@sansmtp/transport';
import { NotInQueueError, QueueClosedError } from '../contract/errors.js';
import { COMMITTING_LEASE } from '../contract/lease.js';
import type { Claim, MessageWithBody, NewMessage, QueuedMessage, Settlement } from '../contract/messages.js';
import type {
  ClaimRequest,
  DomainCount,
  QueueCount,
  QueueLimits,
  QueueStore,
  RetrySelection,
} from '../contract/queue-store.js';
import { claimDue, takeBack, wantedIn } from './claims/claiming.js';
import { Claims, checkPlaces, type Granted } from './claims/claims.js';
import { hasOldSegments, removeOldSegments } from './compaction.js';
import type { QueueDamage } from './damaged-folder.js';
import type { FileSystem } from './disk/file-system.js';
import { DamagedRecordError } from './journal/damaged-record-error.js';
import { checkLimits, checkRecipients, checkRoom } from './limits.js';
import { describe, type Live, waitingPlaces } from './messages/live-message.js';
import { sequenceOf } from './messages/message-state.js';
import { StoredMessages } from './messages/stored-messages.js';

/** Messages that are read from the disk at a time. */
const READ_AT_ONCE = 32;

const NO_FURTHER = 'The queue is closed; open it anew';

export interface StoreOptions extends QueueLimits {
  /** Which opening of the directory this is: higher than any before. */
  readonly epoch: number;
  readonly segmentOctets?: number;
  /** Octets that stay free on the disk, for what is to be stored about messages that were accepted. */
  readonly reserve: number;
  /** As in `OpenQueueOptions`. */
  readonly onDamage?: (damage: QueueDamage) => void;
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
    damaged: (damage) =>
      guarded(
        () => (options.onDamage ?? warn)(damage),
        (error) => complain('onDamage', error),
      ),
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
    this.#claims = new Claims(options.epoch, ({ sequence }) => messages.inUse.release(sequence));
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
        await checkRoom(this.#files, this.#directory, this.#options.reserve);
      } catch (error) {
        await closeUnread(body);
        throw error;
      }
      return this.#messages.put({ message, body }, (size) => this.#checkLimits(size));
    });
  }

  claim(request: ClaimRequest): Promise<readonly Claim[]> {
    return this.#run(async () => {
      await takeBack(this.#messages, this.#claims, request.now);
      return claimDue(this.#messages, this.#claims, request);
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
    const one = () => guarded(listener, (error) => complain('A listener of subscribe', error));
    this.#listeners.add(one);
    return () => void this.#listeners.delete(one);
  }

  renew(claim: Claim, { now, lease }: { readonly now: number; readonly lease: number }): Promise<Claim> {
    return this.#run(async () => this.#claims.extend(claim, now + lease));
  }

  committing(claim: Claim, now: number, given?: readonly number[]): Promise<Claim> {
    return this.#ofClaim(claim, async (granted) => {
      const { live } = granted;
      const places = [...(given ?? granted.places)];
      checkPlaces(granted, places);
      if (places.length > 0) {
        await this.#messages.change(live, { t: 'committing', id: live.state.id, places, at: now });
      }
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
      const { id } = live.state;
      const settled = settlements.map(({ place }) => place);
      checkPlaces(granted, settled);
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
    const live = await this.#messages.inUse.borrow(sequenceOf(id));
    if (live === undefined) throw new NotInQueueError(id);
    try {
      if (live.state.body === 'file') yield* this.#messages.bodies.read(id, live.state.size);
      else if (live.state.size > 0) {
        const octets = await this.#inlineBody(live);
        if (octets === undefined) throw new NotInQueueError(id);
        yield octets;
      }
    } finally {
      this.#messages.inUse.release(live.sequence);
    }
  }

  async #inlineBody(live: Live): Promise<Uint8Array | undefined> {
    try {
      return await this.#messages.inlineBody(live);
    } catch (error) {
      // Whoever reads it may have the message's turn, and so is not kept waiting.
      if (error instanceof DamagedRecordError) this.background(() => this.#messages.setAside(live, error));
      throw error;
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
      const read = await Promise.allSettled(some.map((sequence) => this.#messages.inUse.borrow(sequence)));
      const lives = read.flatMap((each) => (each.status === 'fulfilled' ? (each.value ?? []) : []));
      try {
        const failed = read.find(({ status }) => status === 'rejected');
        if (failed?.status === 'rejected') throw failed.reason;
        for (const live of lives) if (!live.isGone) yield describe(live);
      } finally {
        for (const { sequence } of lives) this.#messages.inUse.release(sequence);
      }
    }
  }

  show(id: string): Promise<QueuedMessage | undefined> {
    return this.#messages.use(sequenceOf(id), describe);
  }

  async count(): Promise<QueueCount> {
    const { index, inUse, octets } = this.#messages;
    const lives = inUse.delivering;
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

  #checkLimits(size: number): void {
    const { index, octets } = this.#messages;
    checkLimits({ messages: index.size, octets }, size, this.#options);
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

function warn({ message }: QueueDamage): void {
  process.emitWarning(message, { code: 'SANSMTP_QUEUE_DAMAGED' });
}

/** Nobody will read it: a stream is destroyed, and whoever writes into it hears of that. */
async function closeUnread(body: AsyncIterable<Uint8Array>): Promise<void> {
  await body[Symbol.asyncIterator]().return?.();
}
