/**
 * The store in one directory: a journal of all that happens to messages, long bodies beside it, and in memory what the
 * journal says of the messages that are still there.
 *
 * Invariants:
 * - What is in memory is on the disk: a change is appended, and applied when it is safe.
 * - Whatever changes one message is done in its turn: what a method has found to hold still does when its change is applied.
 * - Claims are in memory only. A process that dies takes its claims with it; what it had stored as committing is settled
 *   as `unknown` when the queue is opened again.
 * - A message's whole state stands in one segment, its home; what changed since then stands later. Messages of the
 *   oldest segment are copied forward once the journal is more than twice as long as what is alive in it.
 */
import { randomBytes } from 'node:crypto';
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
import { Bodies } from './bodies.js';
import { Claims, checkSettlements, type Granted } from './claims.js';
import { DueOrder } from './due-order.js';
import type { FileSystem } from './file-system.js';
import { Journal, type Place } from './journal.js';
import { describe, duePlaces, type Live, messageState, waitingPlaces } from './live-message.js';
import {
  type Change,
  changed,
  domainsOf,
  newState,
  type Settled,
  type StoredState,
  unknownSettlements,
} from './message-state.js';

/** Segments that may stand there whatever is alive in them: below that nothing is copied. */
const SPARE_SEGMENTS = 4;

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
  const found = new Map<string, { state: StoredState; home: Place }>();
  const replay = (json: unknown, place: Place) => apply(json as Change, place);
  const apply = (change: Change, place: Place) => {
    if (change.t === 'message') {
      found.set(change.message.id, { state: change.message, home: place });
      if (change.settles !== undefined) apply({ t: 'settled', ...change.settles }, place);
      return;
    }
    const known = found.get(change.id);
    // Of a message that left the queue, and whose first record is gone already.
    if (known === undefined) return;
    const state = changed(known.state, change);
    if (state === undefined) found.delete(change.id);
    else known.state = state;
  };
  const journal = await Journal.open(files, directory, options, replay);
  try {
    for (const [id, { state }] of found) if (state.dropped) found.delete(id);
    const bodies = new Bodies(files, directory);
    await bodies.open(directory, (id) => found.has(id));
    const store = new EmbeddedStore(files, directory, journal, bodies, options);
    await store.restore(found.values());
    return store;
  } catch (error) {
    await journal.close();
    throw error;
  }
}

class EmbeddedStore implements QueueStore {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #journal: Journal;
  readonly #bodies: Bodies;
  readonly #options: StoreOptions;
  readonly #messages = new Map<string, Live>();
  /** Segment → the messages whose home it is. */
  readonly #residents = new Map<string, Set<Live>>();
  /** Octets of all bodies. */
  #octets = 0;
  /** Octets of all homes. */
  #aliveOctets = 0;
  readonly #order = new DueOrder();
  readonly #claims: Claims;
  readonly #listeners = new Set<() => void>();
  readonly #underWay = new Set<Promise<unknown>>();
  #compacting = false;
  #closing: Promise<void> | undefined;

  constructor(files: FileSystem, directory: string, journal: Journal, bodies: Bodies, options: StoreOptions) {
    this.#files = files;
    this.#directory = directory;
    this.#journal = journal;
    this.#bodies = bodies;
    this.#options = options;
    this.#claims = new Claims(options.epoch);
  }

  /** Takes over what the journal has said, and settles what the last process left open. */
  async restore(found: Iterable<{ readonly state: StoredState; readonly home: Place }>): Promise<void> {
    const lives = [...found].map(({ state, home }) => this.#admit(state, home));
    await Promise.all(
      lives.map((live) => this.#settleAsUnknown(live, live.state.recipients.keys(), 'the process ended')),
    );
    this.#compact();
  }

  put(message: NewMessage, body: AsyncIterable<Uint8Array>): Promise<QueuedMessage> {
    return this.#run(async () => {
      const checkSize = (size: number) => this.#checkLimits(size);
      return this.#store({ message, body }, { checkRoom: () => this.#checkRoom(), checkSize });
    });
  }

