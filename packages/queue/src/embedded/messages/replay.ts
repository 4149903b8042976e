/** Reads records that no summary tells of, when the queue is opened. */
import { QueueUnreadableError } from '../../contract/errors.js';
import type { Place } from '../journal/segment.js';
import { entryOf } from './index-entry.js';
import { type Live, liveMessage } from './live-message.js';
import { changed, type LaterChange, type StoredChange, sequenceOf } from './message-state.js';
import type { StoredMessages } from './stored-messages.js';

export class Replay {
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
    if (change.t === 'setAside') return this.#depart(sequenceOf(change.id), change.size);
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
    const live = this.#lives.get(sequence) ?? (await this.#load(sequence));
    if (live === undefined) return;
    const state = changed(live.state, change);
    if (state === undefined) return this.#depart(sequence, live.state.size);
    live.state = state;
    live.links++;
    this.#lives.set(sequence, live);
    this.#messages.setIndex(entryOf(live, known.home, place), live);
  }

  /** Undefined: a record of it is damaged. The index goes on to name that one, so that whoever uses the message meets it. */
  async #load(sequence: number): Promise<Live | undefined> {
    try {
      return await this.#messages.load(sequence);
    } catch (error) {
      if (error instanceof QueueUnreadableError) return undefined;
      throw error;
    }
  }

  #depart(sequence: number, size: number): void {
    this.#lives.delete(sequence);
    this.#messages.depart(sequence, size);
  }
}
