/**
 * A byte stream over a pair of web streams (WHATWG Streams): the sockets of Workers and Deno, a WebSocketStream, or
 * whatever else has a `readable` and a `writable` of octets.
 *
 * Invariants: each callback runs in a microtask, so never from within a call; a read is begun only when its octets are
 * wanted, so at most one chunk waits here; what was read is copied, since the other end may be in this process. While TLS
 * begins, the pair is the host's, unlocked.
 */
import { checkNames, kindOf, namesOf, type TlsInformation } from '@sansmtp/core';
import {
  type ByteStream,
  type ByteStreamListener,
  guardedListener,
  type PeerInformation,
  TlsError,
  thrownError,
} from '@sansmtp/transport';
import type { SecuredWebPair, WebPair, WebReader, WebWriter } from './web-pair.js';

/** What a stream is told beyond its pair. */
export interface WebStreamOptions {
  /**
   * Begins TLS in mid-connection (STARTTLS, RFC 3207), and gives the pair that it protects: `() => socket.startTls()` in
   * Workers, `Deno.startTls(connection)` in Deno. By then nothing is locked, and all that was written has left. What it
   * throws closes the stream, with a `TlsError`. It needs no time-out: the session has one.
   * @default it cannot be had
   */
  readonly startTls?: () => SecuredWebPair | PromiseLike<SecuredWebPair>;
  /**
   * The TLS that protects the pair from its start, as far as it is known; `{}` if nothing is. Without
   * `channelBindings` the SASL mechanisms that bind to the channel (`-PLUS`) are left out.
   * @default the pair is in the clear
   */
  readonly tls?: Partial<TlsInformation>;
  /** @default nothing is known */
  readonly peer?: PeerInformation;
}

const OPTION_NAMES = namesOf<WebStreamOptions>({ startTls: true, tls: true, peer: true });
const TLS_NAMES = namesOf<TlsInformation>({
  protocol: true,
  cipher: true,
  serverName: true,
  channelBindings: true,
  peerCertificate: true,
});
const PEER_NAMES = namesOf<PeerInformation>({ address: true, port: true });

/**
 * Makes a stream of a pair of web streams. Give it to `serveSession` or `openSession` next, and leave the pair alone from
 * here on.
 * @param pair connected; its chunks are octets (`Uint8Array`, another view, or `ArrayBuffer`)
 * @throws {TypeError} the pair is none, or locked; an option is not known
 */
export function webStream(pair: WebPair, options: WebStreamOptions = {}): ByteStream {
  checkNames('The option', options, OPTION_NAMES);
  checkNames('The option', options.tls, TLS_NAMES, 'tls.');
  checkNames('The option', options.peer, PEER_NAMES, 'peer.');
  if (options.startTls !== undefined && typeof options.startTls !== 'function') {
    throw new TypeError(`The option startTls is ${kindOf(options.startTls)}; it takes a function`);
  }
  if (!isPair(pair)) {
    throw new TypeError(
      `The pair is ${pair ? 'none' : 'missing'}; it takes { readable, writable }, a ReadableStream and a WritableStream`,
    );
  }
  return new WebStream(pair, options);
}

function isPair(pair: Partial<WebPair> | undefined | null): boolean {
  return typeof pair?.readable?.getReader === 'function' && typeof pair.writable?.getWriter === 'function';
}

/** Octets that may wait to leave before `write()` returns false: the streams count chunks, at best. */
const HIGH_WATER_OCTETS = 65_536;

const ignore = () => {};

/** Few hosts tell what they have negotiated. */
function tlsInformation(known: Partial<TlsInformation>): TlsInformation {
  return { protocol: 'unknown', cipher: 'unknown', channelBindings: {}, ...known };
}

function octetsOf(chunk: unknown): Uint8Array {
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength).slice();
  }
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk).slice();
  throw new TypeError(`The readable stream gave a chunk of the type ${typeof chunk}, where octets belong`);
}

/** The handshake under way. */
interface Handshake {
  /** Written since it began. */
  readonly held: Uint8Array[];
  endHeld: boolean;
}

