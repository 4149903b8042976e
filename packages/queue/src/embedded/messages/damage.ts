/** What is done where the disk has lost a part of what was synced: what is left is copied, and somebody is told. */
import { Buffer } from 'node:buffer';
import type { Bodies } from '../bodies/bodies.js';
import type { DamagedFolder, QueueDamage } from '../damaged-folder.js';
import type { IndexEntry, MessageIndex } from '../index/message-index.js';
import { DamagedRecordError } from '../journal/damaged-record-error.js';
import type { Journal } from '../journal/journal.js';
import { readHeader } from '../journal/record.js';
import type { SegmentDamage } from '../journal/segment.js';
import { idOf } from './message-state.js';

/** Octets of a damaged change that are copied: it may say falsely how long it is. */
const COPIED_OF_A_CHANGE = 2048;

interface Parts {
  readonly journal: Journal;
  readonly bodies: Bodies;
  readonly damaged: DamagedFolder;
  readonly index: MessageIndex;
  readonly tell: (damage: QueueDamage) => void;
}

export class Damage {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Copies the home of a message, the record that is damaged if that is another one, and a body in a file. Resolves with the path. */
  async copy(sequence: number, { segment, offset }: DamagedRecordError): Promise<string> {
    const { journal, bodies, damaged } = this.#parts;
    const home = this.#homeOf(sequence);
    const isHome = home.segment === segment && home.offset === offset;
    const places = isHome ? [home] : [home, { segment, offset, octets: COPIED_OF_A_CHANGE }];
    const id = idOf(sequence);
    async function* pieces() {
      for (const place of places) yield await journal.readOctets(place);
      if (await bodies.has(id)) yield* bodies.read(id);
    }
    return damaged.store(id, pieces());
  }

  /** Octets of the body of a message whose record cannot be read. */
  async sizeOfBody(sequence: number): Promise<number> {
    const { journal, bodies } = this.#parts;
    const id = idOf(sequence);
    if (await bodies.has(id)) return bodies.size(id);
    const home = this.#homeOf(sequence);
    // Where this number is what was damaged, `octets` of the queue is wrong by as much until that is empty.
    const { bodyLength } = readHeader(Buffer.from(await journal.readOctets(home)));
    return Math.min(bodyLength, home.octets);
  }

  tellOfMessage({ path, offset, message }: DamagedRecordError, id: string, copy: string): void {
    const words =
      `${message}. Message ${id} is not delivered any more; what is left of it is in ${copy}: ` +
      'find its sender and its recipients there, and deliver it by hand or tell them';
    this.#parts.tell({ path, offset, id, copy, message: words });
  }

  /** Once: a segment stays until what else is in it was delivered, and is read whenever the queue is opened. */
  async copySegment({ path, name, offset, size, read }: SegmentDamage): Promise<void> {
    const { damaged, tell } = this.#parts;
    if (await damaged.has(name, size)) return;
    const copy = await damaged.store(name, read());
    const words =
      `${path} is damaged after octet ${offset} of ${size}: the disk has lost what was synced to it. What could be read ` +
      `of it is delivered; a copy is in ${copy}: look there for messages that the queue does not list`;
    tell({ path, offset, copy, message: words });
  }

  #homeOf(sequence: number): IndexEntry['home'] {
    return (this.#parts.index.get(sequence) as IndexEntry).home;
  }
}

/** False: what it would have read is damaged, and nothing was done. */
export async function unlessDamaged(task: Promise<void>): Promise<boolean> {
  try {
    await task;
    return true;
  } catch (error) {
    if (error instanceof DamagedRecordError) return false;
    throw error;
  }
}
