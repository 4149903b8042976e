/**
 * The messages of a queue, on the disk and in the index: nothing else changes either.
 *
 * Invariants:
 * - What is in memory is on the disk: a change is appended, and applied when it is safe.
 * - A message's whole state stands in one record, its home, with a short body. What changed since then stands in later
 *   records, each of which says where the one before it begins. After many, the whole is stored anew: a new home.
 * - A message is in memory as a whole while it is in use, and only then.
 * - Whatever changes one message is done in its turn: what was found to hold still does when the change is applied.
 */
import { Buffer } from 'node:buffer';
import type { MessageWithBody, QueuedMessage, Settlement } from '../../contract/messages.js';
import { Bodies } from '../bodies/bodies.js';
import { DamagedFolder, type QueueDamage } from '../damaged-folder.js';
import type { FileSystem } from '../disk/file-system.js';
import { type IndexEntry, MessageIndex, type Spot } from '../index/message-index.js';
import { encodeSummary, readSummary, type SummaryEntry } from '../index/summary.js';
import { DamagedRecordError } from '../journal/damaged-record-error.js';
import { Journal, type JournalContent, type JournalOptions } from '../journal/journal.js';
import type { Place } from '../journal/segment.js';
import { Damage, unlessDamaged } from './damage.js';
import { entryOf } from './index-entry.js';
import { describe, type Live, liveMessage, tasksOf } from './live-message.js';
import {
  type Change,
  changed,
  idOf,
  type LaterChange,
  newState,
  type Settled,
  type StoredChange,
  type StoredState,
  sequenceOf,
  unknownSettlements,
} from './message-state.js';
import { MessagesInUse } from './messages-in-use.js';
import { Replay } from './replay.js';

/** Changes after which the whole is stored anew, at least; with more recipients there may be more. */
const LINKS = 16;

/** Messages of one opening of the queue; their numbers are above those of all before. */
const MESSAGES_OF_AN_EPOCH = 2 ** 32;

export interface Observer {
  /** Something may be due earlier, or take less of the disk. */
  changed(): void;
  /** Something is to be done that nobody waits for. */
  background(task: () => Promise<void>): void;
  /** The disk has lost something; a copy of what is left is safe. */
  damaged(damage: QueueDamage): void;
}

/** What is done together with a `put`. */
export interface Together extends Settled {
  readonly live: Live;
  readonly applied: () => void;
}