class WebStream implements ByteStream {
  readonly peer: PeerInformation;
  #pair: WebPair;
  /** These two are given up while the host begins TLS. */
  #reader: WebReader | undefined;
  #writer: WebWriter | undefined;
  #startTls: WebStreamOptions['startTls'];
  #tls: TlsInformation | undefined;
  #handshake: Handshake | undefined;
  #listener: ByteStreamListener | undefined;
  #paused = false;
  #writable = true;
  #endSent = false;
  #endHeard = false;
  #closed = false;
  /** There is no way on; the reason, if there is one, is `#reason`. */
  #broken = false;
  #reason: Error | undefined;
  /** The reader that a read is under way from. */
  #readingFrom: WebReader | undefined;
  /** Read, and not delivered yet. */
  #waiting: Uint8Array | undefined;
  #endWaits = false;
  #secureWaits = false;
  #drainOwed = false;
  #unsent = 0;
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(pair: WebPair, { startTls, tls, peer = {} }: WebStreamOptions) {
    this.peer = peer;
    this.#pair = pair;
    this.#startTls = startTls;
    this.#tls = tls && tlsInformation(tls);
    this.#lock(pair);
  }

  get tls(): TlsInformation | undefined {
    return this.#tls;
  }

  get canStartTls(): boolean {
    return this.#startTls !== undefined;
  }

