/**
 * Two connected byte streams in memory, for tests and for sessions within one process: pure ECMAScript, no
 * timers of its own, no sockets. It can be as unkind as a network: small chunks, small buffers, latency, and a
 * connection lost after so many octets. TLS is played: a handshake has its moments and its failures, no octets.
 *
 * Invariants: each callback runs in a microtask of its own, so that promise reactions run in between; what a
 * writer wrote is copied before it is delivered, so that neither end can reach into the arrays of the other;
 * after `close` a stream holds no octets and no timer.
 */
import { checkNames, namesOf } from '@sansmtp/core';
import {
  type ByteStream,
  type ByteStreamListener,
  type Clock,
  guardedListener,
  type PeerInformation,
  TlsError,
} from '@sansmtp/transport';
import { type MemoryTlsEnd, type MemoryTlsOptions, tlsEnd } from './memory-tls.js';
import { Pipe } from './pipe.js';

export interface MemoryPairOptions {
  /**
   * Octets of each `data` callback: always this many, or what the function says for the next one (anything
   * below 1 counts as 1), or fewer when no more have arrived. Chunks run across the borders of writes.
   * @default every write arrives as it was written
   */
  readonly chunkSize?: number | (() => number);
  /**
   * Milliseconds from a write, an end or an abort until the other stream hears of it. Needs `clock`.
   * @default 0
   */
  readonly latency?: number;
  readonly clock?: Clock;
  /**
   * Octets on the way in one direction from which on `write()` returns false. `drain` comes when none are left.
   * @default 65536
   */
  readonly bufferSize?: number;
  /**
   * Octets that the first stream (the second one) can send until the connection is lost: the last of them
   * arrives, then both streams close with an error. With 0 the connection is lost from the start.
   * @default the connection holds
   */
  readonly dropAfter?: { readonly first?: number; readonly second?: number };
  /**
   * The streams lend: the array of each `data` is overwritten (with 0xAA) once it has returned, for a listener that
   * `borrows`. So whatever a session forgets to copy is seen in memory, before it is somebody else's mail.
   * @default true
   */
  readonly lends?: boolean;
  /** @default no TLS, from the start or later */
  readonly tls?: MemoryTlsOptions;
}

interface Medium {
  readonly nextChunkSize: (() => number) | undefined;
  readonly latency: number;
  readonly clock: Clock | undefined;
  readonly bufferSize: number;
  readonly lends: boolean;
}

/** What stands in an array that was lent, afterwards. */
const OVERWRITTEN = 0xaa;

/** Why a stream is to close before its time, and when it hears of it. */
interface Break {
  readonly due: number;
  readonly reason: Error | undefined;
}

const NOWHERE: PeerInformation = {};
const SETTLED = Promise.resolve();

class MemoryStream implements ByteStream {
  readonly peer = NOWHERE;
  readonly #medium: Medium;
  readonly #tlsEnd: MemoryTlsEnd | undefined;
  readonly #incoming = new Pipe();
  /** Octets that can still arrive here before the connection is lost. */
  #allowance: number;
  #other: MemoryStream = this;
  #listener: ByteStreamListener | undefined;
  #paused = false;
  #finished = false;
  #endHeard = false;
  #closed = false;
  #drain: 'none' | 'awaited' | 'due' = 'none';
  #break: Break | undefined;
  #scheduled = false;
  #cancelTimer: (() => void) | undefined;
  #tls: ByteStream['tls'];
  #handshake: 'none' | 'underway' | 'unheard' | 'heard' = 'none';
  /** When the handshake of the other end arrives here. */
  #handshakeDue: number | undefined;
  /** Written during the handshake. */
  #held: Uint8Array[] = [];

  /** Connects two streams; `toFirst` and `toSecond` are the octets that may arrive at each. */
  static pair(
    medium: Medium,
    toFirst: number,
    toSecond: number,
    tls: MemoryTlsOptions | undefined,
  ): [MemoryStream, MemoryStream] {
    const first = new MemoryStream(medium, toFirst, tls && tlsEnd(tls, tls.first));
    const second = new MemoryStream(medium, toSecond, tls && tlsEnd(tls, tls.second));
    first.#other = second;
    second.#other = first;
    if (toFirst === 0 || toSecond === 0) first.#lose();
    return [first, second];
  }

  private constructor(medium: Medium, allowance: number, tls: MemoryTlsEnd | undefined) {
    this.#medium = medium;
    this.#allowance = allowance;
    this.#tlsEnd = tls;
    if (tls?.mode === 'implicit') this.#tls = tls.information;
  }

  get tls(): ByteStream['tls'] {
    return this.#tls;
  }

  get lends(): boolean {
    return this.#medium.lends;
  }

  get canStartTls(): boolean {
    return this.#tlsEnd?.mode === 'startTls' && this.#handshake === 'none';
  }

