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
import type { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { MessageWithBody, QueuedMessage, Settlement } from '../contract/messages.js';
import { Bodies } from './bodies.js';
import type { FileSystem } from './disk/file-system.js';
import { type IndexEntry, MessageIndex, type Spot } from './index/message-index.js';
import { encodeSummary, readSummary, type SummaryEntry } from './index/summary.js';
import { Journal, type JournalContent, type JournalOptions } from './journal/journal.js';
import type { Place } from './journal/segment.js';
import { describe, type Live, liveMessage, tasksOf } from './live-message.js';
import {
  type Change,
  changed,
  idOf,
  newState,
  type Settled,
  type StoredChange,
  type StoredState,
  sequenceOf,
  unknownSettlements,
} from './message-state.js';

/** Changes after which the whole is stored anew, at least; with more recipients there may be more. */
const LINKS = 16;

/** Messages of one opening of the queue; their numbers are above those of all before. */
const MESSAGES_OF_AN_EPOCH = 2 ** 32;

type LaterChange = Exclude<Change, { t: 'message' }>;

interface InUse {
  uses: number;
  readonly loading: Promise<Live>;
  live?: Live;
}

export interface Observer {
  /** Something may be due earlier, or take less of the disk. */
  changed(): void;
  /** Something is to be done that nobody waits for. */
  background(task: () => Promise<void>): void;
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
  readonly #inUse = new Map<number, InUse>();
  /** Messages that the current segment says something about; those that left the queue, with their size. */
  readonly #touched = new Map<number, number>();
  readonly #departed = new Map<number, number>();
  #octets = 0;
  #sequence: number;
  readonly #observer: Observer;

  private constructor(journal: Journal, bodies: Bodies, epoch: number, observer: Observer) {
    this.journal = journal;
    this.bodies = bodies;
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
    const messages = new StoredMessages(journal, new Bodies(files, directory), options.epoch, observer);
    try {
      const replay = new Replay(messages);
      await journal.open({
        summary: (json, body) => messages.#readSummary(json, body),
        record: (json, place) => replay.apply(json as StoredChange, place),
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

  /** Messages of which a claim is out. */
  get delivering(): readonly Live[] {
    return [...this.#inUse.values()].flatMap(({ live }) =>
      live !== undefined && live.claimed.size > 0 && !live.isGone ? [live] : [],
    );
  }

  isDelivering(sequence: number): boolean {
    return (this.#inUse.get(sequence)?.live?.claimed.size ?? 0) > 0;
  }

  /**
   * The message, for as long as it is not returned by `release()`; undefined: there is none.
   * @throws the system's error, or `QueueUnreadableError`
   */
  async borrow(sequence: number): Promise<Live | undefined> {
    let inUse = this.#inUse.get(sequence);
    if (inUse === undefined) {
      if (!this.index.has(sequence)) return undefined;
      const one: InUse = {
        uses: 0,
        loading: this.load(sequence).then((live) => {
          one.live = live;
          return live;
        }),
      };
      inUse = one;
      this.#inUse.set(sequence, one);
    }
    inUse.uses++;
    try {
      const live = await inUse.loading;
      if (!live.isGone) return live;
    } catch (error) {
      this.release(sequence);
      throw error;
    }
    this.release(sequence);
    return undefined;
  }

  release(sequence: number): void {
    const inUse = this.#inUse.get(sequence);
    if (inUse !== undefined && --inUse.uses === 0) this.#inUse.delete(sequence);
  }

  /** Lends the message to a task; undefined: there is none. */
  async use<T>(sequence: number, task: (live: Live) => T | Promise<T>): Promise<T | undefined> {
    const live = await this.borrow(sequence);
    if (live === undefined) return undefined;
    try {
      return await task(live);
    } finally {
      this.release(sequence);
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
    const live = liveMessage(sequence, state);
    const octets = gathered.kind === 'inline' ? gathered.octets : undefined;
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
    if (next !== undefined && live.links >= Math.max(LINKS, 2 * live.domains.length)) {
      await this.#storeWhole(live, next, also);
    } else {
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
        await this.#storeWhole(live, live.state);
      }),
    );
  }

  /** The body of a message that is in its record; undefined: the message has left the queue. */
  async inlineBody(live: Live): Promise<Uint8Array | undefined> {
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
      const change = (await this.journal.read(at)) as StoredChange;
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

  async #storeWhole(live: Live, state: StoredState, also: () => void = () => {}): Promise<void> {
    const { home } = this.index.get(live.sequence) as IndexEntry;
    const body = state.body === 'inline' ? await this.journal.readBody(home) : undefined;
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
      const live = this.#inUse.get(sequence)?.live;
      const tasks = live === undefined ? this.index.tasksOf(sequence) : dueTasks(live);
      return [{ entry, size, tasks }];
    });
    this.#touched.clear();
    this.#departed.clear();
    return encodeSummary({ entries, departed });
  }
}

/** Reads records that no summary tells of. */
class Replay {
  readonly #messages: StoredMessages;
  /** What was read or changed since the last summary. */
  readonly #lives = new Map<number, Live>();

  constructor(messages: StoredMessages) {
    this.#messages = messages;
  }

  forget(): void {
    this.#lives.clear();
  }

  async apply(change: StoredChange, place: Place): Promise<void> {
    if (change.t !== 'message') return this.#applyLater(change, change.id, place);
    const { message, settles } = change;
    const live = liveMessage(sequenceOf(message.id), message);
    if (!this.#messages.index.has(live.sequence)) this.#messages.arrive(message.size);
    this.#lives.set(live.sequence, live);
    this.#messages.setIndex(entryOf(live, place, place), live);
    if (settles !== undefined) await this.#applyLater({ t: 'settled', ...settles }, settles.id, place);
  }

  async #applyLater(change: LaterChange, id: string, place: Place): Promise<void> {
    const sequence = sequenceOf(id);
    const known = this.#messages.index.get(sequence);
    // Of a message whose home was removed since.
    if (known === undefined) return;
    const live = this.#lives.get(sequence) ?? (await this.#messages.load(sequence));
    const state = changed(live.state, change);
    if (state === undefined) {
      this.#lives.delete(sequence);
      this.#messages.depart(sequence, live.state.size);
      return;
    }
    live.state = state;
    live.links++;
    this.#lives.set(sequence, live);
    this.#messages.setIndex(entryOf(live, known.home, place), live);
  }
}

function entryOf({ sequence, state }: Live, home: Place, last: Spot): IndexEntry {
  const { arrived, held, dropped, sender, envelope, recipients } = state;
  const committing = recipients.some(({ committingSince }) => committingSince !== undefined);
  const priority = envelope.parameters?.mtPriority ?? 0;
  return { sequence, arrived, home, last, held, dropped, committing, priority, sender: numberOf(sender) };
}

function dueTasks(live: Live): SummaryEntry['tasks'] {
  return tasksOf({ ...live, claimed: new Map() });
}

/** A number that stands for a sender; two that have the same share their turn. */
function numberOf(sender: string): number {
  return createHash('sha256').update(sender).digest().readUInt32LE();
}
