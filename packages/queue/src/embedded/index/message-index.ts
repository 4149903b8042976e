/**
 * What is in memory of each message: where it stands in the journal, and when it is due in which domain. 86 octets for one to
 * a single domain; the envelope and what became of its recipients are read from the journal when they are needed.
 */
import type { Place } from '../journal/segment.js';
import { Column, Rows } from './column.js';
import { DueOrder, type OrderedTask, type Task, type Urgency } from './due-order.js';
import { SequenceMap } from './sequence-map.js';

/** Where a record begins. */
export type Spot = Pick<Place, 'segment' | 'offset'>;

/** What is stored of a message that may be asked without reading it. */
export interface Flags {
  readonly held: boolean;
  readonly dropped: boolean;
  /** The final dot may have been sent to a recipient, and nothing was settled since. */
  readonly committing: boolean;
}

export interface IndexEntry extends Urgency, Flags {
  /** The number of which the ID is made. */
  readonly sequence: number;
  readonly arrived: number;
  /** The record with its whole state and its body. */
  readonly home: Place;
  /** The last record about it. */
  readonly last: Spot;
}

const HELD = 1;
const DROPPED = 2;
const COMMITTING = 4;

export class MessageIndex {
  readonly order = new DueOrder();
  readonly #rows = new Rows();
  readonly #sequence = new Column(Float64Array);
  readonly #arrived = new Column(Float64Array);
  readonly #homeSegment = new Column(Uint32Array);
  readonly #homeOffset = new Column(Uint32Array);
  readonly #homeOctets = new Column(Uint32Array);
  readonly #lastSegment = new Column(Uint32Array);
  readonly #lastOffset = new Column(Uint32Array);
  readonly #flags = new Column(Uint8Array);
  readonly #bySequence = new SequenceMap(this.#sequence);
  /** Segment → how many messages have their home in it. */
  readonly #residents = new Map<number, number>();
  #aliveOctets = 0;
  #held = 0;

  get size(): number {
    return this.#bySequence.size;
  }

  /** Messages that are held. */
  get held(): number {
    return this.#held;
  }

  /** Octets of all homes. */
  get aliveOctets(): number {
    return this.#aliveOctets;
  }

  has(sequence: number): boolean {
    return this.#bySequence.get(sequence) !== undefined;
  }

  get(sequence: number): IndexEntry | undefined {
    const row = this.#bySequence.get(sequence);
    return row === undefined ? undefined : this.#entry(row);
  }

  /**
   * @param isReady as in `DueOrder`
   * @returns whether it is new
   */
  set(entry: IndexEntry, tasks: readonly OrderedTask[], isReady = false): boolean {
    const { sequence, arrived, home, last, held, dropped, committing } = entry;
    const known = this.#bySequence.get(sequence);
    const row = known ?? this.#rows.take();
    if (known === undefined) {
      this.#sequence.set(row, sequence);
      this.#bySequence.add(row);
      this.order.add(row, entry);
    } else this.#moveOut(row);
    this.#arrived.set(row, arrived);
    this.#homeSegment.set(row, home.segment);
    this.#homeOffset.set(row, home.offset);
    this.#homeOctets.set(row, home.octets);
    this.#lastSegment.set(row, last.segment);
    this.#lastOffset.set(row, last.offset);
    this.#flags.set(row, (held ? HELD : 0) | (dropped ? DROPPED : 0) | (committing ? COMMITTING : 0));
    this.#moveIn(row);
    this.order.set(row, tasks, isReady);
    return known === undefined;
  }

  /** Returns whether it was there. */
  delete(sequence: number): boolean {
    const row = this.#bySequence.get(sequence);
    if (row === undefined) return false;
    this.#moveOut(row);
    this.order.set(row, []);
    this.#bySequence.delete(sequence);
    this.#rows.giveBack(row);
    // So that whoever looks at all rows passes it over.
    this.#sequence.set(row, 0);
    return true;
  }

