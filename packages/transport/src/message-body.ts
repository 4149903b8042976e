/**
 * The mail data between a session, which pushes it, and a handler, which pulls it.
 *
 * - Bounded: `isFull` tells the driver to stop reading from the peer, and `onRoom` that it may go on. Small pieces that
 *   wait are joined: a hundred thousand of an octet each would cost a hundred times what is in them.
 * - Its end is told only to a reader that was given the whole message, or that left it by itself. A part must never
 *   pass for the whole: it might be kept.
 */
import { Gathering } from './gathering.js';
import { MailDataAbandonedError } from './handlers.js';

/** Octets that may wait for the reader before the peer is held back. */
const HIGH_WATER_OCTETS = 131_072;

/** A piece under it is copied behind those that wait, one over it waits as it is. */
const SMALL_OCTETS = 4096;

type Result = IteratorResult<Uint8Array, undefined>;

interface Reader {
  resolve(result: Result): void;
  reject(error: Error): void;
}

const DONE: Result = { done: true, value: undefined };

export class MessageBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #onRoom: () => void;
  #chunks: Uint8Array[] = [];
  #octets = 0;
  /** The small pieces behind `#chunks`. */
  readonly #small = new Gathering();
  /** `left`: by its reader. */
  #state: 'open' | 'complete' | 'left' | MailDataAbandonedError['reason'] = 'open';
  #begun = false;
  /** Those that wait for what is not here yet; more than one if the reader does not wait for each. */
  #readers: Reader[] = [];

  constructor(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  get isFull(): boolean {
    return this.#octets >= HIGH_WATER_OCTETS;
  }

  push(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: chunk });
      return;
    }
    this.#octets += chunk.length;
    const waiting = this.#chunks.length > 0 || this.#small.length > 0;
    if (waiting && chunk.length < SMALL_OCTETS) {
      this.#small.add(chunk);
      return;
    }
    if (this.#small.length > 0) this.#chunks.push(this.#small.take());
    this.#chunks.push(chunk);
  }

  /** The mail data is complete. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'complete';
    this.#settleReaders((reader) => reader.resolve(DONE));
  }

  /** The message will not be completed: what waits is dropped, and the reader gets the error. */
  abandon(reason: MailDataAbandonedError['reason']): void {
    if (this.#state === 'open') this.#fail(reason);
  }

  /** The handler has settled: nobody should read on, and what nobody has read is dropped. */
  drop(): void {
    if (this.#state === 'open' || this.#octets > 0) this.#fail('dropped');
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    if (this.#begun) throw new Error('The body of a message can be read once only');
    this.#begun = true;
    return this;
  }

  next(): Promise<Result> {
    const chunk = this.#chunks.shift() ?? (this.#small.length > 0 ? this.#small.take() : undefined);
    if (chunk !== undefined) {
      const wasFull = this.isFull;
      this.#octets -= chunk.length;
      if (wasFull && !this.isFull) this.#onRoom();
      return Promise.resolve({ done: false, value: chunk });
    }
    switch (this.#state) {
      case 'open':
        return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
      case 'complete':
      case 'left':
        return Promise.resolve(DONE);
      default:
        return Promise.reject(new MailDataAbandonedError(this.#state));
    }
  }

  /** Leaving a `for await` early says that the rest is not wanted. */
  return(): Promise<Result> {
    if (this.#state === 'open' || this.#state === 'complete') {
      this.#state = 'left';
      this.#empty();
      this.#settleReaders((reader) => reader.resolve(DONE));
    }
    return Promise.resolve(DONE);
  }

  #fail(reason: MailDataAbandonedError['reason']): void {
    this.#state = reason;
    this.#empty();
    this.#settleReaders((reader) => reader.reject(new MailDataAbandonedError(reason)));
  }

  #empty(): void {
    const wasFull = this.isFull;
    this.#chunks = [];
    this.#small.take();
    this.#octets = 0;
    if (wasFull) this.#onRoom();
  }

  #settleReaders(settle: (reader: Reader) => void): void {
    const readers = this.#readers;
    this.#readers = [];
    readers.forEach(settle);
  }
}
