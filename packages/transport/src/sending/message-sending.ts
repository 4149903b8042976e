/**
 * A message on its way to the session: pulled only as fast as the stream and the session take it, and handed over in pieces.
 * It knows nothing of the protocol, and nothing of what becomes of the message.
 */
import { encodeText, kindOf } from '@sansmtp/core';
import type { MessageSource, SessionSendOptions } from './client-connection.js';

/** Where the message goes. */
export interface MessageOutlet {
  /** The stream or the session takes no more of it now. `resume()` is called when that changes. */
  readonly isFull: boolean;
  /** To whom the message may still go, by their places in the envelope. */
  readonly undecided: readonly number[];
  /**
   * @param bytes the next of the message; undefined: that was all
   * @param endFollows the end of the message follows, and may go out with it
   */
  handOver(bytes: Uint8Array | undefined, endFollows: boolean): void;
  /** Writes what was handed over and waits for the end. */
  flush(): void;
}

/**
 * Octets of a message that are handed to the session at once: how long they may take on their way is limited for each
 * such piece (RFC 5321 §4.5.3.2.5). As many wait at the message's end, so as to go out with it in one write.
 */
export const MAXIMUM_PIECE_OCTETS = 65_536;

export class MessageSending {
  readonly #message: MessageSource;
  readonly #beforeFinalDot: SessionSendOptions['beforeFinalDot'];
  readonly #outlet: MessageOutlet;
  #isBegun = false;
  /** The message was decided upon: no more of it is wanted. */
  #isOver = false;
  /** The body, from its first chunk to its last. */
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #goOn: (() => void) | undefined;

  constructor(
    message: MessageSource,
    beforeFinalDot: SessionSendOptions['beforeFinalDot'],
    outlet: MessageOutlet,
  ) {
    this.#message = message;
    this.#beforeFinalDot = beforeFinalDot;
    this.#outlet = outlet;
  }

  /** The session has asked for the message. It asks again each time that it wants more. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /**
   * Sends it to its end, or until `leave()`; undefined: it is sent, without a promise, since nothing had to be waited for.
   * @throws what the body throws, or what it holds that cannot be sent
   */
  run(): Promise<void> | undefined {
    this.#isBegun = true;
    const message = this.#message;
    if (typeof message === 'string') return this.#sendWhole(encodeText(message));
    return Symbol.asyncIterator in message ? this.#sendPieces(message) : this.#sendWhole(message);
  }

  /** The stream has room, or the session wants more. */
  resume(): void {
    this.#goOn?.();
  }

  /** Lets go of the body. */
  leave(): void {
    this.#isOver = true;
    this.#goOn?.(); // what waits must not take the next message's turn for its own
    if (this.#iterator !== undefined) void leave(this.#iterator);
  }

  /** What is last of it goes out in one write with its end, since a write costs more than all else about a small message. */
  #sendWhole(bytes: Uint8Array): Promise<void> | undefined {
    if (!this.#sendAtOnce(bytes, true)) return this.#sendPieceAndEnd(bytes);
    if (this.#beforeFinalDot !== undefined || !this.#mayGoOn) return this.#sendEnd();
    this.#outlet.handOver(undefined, false);
    return undefined;
  }

  async #sendPieceAndEnd(bytes: Uint8Array): Promise<void> {
    await this.#sendPiece(bytes, true);
    await this.#sendEnd();
  }

  async #sendPieces(body: AsyncIterable<Uint8Array>): Promise<void> {
    const iterator = body[Symbol.asyncIterator]();
    this.#iterator = iterator;
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) this.#iterator = undefined;
      else if (!this.#sendAtOnce(value, false)) await this.#sendPiece(value, false);
      if (done) {
        await this.#sendEnd();
        return;
      }
      while (this.#mustWait) await this.#change();
      if (this.#isOver) return;
    }
  }

  async #sendEnd(): Promise<void> {
    do {
      while (this.#mustWait) await this.#change();
      if (this.#isOver) return;
      if (this.#beforeFinalDot !== undefined) await this.#beforeFinalDot(this.#outlet.undecided);
      // What was stored may be too old by the time that the connection takes the end, and is then stored anew.
    } while (this.#mustWait);
    if (!this.#isOver) this.#outlet.handOver(undefined, false);
  }

  /**
   * What `#sendPiece` does where nothing has to be waited for: a promise for each piece would cost more than all else about it.
   * @returns false: it is too large, or no octets, or must wait
   */
  #sendAtOnce(bytes: Uint8Array, last: boolean): boolean {
    if (!ArrayBuffer.isView(bytes) || bytes.length > MAXIMUM_PIECE_OCTETS || !this.#mayGoOn) return false;
    this.#outlet.handOver(bytes, last);
    return true;
  }

  /** @param last the end of the message follows */
  async #sendPiece(bytes: Uint8Array, last: boolean): Promise<void> {
    // What is no octets, such as the text of a stream with an encoding, would pass the session unencoded.
    if (!ArrayBuffer.isView(bytes)) throw new TypeError('A body consists of Uint8Arrays only');
    let begin = 0;
    do {
      // Asked each time: while the body was awaited, the server may have refused a chunk.
      while (this.#mustWait) await this.#change();
      if (this.#isOver) return;
      const end = begin + MAXIMUM_PIECE_OCTETS;
      this.#outlet.handOver(bytes.subarray(begin, end), last && end >= bytes.length);
      begin = end;
    } while (begin < bytes.length);
  }

  /** To be asked right before each piece, without an `await` in between: a reply may come meanwhile. */
  get #mustWait(): boolean {
    return !this.#isOver && this.#outlet.isFull;
  }

  get #mayGoOn(): boolean {
    return !this.#isOver && !this.#outlet.isFull;
  }

  /** Waits until the stream has room, the session wants more, or nothing more is wanted. */
  #change(): Promise<void> {
    this.#outlet.flush();
    return new Promise((resolve) => {
      this.#goOn = () => {
        this.#goOn = undefined;
        resolve();
      };
    });
  }
}

export function checkMessage(message: unknown): void {
  if (typeof message === 'string' || ArrayBuffer.isView(message)) return;
  if (typeof message === 'object' && message !== null && Symbol.asyncIterator in message) return;
  const given = message === undefined ? 'missing' : kindOf(message);
  throw new TypeError(
    `The message is ${given}; it takes a text, a Uint8Array or an async iterable of Uint8Arrays`,
  );
}

export function checkBeforeFinalDot(given: unknown): void {
  if (given === undefined || typeof given === 'function') return;
  throw new TypeError(`The option beforeFinalDot is ${kindOf(given)}; it takes a function`);
}

interface Emitter {
  on?(event: 'error', listener: () => void): unknown;
  readonly pipe?: unknown;
}

/**
 * An error of a Node stream before anybody reads it would be uncaught, and end the process. Whoever reads it gets the error
 * all the same, and of a message that nobody wants it concerns nobody.
 */
export function heedErrors(message: unknown): void {
  if (typeof message !== 'object' || message === null) return;
  const { on, pipe } = message as Emitter;
  if (typeof on === 'function' && typeof pipe === 'function')
    (message as Required<Emitter>).on('error', () => {});
}

/** A body that was not read to its end may hold a file open. What it throws now concerns nobody. */
async function leave(body: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await body.return?.();
  } catch {}
}
