/**
 * The mail data between a session, which pushes it, and a handler, which pulls it.
 *
 * - Bounded: `isFull` tells the driver to stop reading from the peer, and `onRoom` that it may go on. Small pieces that
 *   wait are joined: a hundred thousand of an octet each would cost a hundred times what is in them.
 * - Its end is told only to a reader that was given the whole message, or that left it by itself. A part must never
 *   pass for the whole: it might be kept.
 * - Of octets that are lent, what waits and what is read is copied; what nobody wants any more is not.
 * - Read in one way, once. The branches of a `tee()` are bodies of their own, and this one hands on what comes; it is
 *   full while one of them is.
 * - Whoever takes it for a text or an array gets an error, and not an empty message to acknowledge.
 */
import { Gathering } from '../streams/gathering.js';
import { type WebStream, type WebStreamReader, webStreamOf } from '../streams/web-stream.js';
import { type IncomingBody, MailDataAbandonedError } from './handlers.js';

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

const NO_BRANCHES: readonly MessageBody[] = [];

export class MessageBody implements IncomingBody, AsyncIterator<Uint8Array, undefined> {
  readonly #onRoom: () => void;
  readonly #isLent: boolean;
  #chunks: Uint8Array[] = [];
  #octets = 0;
  /** The small pieces behind `#chunks`. */
  readonly #small = new Gathering();
  /** `left`: by its reader. */
  #state: 'open' | 'complete' | 'left' | MailDataAbandonedError['reason'] = 'open';
  #begun = false;
  #branches: readonly MessageBody[] = NO_BRANCHES;
  #readable: WebStream | undefined;
  /** Those that wait for what is not here yet; more than one if the reader does not wait for each. */
  #readers: Reader[] = [];

  /** @param isLent the arrays that are pushed will be used again by whoever pushes them */
  constructor(onRoom: () => void, isLent = false) {
    this.#onRoom = onRoom;
    this.#isLent = isLent;
  }

  get isFull(): boolean {
    if (this.#octets >= HIGH_WATER_OCTETS) return true;
    return this.#branches !== NO_BRANCHES && this.#branches.some((branch) => branch.isFull);
  }

  push(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    if (this.#branches.length > 0) {
      this.#handOn(chunk);
      return;
    }
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: this.#own(chunk) });
      return;
    }
    this.#octets += chunk.length;
    const waiting = this.#chunks.length > 0 || this.#small.length > 0;
    if (waiting && chunk.length < SMALL_OCTETS) {
      this.#small.add(chunk);
      return;
    }
    if (this.#small.length > 0) this.#chunks.push(this.#small.take());
    this.#chunks.push(this.#own(chunk));
  }

  /** The chunk in an array that is the reader's to keep. */
  #own(chunk: Uint8Array): Uint8Array {
    return this.#isLent ? new Uint8Array(chunk) : chunk;
  }

  /** The mail data is complete. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'complete';
    for (const branch of this.#branches) branch.end();
    this.#settleReaders((reader) => reader.resolve(DONE));
  }

  /** The message will not be completed: what waits is dropped, and the reader gets the error. */
  abandon(reason: MailDataAbandonedError['reason']): void {
    for (const branch of this.#branches) branch.abandon(reason);
    if (this.#state === 'open') this.#fail(reason);
  }

  /** The handler has settled: nobody should read on, and what nobody has read is dropped. */
  drop(): void {
    for (const branch of this.#branches) branch.drop();
    if (this.#state === 'open' || this.#octets > 0) this.#fail('dropped');
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    this.#begin();
    return this;
  }

  get readable(): WebStream {
    this.#readable ??= webStreamOf(this);
    return this.#readable;
  }

  getReader(): WebStreamReader {
    return this.readable.getReader();
  }

  tee(): [IncomingBody, IncomingBody] {
    this.#begin();
    const onRoom = () => {
      if (!this.isFull) this.#onRoom();
    };
    const branches: [MessageBody, MessageBody] = [new MessageBody(onRoom), new MessageBody(onRoom)];
    const waiting = this.#chunks;
    if (this.#small.length > 0) waiting.push(this.#small.take());
    this.#branches = branches;
    this.#chunks = [];
    this.#octets = 0;
    for (const chunk of waiting) this.#handOn(chunk);
    if (this.#state === 'complete') for (const branch of branches) branch.end();
    else if (this.#state !== 'open' && this.#state !== 'left') {
      for (const branch of branches) branch.abandon(this.#state);
    }
    return branches;
  }

  /** What makes an array of an object asks for this first, and would make an empty one. */
  get length(): never {
    throw misread('has no length');
  }

  [Symbol.toPrimitive](): never {
    throw misread('is no text');
  }

  toJSON(): never {
    throw misread('is no text');
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

  #begin(): void {
    if (this.#begun) {
      throw new Error(
        'The body of a message can be read once only: tee() makes two of it, before it is read',
      );
    }
    this.#begun = true;
  }

  /** Each branch may write into what it is given. */
  #handOn(chunk: Uint8Array): void {
    const [first, second] = this.#branches;
    // Not by slice(), which of Node's buffers gives a view.
    second?.push(new Uint8Array(chunk));
    first?.push(this.#own(chunk));
  }

  #fail(reason: MailDataAbandonedError['reason']): void {
    this.#state = reason;
    if (this.#octets > 0) this.#empty();
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
    if (readers.length === 0) return;
    this.#readers = [];
    readers.forEach(settle);
  }
}

function misread(what: string): TypeError {
  return new TypeError(
    `The body of a message ${what}: read it by \`for await\`, or pass on body.readable or Readable.from(body)`,
  );
}