export class StoredMessages {
  readonly index = new MessageIndex();
  readonly journal: Journal;
  readonly bodies: Bodies;
  readonly inUse = new MessagesInUse((sequence) => this.#loadOrSetAside(sequence));
  readonly #damage: Damage;
  /** Messages that the current segment says something about; those that left the queue, with their size. */
  readonly #touched = new Map<number, number>();
  readonly #departed = new Map<number, number>();
  #octets = 0;
  #sequence: number;
  readonly #observer: Observer;

  private constructor(
    parts: { readonly journal: Journal; readonly bodies: Bodies; readonly damaged: DamagedFolder },
    epoch: number,
    observer: Observer,
  ) {
    this.journal = parts.journal;
    this.bodies = parts.bodies;
    this.#damage = new Damage({ ...parts, index: this.index, tell: (damage) => observer.damaged(damage) });
    this.#sequence = epoch * MESSAGES_OF_AN_EPOCH;
    this.#observer = observer;
  }

  /** @throws {QueueUnreadableError} what is there cannot be read */
  static async open(
    files: FileSystem,
    directory: string,
    options: JournalOptions,
    observer: Observer,
  ): Promise<StoredMessages> {
    const journal = new Journal(files, directory, options);
    const bodies = new Bodies(files, directory);
    const damaged = new DamagedFolder(files, directory);
    const messages = new StoredMessages({ journal, bodies, damaged }, options.epoch, observer);
    try {
      const replay = new Replay(messages);
      await journal.open({
        summary: (json, body) => messages.#readSummary(json, body),
        record: (json, place) => replay.apply(json as StoredChange, place),
        damaged: (damage) => messages.#damage.copySegment(damage),
        summarize: () => {
          replay.forget();
          return messages.#summarize();
        },
      });
      replay.forget();
      for (const sequence of messages.index.sequencesThatAre('dropped'))
        await messages.#removeDropped(sequence);
      await messages.bodies.open(directory, (id) => messages.index.has(sequenceOf(id)));
      return messages;
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** Octets of all bodies. */
  get octets(): number {
    return this.#octets;
  }

  isDelivering(sequence: number): boolean {
    return (this.inUse.get(sequence)?.claimed.size ?? 0) > 0;
  }

  /** Lends the message to a task; undefined: there is none. */
  async use<T>(sequence: number, task: (live: Live) => T | Promise<T>): Promise<T | undefined> {
    const live = await this.inUse.borrow(sequence);
    if (live === undefined) return undefined;
    try {
      return await task(live);
    } finally {
      this.inUse.release(sequence);
    }
  }

  /** Does something to a message when what came before is done. It may have left the queue then. */
  inTurn<T>(live: Live, task: () => Promise<T>): Promise<T> {
    const running = live.turn.then(task);
    live.turn = running.catch(() => {});
    return running;
  }

  /**
   * Stores a message.
   * @param checkSize may refuse it when its body is read
   * @param together what is stored with it, or not at all; in the turn of that message
   */
  async put(
    { message, body }: MessageWithBody,
    checkSize: (size: number) => void = () => {},
    together?: Together,
  ): Promise<QueuedMessage> {
    const sequence = ++this.#sequence;
    const id = idOf(sequence);
    const gathered = await this.bodies.gather(id, body);
    const state = newState(message, { id, size: gathered.size, body: gathered.kind });
    const octets = gathered.kind === 'inline' ? gathered.octets : undefined;
    const live = liveMessage(sequence, state, 0, octets);
    try {
      checkSize(gathered.size);
      let change: StoredChange = { t: 'message', message: state };
      let settle = (_: Place) => {};
      if (together !== undefined) {
        const { live: settled, id, settlements, applied } = together;
        const next = changed(settled.state, { t: 'settled', id, settlements });
        change = { ...change, settles: { id, settlements, ...this.#linkTo(settled) } };
        settle = (place) => {
          applied();
          this.#apply(settled, next, place);
        };
      }
      const applied = (place: Place) => {
        this.#octets += state.size;
        this.inUse.wasPut(live, place.octets);
        this.#setIndex(live, place, place, (message.due ?? message.now) <= message.now);
        settle(place);
      };
      await this.journal.append(change, applied, octets);
    } catch (error) {
      if (gathered.kind === 'file') await this.bodies.remove(id);
      throw error;
    }
    this.#observer.changed();
    return describe(live);
  }

  /** Stores a change of a message, and applies it once it is safe. In the message's turn only. */
  async change(live: Live, change: LaterChange, also: () => void = () => {}): Promise<void> {
    const next = changed(live.state, change);
    const isWholeDue = next !== undefined && live.links >= Math.max(LINKS, 2 * live.domains.length);
    // With a body that is damaged, which is met when that is read, it goes on as it is.
    if (!isWholeDue || !(await unlessDamaged(this.#storeWhole(live, next, also)))) {
      await this.journal.append({ ...change, ...this.#linkTo(live) } satisfies StoredChange, (place) => {
        also();
        this.#apply(live, next, place);
      });
    }
    this.#observer.changed();
  }

  /** After a claim has begun or ended: it says when the rest is due, or lets a dropped message go. Nothing is stored. */
  reschedule(live: Live): void {
    const entry = this.index.get(live.sequence);
    if (entry === undefined || live.isGone) return;
    if (live.state.dropped && live.claimed.size === 0) this.#dismiss(live);
    else this.index.set(entry, tasksOf(live));
  }

  /** Settles what may have been sent without anybody having said what came of it. In the message's turn only. */
  async settleAsUnknown(live: Live, places: Iterable<number>, why: string): Promise<void> {
    const reason = `${why} after the final dot may have been sent; the message may have been delivered`;
    const settlements: readonly Settlement[] = unknownSettlements(live.state, places, reason);
    if (settlements.length > 0) await this.change(live, { t: 'settled', id: live.state.id, settlements });
  }

  /** Stores a message anew, if its home is in this segment. */
  async copyForward(sequence: number, segment: number): Promise<void> {
    await this.use(sequence, (live) =>
      this.inTurn(live, async () => {
        if (live.isGone || this.index.get(sequence)?.home.segment !== segment) return;
        await this.#storeWhole(live, live.state).catch((error) => this.#setAsideInUse(live, error));
      }),
    );
  }

  /** The body of a message that is in its record; undefined: the message has left the queue. */
  async inlineBody(live: Live): Promise<Uint8Array | undefined> {
    if (live.isGone) return undefined;
    // Whoever reads it may write into it.
    if (live.body !== undefined) return Buffer.from(live.body);
    for (;;) {
      const home = this.index.get(live.sequence)?.home;
      if (home === undefined) return undefined;
      try {
        return await this.journal.readBody(home);
      } catch (error) {
        // Its segment may have been removed just then: the message has moved to another one, or left the queue.
        const now = this.index.get(live.sequence)?.home;
        if (now?.segment === home.segment && now.offset === home.offset) throw error;
      }
    }
  }

  /** Reads a message: its last record, those before it, and so on to the one with the whole state. */
  async load(sequence: number): Promise<Live> {
    const id = idOf(sequence);
    const changes: Change[] = [];
    let at = this.index.get(sequence)?.last as Spot;
    for (;;) {
      const change = (await this.journal.read(at)) as Exclude<StoredChange, { t: 'setAside' }>;
      if (change.t !== 'message') {
        changes.push(change);
        at = change.prev;
      } else if (change.message.id !== id && change.settles !== undefined) {
        changes.push({ t: 'settled', ...change.settles });
        at = change.settles.prev;
      } else {
        const state = changes.reduceRight((before, each) => changed(before, each) ?? before, change.message);
        return liveMessage(sequence, state, changes.length);
      }
    }
  }

  /** The body of a message in its record is damaged: the message leaves the queue after the claims that are out. */
  setAside(live: Live, damage: DamagedRecordError): Promise<void> {
    return this.inTurn(live, () => this.#setAsideInUse(live, damage));
  }

  /** @throws what is no damage */
  async #setAsideInUse(live: Live, error: unknown): Promise<void> {
    if (!(error instanceof DamagedRecordError)) throw error;
    if (live.isGone || live.state.dropped) return;
    const copy = await this.#damage.copy(live.sequence, error);
    await this.change(live, { t: 'dropped', id: live.state.id });
    this.#damage.tellOfMessage(error, live.state.id, copy);
  }

  async #loadOrSetAside(sequence: number): Promise<Live | undefined> {
    if (!this.index.has(sequence)) return undefined;
    try {
      return await this.load(sequence);
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      const id = idOf(sequence);
      const copy = await this.#damage.copy(sequence, error);
      const size = this.#touched.get(sequence) ?? (await this.#damage.sizeOfBody(sequence));
      await this.journal.append({ t: 'setAside', id, size } satisfies StoredChange, () =>
        this.depart(sequence, size),
      );
      await this.bodies.remove(id);
      this.#damage.tellOfMessage(error, id, copy);
      this.#observer.changed();
      return undefined;
    }
  }

  async #storeWhole(live: Live, state: StoredState, also: () => void = () => {}): Promise<void> {
    const { home } = this.index.get(live.sequence) as IndexEntry;
    const body = state.body === 'inline' ? (live.body ?? (await this.journal.readBody(home))) : undefined;
    const applied = (place: Place) => {
      also();
      live.links = 0;
      this.#apply(live, state, place, place);
    };
    await this.journal.append({ t: 'message', message: state } satisfies StoredChange, applied, body);
  }

  #linkTo({ sequence, links }: Live) {
    const { last } = this.index.get(sequence) as IndexEntry;
    return { prev: last, links: links + 1 };
  }

  /** @param home if it is a new one */
  #apply(live: Live, state: StoredState | undefined, place: Place, home?: Place): void {
    if (state === undefined || (state.dropped && live.claimed.size === 0)) {
      this.#dismiss(live);
      return;
    }
    live.state = state;
    if (home === undefined) live.links++;
    const { segment, offset } = place;
    const known = this.index.get(live.sequence) as IndexEntry;
    this.#setIndex(live, home ?? known.home, { segment, offset });
  }

  #setIndex(live: Live, home: Place, last: Spot, isReady = false): void {
    this.setIndex(entryOf(live, home, last), live, isReady);
  }

  setIndex(entry: IndexEntry, live: Live, isReady = false): void {
    this.#touched.set(live.sequence, live.state.size);
    this.index.set(entry, tasksOf(live), isReady);
  }

  #dismiss(live: Live): void {
    if (live.isGone) return;
    live.isGone = true;
    this.inUse.wasDismissed(live);
    this.depart(live.sequence, live.state.size);
    const { id, body } = live.state;
    if (body === 'file') this.#observer.background(() => this.bodies.remove(id));
  }

  depart(sequence: number, size: number): void {
    if (!this.index.delete(sequence)) return;
    this.#octets -= size;
    this.#touched.delete(sequence);
    this.#departed.set(sequence, size);
  }

  arrive(size: number): void {
    this.#octets += size;
  }

  /** It was dropped while a claim was out, which ended with the process. */
  async #removeDropped(sequence: number): Promise<void> {
    await this.use(sequence, (live) => this.#dismiss(live));
  }

  #readSummary(json: unknown, body: Buffer): void {
    readSummary(json, body, {
      entry: (entry, size, tasks) => {
        // Its home was removed since: it has another one in a later segment, or has left the queue.
        if (!this.journal.hasSegment(entry.home.segment)) return;
        if (this.index.set(entry, tasks)) this.#octets += size;
      },
      departed: ({ sequence, size }) => {
        if (this.index.delete(sequence)) this.#octets -= size;
      },
    });
  }

  #summarize(): ReturnType<JournalContent['summarize']> {
    const departed = [...this.#departed].map(([sequence, size]) => ({ sequence, size }));
    const entries = [...this.#touched].flatMap(([sequence, size]): SummaryEntry[] => {
      const entry = this.index.get(sequence);
      if (entry === undefined) return [];
      // What is claimed is in no order, and due all the same.
      const live = this.inUse.get(sequence);
      const tasks = live === undefined ? this.index.tasksOf(sequence) : dueTasks(live);
      return [{ entry, size, tasks }];
    });
    this.#touched.clear();
    this.#departed.clear();
    return encodeSummary({ entries, departed });
  }
}

function dueTasks(live: Live): SummaryEntry['tasks'] {
  return tasksOf({ ...live, claimed: new Map() });
}
