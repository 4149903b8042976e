/**
 * A stream's listener as the stream calls it: nothing that it throws, at once or by a promise, reaches the transport,
 * whose event loop would end the process.
 */
import type { TlsInformation } from '@sansmtp/core';
import { complain, guarded } from './guarded.js';
import { isPromiseLike } from './handlers/handler-answers.js';
import type { ByteStream, ByteStreamListener } from './streams/byte-stream.js';
import { thrownError } from './thrown-error.js';

class GuardedListener implements ByteStreamListener {
  readonly #stream: Pick<ByteStream, 'abort'>;
  readonly #listener: ByteStreamListener;

  constructor(stream: Pick<ByteStream, 'abort'>, listener: ByteStreamListener) {
    this.#stream = stream;
    this.#listener = listener;
  }

  get borrows(): boolean {
    return this.#listener.borrows === true;
  }

  data(bytes: Uint8Array): void {
    try {
      this.#watch(this.#listener.data(bytes));
    } catch (thrown) {
      this.#abort(thrown);
    }
  }

  end(): void {
    try {
      this.#watch(this.#listener.end());
    } catch (thrown) {
      this.#abort(thrown);
    }
  }

  drain(): void {
    try {
      this.#watch(this.#listener.drain());
    } catch (thrown) {
      this.#abort(thrown);
    }
  }

  secure(tls: TlsInformation): void {
    try {
      this.#watch(this.#listener.secure(tls));
    } catch (thrown) {
      this.#abort(thrown);
    }
  }

  close(reason?: Error): void {
    guarded(
      () => this.#listener.close(reason),
      (thrown) => complain('The close of a listener', thrown),
    );
  }

  /** An async function passes for one that returns nothing. */
  #watch(result: unknown): void {
    if (isPromiseLike(result)) Promise.resolve(result).catch((thrown) => this.#abort(thrown));
  }

  #abort(thrown: unknown): void {
    this.#stream.abort(thrownError(thrown, 'The listener'));
  }
}

/**
 * For a transport, which calls what this gives and not the listener itself. What `data`, `end`, `drain` and `secure` throw,
 * also by a promise, aborts the stream; what `close` throws is written to stderr.
 */
export function guardedListener(
  stream: Pick<ByteStream, 'abort'>,
  listener: ByteStreamListener,
): ByteStreamListener {
  return new GuardedListener(stream, listener);
}