  /**
   * @param checks what may refuse it, before the body is read and after
   * @param also what is stored with it
   */
  async #store(
    { message, body }: MessageWithBody,
    checks: { readonly checkRoom?: () => Promise<void>; readonly checkSize?: (size: number) => void } = {},
    also?: Settled & { readonly applied: () => void },
  ): Promise<QueuedMessage> {
    try {
      if (message.envelope.recipients.length === 0) {
        throw new RangeError('The envelope has no recipient; it takes one at least');
      }
      await checks.checkRoom?.();
    } catch (error) {
      // Nobody will read it: a stream is destroyed, and whoever writes into it hears of that.
      await body[Symbol.asyncIterator]().return?.();
      throw error;
    }
    const id = randomBytes(10).toString('hex');
    const gathered = await this.#bodies.gather(id, body);
    const state = newState(message, { id, size: gathered.size, body: gathered.kind });
    const { applied, ...settled } = also ?? {};
    const change = { t: 'message', message: state, settles: also && settled } as Change;
    const admit = (home: Place) => {
      this.#admit(state, home);
      applied?.();
    };
    const octets = gathered.kind === 'inline' ? gathered.octets : undefined;
    try {
      checks.checkSize?.(gathered.size);
      await this.#journal.append(change, admit, octets);
    } catch (error) {
      if (gathered.kind === 'file') await this.#bodies.remove(id);
      throw error;
    }
    this.#compact();
    return describe({ state, domains: domainsOf(state.envelope), claimed: new Map() });
  }

  claim({ now, lease, limit = 1, domain, except }: ClaimRequest): Promise<readonly Claim[]> {
    return this.#run(async () => {
      await this.#takeBack(now);
      const isWanted = wantedIn(domain, except);
      const claims: Claim[] = [];
      while (claims.length < limit) {
        const entry = this.#order.take(now, isWanted);
        if (entry === undefined) break;
        const live = this.#messages.get(entry.id);
        if (live === undefined) continue;
        live.scheduled.delete(entry.domain);
        const places = duePlaces(live, entry.domain, now);
        if (places.length > 0) claims.push(this.#claims.grant(live, entry.domain, places, now + lease));
        // Others in this domain, or these, may be due later.
        this.#schedule(live);
      }
      return claims;
    });
  }

  async nextDue({
    domain,
    except,
  }: Pick<ClaimRequest, 'domain' | 'except'> = {}): Promise<number | undefined> {
    const due = this.#order.next(wantedIn(domain, except));
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
      await this.#change(live, { t: 'committing', id: live.state.id, places: [...places], at: now });
      return this.#claims.extend(claim, now + COMMITTING_LEASE);
    });
  }

  settle(
    claim: Claim,
    settlements: readonly Settlement[],
    put?: MessageWithBody,
  ): Promise<QueuedMessage | undefined> {
    return this.#ofClaim(claim, async (granted) => {
      const { live } = granted;
      checkSettlements(granted, settlements);
      const { id } = live.state;
      const settled = settlements.map(({ place }) => place);
      const change: Change = { t: 'settled', id, settlements };
      if (put !== undefined) {
        const applied = () => {
          this.#claims.free(granted, settled);
          this.#revise(live, changed(live.state, change));
        };
        return this.#store(put, {}, { id, settlements, applied });
      }
      if (settlements.length > 0) await this.#change(live, change, () => this.#claims.free(granted, settled));
      return undefined;
    });
  }

  giveBack(claim: Claim): Promise<void> {
    return this.#ofClaim(claim, async (granted) => {
      const { live } = granted;
      const places = [...granted.places];
      const isCommitting = places.some(
        (place) => live.state.recipients[place]?.committingSince !== undefined,
      );
      const unclaim = () => this.#claims.free(granted, places);
      if (isCommitting) await this.#change(live, { t: 'givenBack', id: live.state.id, places }, unclaim);
      else {
        unclaim();
        this.#revise(live, live.state);
      }
    });
  }

  async *body(id: string): AsyncGenerator<Uint8Array, void, undefined> {
    const live = this.#messages.get(id);
    if (live === undefined) throw new NotInQueueError(id);
    if (live.state.body === 'file') yield* this.#bodies.read(id);
    else if (live.state.size > 0) yield await this.#inlineBody(live);
  }

  hold(id: string): Promise<boolean> {
    return this.#ofMessage(id, (live) => this.#change(live, { t: 'held', id, held: true }));
  }

  release(id: string): Promise<boolean> {
    return this.#ofMessage(id, (live) => this.#change(live, { t: 'held', id, held: false }));
  }

  drop(id: string): Promise<boolean> {
    return this.#ofMessage(id, (live) => this.#change(live, { t: 'dropped', id }));
  }

  retry(selection: RetrySelection, now: number): Promise<number> {
    return this.#run(async () => {
      const ids = 'ids' in selection ? new Set(selection.ids) : this.#messages.keys();
      const domain = 'domain' in selection ? selection.domain : undefined;
      const retried = await Promise.all(
        [...ids].map(async (id) => {
          let isDue = false;
          await this.#ofMessage(id, async (live) => {
            const places = waitingPlaces(live).filter(
              (place) => domain === undefined || live.domains[place] === domain,
            );
            if (places.length === 0) return;
            await this.#change(live, { t: 'due', id, places, next: now });
            isDue = true;
          });
          return isDue;
        }),
      );
      return retried.filter(Boolean).length;
    });
  }

  async *list(): AsyncGenerator<QueuedMessage, void, undefined> {
    const lives = [...this.#messages.values()].sort((one, other) => one.state.arrived - other.state.arrived);
    for (const live of lives) if (this.#messages.has(live.state.id)) yield describe(live);
  }

  async show(id: string): Promise<QueuedMessage | undefined> {
    const live = this.#messages.get(id);
    return live && describe(live);
  }

  async count(): Promise<QueueCount> {
    const count = { waiting: 0, held: 0, delivering: 0, octets: 0 };
    const oldest: { waiting?: number; held?: number; delivering?: number } = {};
    for (const live of this.#messages.values()) {
      const state = messageState(live);
      const { arrived, size } = live.state;
      count[state]++;
      count.octets += size;
      oldest[state] = Math.min(oldest[state] ?? arrived, arrived);
    }
    return { ...count, oldest };
  }

  async *domains(): AsyncGenerator<DomainCount, void, undefined> {
    const messages = new Map<string, number>();
    for (const { state, domains } of this.#messages.values()) {
      const waiting = domains.filter((_, place) => state.recipients[place]?.state === 'waiting');
      for (const domain of new Set(waiting)) messages.set(domain, (messages.get(domain) ?? 0) + 1);
    }
    for (const [domain, count] of messages) yield { domain, messages: count };
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
      await this.#journal.close();
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

  /** Does something to a message when what came before is done. */
  #inTurn<T>(live: Live, task: () => Promise<T>): Promise<T> {
    const running = live.turn.then(task);
    live.turn = running.catch(() => {});
    return running;
  }

  #ofMessage(id: string, task: (live: Live) => Promise<void>): Promise<boolean> {
    return this.#run(async () => {
      const live = this.#messages.get(id);
      if (live === undefined) return false;
      return this.#inTurn(live, async () => {
        // It may have left the queue meanwhile.
        if (!this.#messages.has(id)) return false;
        await task(live);
        return true;
      });
    });
  }

  #ofClaim<T>(claim: Claim, task: (granted: Granted) => Promise<T>): Promise<T> {
    return this.#run(async () => {
      const { live } = this.#claims.get(claim);
      return this.#inTurn(live, async () => task(this.#claims.get(claim)));
    });
  }

  /** Stores a change of a message, and applies it once it is safe. In the message's turn only. */
  #change(live: Live, change: Change, also: () => void = () => {}): Promise<void> {
    return this.#journal.append(change, () => {
      also();
      this.#revise(live, changed(live.state, change));
    });
  }

  #revise(live: Live, state: StoredState | undefined): void {
    if (state === undefined || (state.dropped && live.claimed.size === 0)) {
      this.#dismiss(live);
      return;
    }
    live.state = state;
    this.#schedule(live);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) queueMicrotask(listener);
  }

  #admit(state: StoredState, home: Place): Live {
    const turn = Promise.resolve();
    const domains = domainsOf(state.envelope);
    const live: Live = { state, home, domains, claimed: new Map(), scheduled: new Map(), turn };
    this.#messages.set(state.id, live);
    this.#octets += state.size;
    this.#settleIn(live, home);
    this.#schedule(live);
    this.#tell();
    return live;
  }

  #dismiss(live: Live): void {
    const { id, body, size } = live.state;
    if (!this.#messages.delete(id)) return;
    this.#octets -= size;
    this.#moveOut(live);
    if (body === 'file') void this.#run(() => this.#bodies.remove(id)).catch(() => {});
    this.#compact();
  }

  #settleIn(live: Live, home: Place): void {
    live.home = home;
    this.#aliveOctets += home.octets;
    const residents = this.#residents.get(home.segment);
    if (residents === undefined) this.#residents.set(home.segment, new Set([live]));
    else residents.add(live);
  }

  #moveOut(live: Live): void {
    this.#aliveOctets -= live.home.octets;
    this.#residents.get(live.home.segment)?.delete(live);
  }

  /** Says when its recipients are due, domain by domain; unless nobody may claim them. */
  #schedule(live: Live): void {
    const { id, held, dropped, envelope, sender, recipients } = live.state;
    if (held || dropped) return;
    const earliest = new Map<string, number>();
    for (const place of waitingPlaces(live)) {
      const domain = live.domains[place] as string;
      const next = recipients[place]?.next as number;
      earliest.set(domain, Math.min(next, earliest.get(domain) ?? next));
    }
    const priority = envelope.parameters?.mtPriority ?? 0;
    for (const [domain, due] of earliest) {
      if ((live.scheduled.get(domain) ?? Number.POSITIVE_INFINITY) <= due) continue;
      live.scheduled.set(domain, due);
      this.#order.add({ id, domain, sender, due, priority });
    }
  }

  /** Ends the claims whose lease is over. */
  async #takeBack(now: number): Promise<void> {
    await Promise.all(
      this.#claims.overdue(now).map((granted) =>
        this.#inTurn(granted.live, async () => {
          // It may have been renewed, or have ended, meanwhile.
          if (!this.#claims.isOverdue(granted, now)) return;
          const { live, places } = granted;
          await this.#settleAsUnknown(live, places, 'the lease ended');
          this.#claims.free(granted, [...places]);
          this.#revise(live, live.state);
        }),
      ),
    );
  }

  async #settleAsUnknown(live: Live, places: Iterable<number>, why: string): Promise<void> {
    const reason = `${why} after the final dot may have been sent; the message may have been delivered`;
    const settlements = unknownSettlements(live.state, places, reason);
    if (settlements.length > 0) {
      await this.#change(live, { t: 'settled', id: live.state.id, settlements });
    }
  }

  #checkLimits(size: number): void {
    const { maximumMessages = DEFAULT_MAXIMUM_MESSAGES, maximumOctets = Number.POSITIVE_INFINITY } =
      this.#options;
    if (this.#messages.size >= maximumMessages) {
      throw new QueueFullError(
        `The queue is full: it has ${this.#messages.size} messages, ${maximumMessages} at most`,
      );
    }
    if (this.#octets + size > maximumOctets) {
      throw new QueueFullError(
        `The queue is full: it has ${this.#octets} octets, and with ${size} more it would pass ${maximumOctets}`,
      );
    }
  }

  async #checkRoom(): Promise<void> {
    this.#checkLimits(0);
    const free = await this.#files.freeOctets(this.#directory);
    if (free >= this.#options.reserve) return;
    throw new QueueFullError(
      `No room for mail: ${free} octets are free in ${this.#directory}, ${this.#options.reserve} stay so`,
    );
  }

  /** Removes old segments, in the background. What fails is tried again after the next change. */
  #compact(): void {
    if (this.#compacting || this.#journal.oldest === undefined || this.#closing !== undefined) return;
    this.#compacting = true;
    const done = () => {
      this.#compacting = false;
    };
    this.#run(() => this.#removeOldSegments()).then(done, done);
  }

  async #removeOldSegments(): Promise<void> {
    for (let oldest = this.#journal.oldest; oldest !== undefined; oldest = this.#journal.oldest) {
      const residents = this.#residents.get(oldest) ?? new Set<Live>();
      const bearable = 2 * this.#aliveOctets + SPARE_SEGMENTS * this.#journal.segmentOctets;
      if (residents.size > 0 && this.#journal.octets <= bearable) return;
      for (const live of residents) await this.#copyForward(live, oldest);
      this.#residents.delete(oldest);
      await this.#journal.removeOldest();
    }
  }

  async #inlineBody(live: Live): Promise<Uint8Array> {
    for (;;) {
      const { home } = live;
      try {
        return await this.#journal.readBody(home);
      } catch (error) {
        // Its segment was removed just then: the message has moved to another one, or left the queue.
        if (!this.#messages.has(live.state.id)) throw new NotInQueueError(live.state.id);
        if (live.home === home) throw error;
      }
    }
  }

  #copyForward(live: Live, from: string): Promise<void> {
    return this.#inTurn(live, async () => {
      if (!this.#messages.has(live.state.id) || live.home.segment !== from) return;
      const { state, home } = live;
      const octets = state.body === 'inline' ? await this.#journal.readBody(home) : undefined;
      const change: Change = { t: 'message', message: state };
      const moved = (place: Place) => {
        this.#moveOut(live);
        this.#settleIn(live, place);
      };
      await this.#journal.append(change, moved, octets);
    });
  }
}

function wantedIn(
  domain: string | undefined,
  except: Iterable<string> | undefined,
): (each: string) => boolean {
  const excepted = new Set(except);
  return (each) => (domain === undefined || each === domain) && !excepted.has(each);
}