  open(listener: ByteStreamListener): void {
    if (this.#listener !== undefined) throw new Error('This stream is already open: it has one listener');
    this.#listener = guardedListener(this, listener);
    this.#callBackLater();
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#writable || bytes.length === 0) return true;
    if (this.#handshake === undefined) return this.#send(bytes);
    this.#handshake.held.push(bytes);
    this.#drainOwed = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#callBackLater();
  }

  end(): void {
    if (!this.#writable) return;
    this.#writable = false;
    this.#drainOwed = false;
    if (this.#handshake === undefined) this.#sendEnd();
    else this.#handshake.endHeld = true;
  }

  startTls(): void {
    if (!this.#writable) return;
    const begin = this.#startTls;
    if (begin === undefined) throw new Error('This stream cannot start TLS: see canStartTls');
    this.#startTls = undefined;
    this.#handshake = { held: [], endHeld: false };
    if (this.#waiting !== undefined) this.abort(TlsError.plaintextBehindStartTls());
    else if (this.#endWaits || this.#endHeard) this.abort(TlsError.peerWentAway());
    else void this.#shakeHands(begin);
  }

  abort(reason?: Error): void {
    if (this.#broken || this.#closed) return;
    this.#broken = true;
    this.#reason = reason;
    this.#writable = false;
    this.#waiting = undefined;
    this.#hangUp(this.#pair, reason);
    this.#callBackLater();
  }

  #lock(pair: WebPair): void {
    this.#reader = pair.readable.getReader();
    this.#writer = pair.writable.getWriter();
  }

  /** Breaks off both ways. While the host holds the pair it cannot be done; it is tried again when it gives it back. */
  #hangUp(pair: WebPair, reason: Error | undefined): void {
    try {
      if (this.#reader === undefined) this.#lock(pair);
    } catch {
      return;
    }
    this.#reader?.cancel(reason).catch(ignore);
    this.#writer?.abort(reason).catch(ignore);
  }

  #send(bytes: Uint8Array): boolean {
    if (this.#writer === undefined) return true;
    this.#unsent += bytes.length;
    this.#lastWrite = this.#writer.write(bytes).then(
      () => {
        this.#unsent -= bytes.length;
        if (this.#drainOwed) this.#callBack();
      },
      (error: unknown) => this.#failed(error),
    );
    if (this.#unsent < HIGH_WATER_OCTETS) return true;
    this.#drainOwed = true;
    return false;
  }

  #sendEnd(): void {
    this.#writer?.close().then(
      () => {
        this.#endSent = true;
        this.#callBack();
      },
      (error: unknown) => this.#failed(error),
    );
  }

  #failed(error: unknown): void {
    this.abort(thrownError(error ?? new Error('The peer broke off the connection'), 'The stream'));
  }

  /** Reads as long as something is wanted. */
  async #readOn(): Promise<void> {
    const reader = this.#reader;
    if (reader === undefined || this.#readingFrom !== undefined) return;
    this.#readingFrom = reader;
    try {
      while (this.#wantsToRead) {
        const { done, value } = await reader.read();
        // Let go by startTls(), or broken off.
        if (reader !== this.#reader || this.#broken) return;
        this.#arrived(done ? undefined : octetsOf(value));
      }
    } catch (error) {
      if (reader === this.#reader) this.#failed(error);
    } finally {
      if (this.#readingFrom === reader) this.#readingFrom = undefined;
    }
  }

  get #wantsToRead(): boolean {
    const atEnd = this.#endWaits || this.#endHeard;
    const isHeard = this.#listener !== undefined && !this.#paused && this.#handshake === undefined;
    return isHeard && !atEnd && !this.#broken && this.#waiting === undefined;
  }

  /** @param bytes undefined: the end */
  #arrived(bytes: Uint8Array | undefined): void {
    if (this.#handshake !== undefined) {
      this.abort(bytes === undefined ? TlsError.peerWentAway() : TlsError.plaintextBehindStartTls());
      return;
    }
    if (bytes === undefined) this.#endWaits = true;
    else if (bytes.length > 0) this.#waiting = bytes;
    this.#callBack();
  }

  async #shakeHands(begin: NonNullable<WebStreamOptions['startTls']>): Promise<void> {
    await this.#lastWrite;
    // A read may be under way; it is void once the lock is gone. What came until here was plaintext (see #arrived).
    if (this.#broken) return;
    let pair: SecuredWebPair;
    try {
      const [reader, writer] = [this.#reader, this.#writer];
      this.#reader = undefined;
      this.#writer = undefined;
      this.#readingFrom = undefined;
      reader?.releaseLock();
      writer?.releaseLock();
      pair = await begin();
      if (!isPair(pair)) throw new TypeError('startTls gave no pair of streams: { readable, writable }');
      if (!this.#broken) this.#lock(pair);
    } catch (error) {
      if (this.#broken) this.#hangUp(this.#pair, this.#reason);
      else this.abort(asTlsError(error));
      return;
    }
    if (this.#broken) this.#hangUp(pair, this.#reason);
    else this.#secured(pair);
  }

  #secured(pair: SecuredWebPair): void {
    const handshake = this.#handshake;
    this.#handshake = undefined;
    this.#pair = pair;
    this.#tls = tlsInformation(pair.tls ?? {});
    this.#secureWaits = true;
    for (const bytes of handshake?.held ?? []) this.#send(bytes);
    if (handshake?.endHeld) this.#sendEnd();
    this.#callBack();
  }

  #callBackLater(): void {
    void Promise.resolve().then(() => this.#callBack());
  }

  /** Makes the callbacks that are waiting, as far as they may be made now. Not to be called from within a call. */
  #callBack(): void {
    const listener = this.#listener;
    if (listener === undefined || this.#closed) return;
    if (!this.#broken && this.#handshake === undefined) this.#callBackOpen(listener);
    if (this.#broken || (this.#endSent && this.#endHeard)) {
      this.#closed = true;
      this.#writable = false;
      listener.close(this.#reason);
    } else void this.#readOn();
  }

  #callBackOpen(listener: ByteStreamListener): void {
    if (this.#secureWaits && this.#tls !== undefined) {
      this.#secureWaits = false;
      listener.secure(this.#tls);
    }
    if (this.#drainOwed && this.#unsent < HIGH_WATER_OCTETS && !this.#isHeldBack) {
      this.#drainOwed = false;
      listener.drain();
    }
    if (this.#waiting !== undefined && !this.#paused && !this.#isHeldBack) {
      const bytes = this.#waiting;
      this.#waiting = undefined;
      listener.data(bytes);
    }
    if (this.#endWaits && !this.#paused && !this.#isHeldBack) {
      this.#endWaits = false;
      this.#endHeard = true;
      listener.end();
    }
  }

  /** The callback before may have aborted the stream, or begun TLS. */
  get #isHeldBack(): boolean {
    return this.#broken || this.#handshake !== undefined;
  }
}

function asTlsError(error: unknown): TlsError {
  if (error instanceof TlsError) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new TlsError(`The TLS handshake failed: ${words}`, undefined, { cause: error });
}