  tasksOf(sequence: number): readonly Task[] {
    const row = this.#bySequence.get(sequence);
    return row === undefined ? [] : [...this.order.tasksOf(row)];
  }

  /** A task that is due; it is out of the order until the message is set anew. */
  take(now: number, isWanted: (domain: string) => boolean): { sequence: number; domain: string } | undefined {
    const taken = this.order.take(now, isWanted);
    return taken && { sequence: this.#sequence.get(taken.message), domain: taken.domain };
  }

  /** A task that was taken, and that nobody could make use of. */
  putBack({ sequence, domain }: { readonly sequence: number; readonly domain: string }): void {
    const row = this.#bySequence.get(sequence);
    if (row !== undefined) this.order.putBack(row, domain);
  }

  residentsOf(segment: number): number {
    return this.#residents.get(segment) ?? 0;
  }

  /** Those that have their home in a segment. */
  sequencesIn(segment: number): readonly number[] {
    return this.#select((row) => this.#homeSegment.get(row) === segment).map((row) =>
      this.#sequence.get(row),
    );
  }

  /** Those of which this flag is set. */
  sequencesThatAre(flag: keyof Flags): readonly number[] {
    const bit = { held: HELD, dropped: DROPPED, committing: COMMITTING }[flag];
    return this.#select((row) => (this.#flags.get(row) & bit) !== 0).map((row) => this.#sequence.get(row));
  }

  /** All, the oldest first. */
  sequencesByArrival(): readonly number[] {
    const rows = this.#select(() => true);
    rows.sort((one, other) => {
      const later = this.#arrived.get(one) - this.#arrived.get(other);
      return later === 0 ? this.#sequence.get(one) - this.#sequence.get(other) : later;
    });
    return rows.map((row) => this.#sequence.get(row));
  }

  /** When the oldest that waits and the oldest that is held arrived. @param isLeftOut which count as neither */
  oldest(isLeftOut: (sequence: number) => boolean): { waiting?: number; held?: number } {
    const oldest: { waiting?: number; held?: number } = {};
    for (let row = 0; row < this.#rows.end; row++) {
      const sequence = this.#sequence.get(row);
      if (sequence === 0) continue;
      const state = (this.#flags.get(row) & HELD) === 0 ? 'waiting' : 'held';
      const arrived = this.#arrived.get(row);
      if (arrived < (oldest[state] ?? Number.POSITIVE_INFINITY) && !isLeftOut(sequence))
        oldest[state] = arrived;
    }
    return oldest;
  }

  #entry(row: number): IndexEntry {
    const flags = this.#flags.get(row);
    return {
      ...this.order.urgencyOf(row),
      sequence: this.#sequence.get(row),
      arrived: this.#arrived.get(row),
      home: {
        segment: this.#homeSegment.get(row),
        offset: this.#homeOffset.get(row),
        octets: this.#homeOctets.get(row),
      },
      last: { segment: this.#lastSegment.get(row), offset: this.#lastOffset.get(row) },
      held: (flags & HELD) !== 0,
      dropped: (flags & DROPPED) !== 0,
      committing: (flags & COMMITTING) !== 0,
    };
  }

  #select(isWanted: (row: number) => boolean): number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.#rows.end; row++) {
      if (this.#sequence.get(row) !== 0 && isWanted(row)) rows.push(row);
    }
    return rows;
  }

  #moveIn(row: number): void {
    const segment = this.#homeSegment.get(row);
    this.#residents.set(segment, this.residentsOf(segment) + 1);
    this.#aliveOctets += this.#homeOctets.get(row);
    if ((this.#flags.get(row) & HELD) !== 0) this.#held++;
  }

  #moveOut(row: number): void {
    const segment = this.#homeSegment.get(row);
    const left = this.residentsOf(segment) - 1;
    if (left > 0) this.#residents.set(segment, left);
    else this.#residents.delete(segment);
    this.#aliveOctets -= this.#homeOctets.get(row);
    if ((this.#flags.get(row) & HELD) !== 0) this.#held--;
  }
}