  open(listener: ByteStreamListener): void {
    if (this.#listener !== undefined) throw new Error('This stream is already open: it has one listener');
    this.#listener = guardedListener(this, listener);
    this.#schedule();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#finished) return true;
    if (this.#handshake === 'underway') {
      if (bytes.length === 0) return true;
      this.#held.push(bytes);
      return false;
    }
    return this.#send(bytes);
  }

  #send(bytes: Uint8Array): boolean {
    const other = this.#other;
    other.#incoming.write(bytes, this.#arrival());
    other.#schedule();
    if (other.#incoming.length < this.#medium.bufferSize) return true;
    this.#drain = 'awaited';
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  end(): void {
    if (this.#finished) return;
    this.#finish();
    if (this.#handshake !== 'underway') this.#sendEnd();
  }

  #sendEnd(): void {
    const other = this.#other;
    other.#incoming.end(this.#arrival());
    other.#schedule();
    this.#schedule();
  }

  startTls(): void {
    if (this.#finished || this.#break !== undefined) return;
    if (!this.canStartTls) throw new Error('This stream cannot start TLS: see canStartTls');
    this.#handshake = 'underway';
    const other = this.#other;
    // What either end has yet to hear was written in the clear.
    const otherHearsPlaintext = other.#handshake === 'underway' && other.#incoming.length > 0;
    if (this.#incoming.length > 0 || otherHearsPlaintext) {
      this.abort(TlsError.plaintextBehindStartTls());
      return;
    }
    other.#handshakeDue = this.#arrival();
    other.#schedule();
    this.#schedule();
  }

  abort(reason?: Error): void {
    if (this.#closed || this.#breakIsDue) return;
    this.#breakOff({ due: this.#now(), reason });
    const other = this.#other;
    if (other.#break === undefined) {
      const heard =
        other.#handshake === 'underway'
          ? TlsError.peerWentAway()
          : new Error('The peer broke off the connection');
      other.#breakOff({ due: this.#arrival(), reason: heard });
    }
  }

  get #breakIsDue(): boolean {
    return this.#break !== undefined && this.#break.due <= this.#now();
  }

  #now(): number {
    return this.#medium.clock?.now() ?? 0;
  }

  #arrival(): number {
    return this.#now() + this.#medium.latency;
  }

  #finish(): void {
    this.#finished = true;
    this.#drain = 'none';
  }

  #lose(): void {
    const lost: Break = { due: this.#now(), reason: new Error('The connection was lost') };
    this.#breakOff(lost);
    this.#other.#breakOff(lost);
  }

  #breakOff(why: Break): void {
    this.#break = why;
    this.#incoming.close();
    this.#held = [];
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    SETTLED.then(this.#run);
  }

  // A field rather than a method: one function for the life of the stream, not one for every microtask.
  readonly #run = (): void => {
    this.#scheduled = false;
    if (this.#closed) return;
    const now = this.#now();
    if (this.#handshake === 'underway' && this.#break === undefined) this.#shakeHands(now);
    const listener = this.#listener;
    if (listener === undefined) {
      if (this.#handshake === 'underway') this.#waitForNext(now);
      return;
    }
    if (this.#closeIsDue(now)) {
      this.#close(listener);
      return;
    }
    if (this.#callBack(listener, now)) this.#schedule();
    else this.#waitForNext(now);
  };

  #closeIsDue(now: number): boolean {
    return this.#break === undefined ? this.#finished && this.#endHeard : this.#break.due <= now;
  }

  #close(listener: ByteStreamListener): void {
    this.#closed = true;
    this.#cancelTimer?.();
    listener.close(this.#break?.reason);
  }

  /** Ends the handshake, one way or the other, when what decides it has arrived. */
  #shakeHands(now: number): void {
    const { octetsDue, endDue } = this.#incoming;
    if (this.#handshakeDue !== undefined) {
      if (this.#handshakeDue > now) return;
      const tls = this.#tlsEnd;
      if (tls === undefined || tls.failHandshake) {
        this.abort(
          new TlsError('The handshake failed, as the options of this pair say', 'ERR_SSL_HANDSHAKE'),
        );
        return;
      }
      this.#handshake = 'unheard';
      this.#tls = tls.information;
      this.#sendHeld();
    } else if (octetsDue !== undefined && octetsDue <= now) {
      this.abort(TlsError.plaintextBehindStartTls());
    } else if (endDue !== undefined && endDue <= now) {
      this.abort(TlsError.peerWentAway());
    }
  }

  #sendHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) this.#drain = this.#send(bytes) ? 'due' : 'awaited';
    if (!this.#finished) return;
    this.#drain = 'none';
    this.#sendEnd();
  }

  /** Makes the next callback there is cause for, if any. */
  #callBack(listener: ByteStreamListener, now: number): boolean {
    if (this.#handshake === 'underway') return false;
    if (this.#handshake === 'unheard' && this.#tls !== undefined) {
      this.#handshake = 'heard';
      listener.secure(this.#tls);
      return true;
    }
    if (this.#drain === 'due') {
      this.#drain = 'none';
      listener.drain();
      return true;
    }
    if (this.#paused) return false;
    const { octetsDue, endDue } = this.#incoming;
    if (octetsDue !== undefined && octetsDue <= now) {
      const bytes = this.#receive(now);
      listener.data(bytes);
      if (listener.borrows && this.lends) bytes.fill(OVERWRITTEN);
      return true;
    }
    if (endDue !== undefined && endDue <= now && !this.#endHeard) {
      this.#endHeard = true;
      listener.end();
      return true;
    }
    return false;
  }

  #receive(now: number): Uint8Array {
    const { nextChunkSize } = this.#medium;
    const bytes =
      nextChunkSize === undefined
        ? this.#incoming.takeWrite(this.#allowance)
        : this.#incoming.take(Math.min(nextChunkSize(), this.#allowance), now);
    const other = this.#other;
    if (this.#incoming.length === 0 && other.#drain === 'awaited') {
      other.#drain = 'due';
      other.#schedule();
    }
    this.#allowance -= bytes.length;
    if (this.#allowance === 0) this.#lose();
    return bytes;
  }

  /**
   * Sets the timer for what is on its way. One is enough: whatever is set out later arrives later, and an own
   * abort does not wait.
   */
  #waitForNext(now: number): void {
    const { clock } = this.#medium;
    const handshakeDue = this.#handshake === 'underway' ? this.#handshakeDue : undefined;
    const at = this.#break?.due ?? handshakeDue ?? this.#incoming.octetsDue ?? this.#incoming.endDue;
    if (clock === undefined || at === undefined || at <= now || this.#cancelTimer !== undefined) return;
    this.#cancelTimer = clock.set(at, () => {
      this.#cancelTimer = undefined;
      this.#schedule();
    });
  }
}

function positive(name: string, value: number): number {
  if (!(typeof value === 'number' && value >= 1))
    throw new RangeError(`${name} is ${value}: it has to be 1 octet or more`);
  return value;
}

function flag(name: string, value: boolean): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} is ${value}: it has to be true or false`);
  return value;
}

function chunkSizes(chunkSize: number | (() => number)): () => number {
  if (typeof chunkSize !== 'function') {
    const size = Math.floor(positive('chunkSize', chunkSize));
    return () => size;
  }
  return () => {
    const size = Math.floor(chunkSize());
    if (size >= 1) return size;
    return 1;
  };
}

function allowance(octets: number | undefined): number {
  if (octets === undefined) return Number.POSITIVE_INFINITY;
  if (!(typeof octets === 'number' && octets >= 0))
    throw new RangeError(`dropAfter is ${octets}: it has to be 0 octets or more`);
  return Math.floor(octets);
}

const OPTION_NAMES = namesOf<MemoryPairOptions>({
  chunkSize: true,
  latency: true,
  clock: true,
  bufferSize: true,
  dropAfter: true,
  lends: true,
  tls: true,
});

/**
 * Two connected streams: what is written to one arrives at the other.
 * @throws {RangeError} when `chunkSize` or `bufferSize` is below 1, or `dropAfter` or `latency` below 0
 * @throws {TypeError} when there is `latency` without a `clock`, an option that is not known, or `lends` is no boolean
 */
export function createMemoryPair(options: MemoryPairOptions = {}): [ByteStream, ByteStream] {
  checkNames('The option', options, OPTION_NAMES);
  const { chunkSize, latency = 0, clock, bufferSize = 65536, dropAfter, lends = true, tls } = options;
  checkNames('The option', dropAfter, ['first', 'second'], 'dropAfter.');
  if (!(typeof latency === 'number' && latency >= 0))
    throw new RangeError(`latency is ${latency}: it has to be 0 ms or more`);
  if (clock !== undefined && typeof (clock as Partial<Clock> | null)?.set !== 'function') {
    throw new TypeError(
      'The option clock is none: give createVirtualClock(), or an object with now() and set()',
    );
  }
  if (latency > 0 && clock === undefined) {
    throw new TypeError(`latency is ${latency} ms, but there is no clock to measure it: give one as clock`);
  }
  const medium: Medium = {
    nextChunkSize: chunkSize === undefined ? undefined : chunkSizes(chunkSize),
    latency,
    clock: latency > 0 ? clock : undefined,
    bufferSize: positive('bufferSize', bufferSize),
    lends: flag('lends', lends),
  };
  return MemoryStream.pair(medium, allowance(dropAfter?.second), allowance(dropAfter?.first), tls);
}
