/**
 * A byte stream as a Duplex of Node's, for clients and servers that speak to sockets.
 *
 * Invariants: the Duplex reads no further than its buffer holds, and a write is called back when the stream takes more;
 * it closes when the stream has, and not before everything that came was read.
 */
import { Duplex } from 'node:stream';
import { type ByteStream, checkStream } from '@sansmtp/transport';

/** A Duplex with what programs call of a socket. */
export interface SocketLike extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** Emits `timeout` when nothing was read or written for so long, in milliseconds; 0 for never. */
  setTimeout(milliseconds: number, listener?: () => void): this;
  setNoDelay(noDelay?: boolean): this;
  setKeepAlive(enable?: boolean, initialDelay?: number): this;
  ref(): this;
  unref(): this;
}

/**
 * Makes a Duplex of a stream, so that a program that wants a socket runs without one: nodemailer's transport, or any
 * other client, over one end of `createMemoryPair()`, and a server over the other. It has what such programs call of a
 * socket beyond a Duplex: `setTimeout()` works; `setNoDelay()`, `setKeepAlive()`, `ref()` and `unref()` do nothing.
 *
 * When the peer ends its side, ours stays open, as with any Duplex; set `allowHalfOpen` to false to have it end as well,
 * like the sockets of `net.connect()`. `destroy()` aborts the stream, but what was written before `end()` still leaves; a
 * stream that breaks emits `error`. TLS goes through it: `tls.connect({ socket: duplex })` at one end,
 * `streamOf(duplex, { tls })` at the other.
 * @param stream one that was not opened yet; leave it alone from here on
 * @throws {Error} the stream is open already
 * @throws {TypeError} it is none
 */
export function duplexOf(stream: ByteStream): SocketLike {
  checkStream(stream);
  return new StreamDuplex(stream);
}

/** How long what was written before the end may take to leave once the Duplex was destroyed, in milliseconds. */
const LINGER_TIME = 5_000;

class StreamDuplex extends Duplex implements SocketLike {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly #stream: ByteStream;
  #ended = false;
  #closed = false;
  #paused = false;
  /** Calls back the write that has filled the buffer. */
  #written: (() => void) | undefined;
  #onClosed: (() => void) | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(stream: ByteStream) {
    // By itself it would be destroyed when both sides have ended here, with octets still on their way.
    super({ autoDestroy: false });
    this.#stream = stream;
    this.remoteAddress = stream.peer.address;
    this.remotePort = stream.peer.port;
    stream.open({
      data: (bytes) => {
        this.#idleTimer?.refresh();
        if (this.destroyed || this.push(bytes)) return;
        this.#paused = true;
        stream.pause();
      },
      end: () => {
        this.#ended = true;
        if (!this.destroyed) this.push(null);
      },
      drain: () => this.#drained(),
      secure: () => {},
      close: (reason) => this.#streamClosed(reason),
    });
  }

  override _read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  override _write(chunk: Uint8Array, _: BufferEncoding, done: () => void): void {
    this.#idleTimer?.refresh();
    // The writer has its array back with the callback; the stream may hold it for longer.
    if (this.#stream.write(new Uint8Array(chunk))) done();
    else this.#written = done;
  }

  override _final(done: () => void): void {
    this.#stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    this.#written = undefined;
    if (this.#closed) {
      done(error);
      return;
    }
    if (error === null && this.writableFinished) {
      // As with a socket that is closed after its end. TLS above does so as soon as it has ended.
      this.#lingerTimer = setTimeout(() => this.#stream.abort(), LINGER_TIME).unref();
      this.#stream.resume();
      done(null);
      return;
    }
    this.#onClosed = () => done(error);
    this.#stream.abort(error ?? undefined);
  }

  setTimeout(milliseconds: number, listener?: () => void): this {
    clearTimeout(this.#idleTimer);
    this.#idleTimer =
      milliseconds > 0 && !this.destroyed
        ? setTimeout(() => this.emit('timeout'), milliseconds).unref()
        : undefined;
    if (listener !== undefined) {
      if (milliseconds > 0) this.once('timeout', listener);
      else this.off('timeout', listener);
    }
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #drained(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  #streamClosed(reason: Error | undefined): void {
    this.#closed = true;
    clearTimeout(this.#lingerTimer);
    if (this.#onClosed !== undefined) this.#onClosed();
    else if (reason !== undefined || !this.#ended || this.readableEnded) this.destroy(reason);
    else this.once('end', () => this.destroy());
  }
}
