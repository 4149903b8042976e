/**
 * One end of a connection under test: it makes the calls, hears the callbacks, and watches the whole time over
 * those promises of the contract that concern every moment (the order of callbacks, none of them from within a
 * call, none after `close`, no data while paused). A case only adds what it is about.
 *
 * What travels is a known sequence of octets, another one each way, and every octet is looked at.
 */
import type { TlsInformation } from '@sansmtp/core';
import type { ByteStream, ByteStreamListener } from '../streams/byte-stream.js';
import type { Sequence } from './octets.js';

/** What the two ends of a pair share. */
export interface Watch {
  /** How many calls of `ByteStream` methods are under way. */
  calls: number;
  /** How many callbacks came. */
  callbacks: number;
  /** Broken promises, in the order noticed. */
  readonly problems: string[];
}

const KEPT_OCTETS = 1024 * 1024;

export class Endpoint {
  /** Called once the callback of the same name is recorded. What they throw goes to the transport. */
  onData: (() => void) | undefined;
  onEnd: (() => void) | undefined;
  onDrain: (() => void) | undefined;
  onSecure: (() => void) | undefined;

  /** What arrived first, as it was handed over: up to `keptOctets` of it. */
  readonly chunks: Uint8Array[] = [];
  /** Octets received. */
  received = 0;
  /** Octets sent, less those that had to be ignored. */
  sent = 0;
  drains = 0;
  ended = false;
  /** How often `secure` was heard. */
  secures = 0;
  opened = false;
  /** The reasons of every `close` heard; exactly one entry in the end. */
  readonly closes: (Error | undefined)[] = [];

  readonly #name: string;
  readonly #sequence: Sequence;
  readonly #peerSequence: Sequence;
  readonly #stream: ByteStream;
  readonly #watch: Watch;
  readonly #borrows: boolean;
  #paused = false;
  #writable = true;
  #aborted = false;
  #drainDue = false;
  #shakesHands = false;

  constructor(
    name: string,
    sequence: Sequence,
    peerSequence: Sequence,
    stream: ByteStream,
    watch: Watch,
    borrows: boolean,
  ) {
    this.#borrows = borrows;
    this.#listener = { borrows, ...this.#callbacks };
    this.#name = name;
    this.#sequence = sequence;
    this.#peerSequence = peerSequence;
    this.#stream = stream;
    this.#watch = watch;
  }

  get tls(): TlsInformation | undefined {
    return this.#stream.tls;
  }

  get canStartTls(): boolean {
    return this.#stream.canStartTls;
  }

  get closed(): boolean {
    return this.closes.length > 0;
  }

  open(): void {
    this.opened = true;
    this.#call(() => this.#stream.open(this.#listener));
  }

  write(bytes: Uint8Array): boolean {
    const more = this.#call(() => this.#stream.write(bytes));
    if (this.#writable) {
      this.sent += bytes.length;
      if (!more) this.#drainDue = true;
    } else if (!more) {
      this.#problem('write() after end(), abort() or close returned false');
    }
    return more;
  }

  /** The next octets of this end's sequence. */
  next(length: number): Uint8Array {
    return this.#sequence.slice(this.sent, length);
  }

  send(length: number): boolean {
    return this.write(this.next(length));
  }

  /** Sends until `total` octets are sent, pausing whenever the transport says so. */
  sendAsDrained(total: number, step: number): void {
    const sendOn = () => {
      while (this.sent < total) {
        if (!this.send(Math.min(step, total - this.sent))) return;
      }
    };
    this.onDrain = sendOn;
    sendOn();
  }

  startTls(): void {
    this.#call(() => this.#stream.startTls());
    this.#shakesHands = this.#writable;
  }

  pause(): void {
    this.#call(() => this.#stream.pause());
    this.#paused = true;
  }

  resume(): void {
    // Set first: a transport that calls back from within resume() is then reported for that, not for a pause.
    this.#paused = false;
    this.#call(() => this.#stream.resume());
  }

  end(): void {
    this.#call(() => this.#stream.end());
    this.#writable = false;
  }

  abort(reason?: Error): void {
    this.#call(() => this.#stream.abort(reason));
    this.#writable = false;
    this.#aborted = true;
  }

  /** Looks again at what was handed over: the transport must have left it alone since. */
  checkKept(): void {
    let position = 0;
    for (const bytes of this.chunks) {
      if (!this.#peerSequence.matches(bytes, position)) {
        this.#problem(`the transport wrote into an array it had handed over (from octet ${position})`);
        return;
      }
      position += bytes.length;
    }
  }

  readonly #listener: ByteStreamListener;

  readonly #callbacks: ByteStreamListener = {
    data: (bytes) => {
      this.#heard('data');
      if (this.ended) this.#problem('data after end');
      if (this.#paused) this.#problem('data while paused');
      if (this.#aborted) this.#problem('data after abort()');
      if (bytes.length === 0) this.#problem('data without an octet');
      if (!this.#peerSequence.matches(bytes, this.received)) {
        this.#problem(`what arrived is not what was sent (from octet ${this.received} on)`);
      }
      if (this.received < KEPT_OCTETS) this.chunks.push(this.#borrows ? new Uint8Array(bytes) : bytes);
      this.received += bytes.length;
      this.onData?.();
      // A borrowed array may be written into as well.
      if (this.#borrows) bytes.fill(0);
    },
    end: () => {
      this.#heard('end');
      if (this.ended) this.#problem('end twice');
      if (this.#paused) this.#problem('end while paused');
      if (this.#aborted) this.#problem('end after abort()');
      this.ended = true;
      this.onEnd?.();
    },
    drain: () => {
      this.#heard('drain');
      if (!this.#drainDue) this.#problem('drain, but no write() had returned false since the last one');
      if (!this.#writable) this.#problem('drain after end() or abort()');
      this.#drainDue = false;
      this.drains++;
      this.onDrain?.();
    },
    secure: (tls) => {
      // First: what follows is no longer heard during the handshake.
      this.#shakesHands = false;
      this.#heard('secure');
      if (this.secures > 0) this.#problem('secure twice');
      if (tls !== this.#stream.tls) this.#problem('secure with another TLS than the stream knows of');
      if (this.#aborted) this.#problem('secure after abort()');
      this.secures++;
      this.onSecure?.();
    },
    close: (reason) => {
      this.#shakesHands = false;
      this.#heard('close');
      this.#writable = false;
      this.closes.push(reason);
    },
  };

  #heard(callback: string): void {
    this.#watch.callbacks++;
    if (!this.opened) this.#problem(`${callback} before open()`);
    if (this.#watch.calls > 0) this.#problem(`${callback} from within a call of a ByteStream method`);
    if (this.#shakesHands) this.#problem(`${callback} between startTls() and secure`);
    if (this.closed) this.#problem(`${callback} after close`);
  }

  #call<Result>(method: () => Result): Result {
    this.#watch.calls++;
    try {
      return method();
    } finally {
      this.#watch.calls--;
    }
  }

  #problem(what: string): void {
    this.#watch.problems.push(`${this.#name}: ${what}`);
  }
}
