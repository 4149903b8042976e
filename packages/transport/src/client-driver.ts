/**
 * The driver of a client session: the one loop between a byte stream, a session and whoever sends mail. It knows
 * nothing of the protocol.
 *
 * - It never stops reading, so a server that replies while it is written to cannot block both ends.
 * - A body is pulled only as fast as the stream takes it. One that fails breaks the connection: the final dot is
 *   never sent for a message that is not whole.
 *
 * Its tests need both ends of a stream, and stand in `transport-memory/test`.
 */
import {
  type ClientEnvelope,
  type ClientEvent,
  ClientSession,
  type ClientSessionOptions,
  encodeText,
  LocalProtocolError,
  type ServerOffer,
  type TransitionRecord,
  type Verdict,
} from '@sansmtp/core';
import type { ByteStream, ByteStreamListener } from './byte-stream.js';
import type { Clock } from './clock.js';
import { DeadlineTimer } from './deadline-timer.js';
import { release } from './release.js';
import { SessionError } from './session-error.js';
import { thrownError } from './thrown-error.js';

/** What an `AbortSignal` is to us; every runtime has them, and no runtime's types are needed. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A message: text is sent as UTF-8. Lines may end in LF, which is sent as CRLF (see `newlines`). An iterable is
 * read once the server wants the message, and told by `return()` when it is not read to its end.
 */
export type MessageSource = string | Uint8Array | AsyncIterable<Uint8Array>;

export interface OpenSessionOptions extends Omit<ClientSessionOptions, 'trace'> {
  readonly clock: Clock;
  /** Drops the connection when it is aborted before the session is open; the error's `cause` is its reason. */
  readonly signal?: CancelSignal;
  /**
   * Called with what passes on the wire, for a transcript; the octets of a message included. What it throws drops
   * the connection.
   */
  readonly onWire?: (direction: 'sent' | 'received', bytes: Uint8Array) => void;
  /** Called with each step of the session's chart. What it throws drops the connection. */
  readonly onTransition?: (record: TransitionRecord) => void;
}

/** An open session with a server. */
export interface ClientConnection {
  /** What the server offered. */
  readonly offer: ServerOffer;
  /** Resolves when the connection is closed, whatever the reason. Never rejects. */
  readonly closed: Promise<void>;
  /**
   * Delivers one message; one at a time. Resolves with a verdict for each recipient, in the envelope's order,
   * also when the session breaks or `signal` is aborted: the verdicts then say what is known.
   * @throws {LocalProtocolError} the envelope cannot be sent, another message is under way, or QUIT was said
   * @throws {SessionError} the session had failed before, for which nobody here is to blame: open another
   * @throws {MailDataError} the message holds a bare CR or NUL; the connection is dropped, nothing is delivered
   * @throws what the body throws, a `TypeError` if it yields no octets; the connection is dropped, nothing is
   *   delivered
   */
  send(
    envelope: ClientEnvelope,
    message: MessageSource,
    options?: { readonly signal?: CancelSignal },
  ): Promise<readonly Verdict[]>;
  /**
   * Ends the session by QUIT. Resolves when the connection is closed; harmless when the session is over.
   * @throws {LocalProtocolError} a message is under way
   */
  quit(): Promise<void>;
  /** Drops the connection at once. */
  abort(reason?: Error): void;
}

/**
 * Opens a session on a connected stream: awaits the greeting, says EHLO or HELO (RFC 5321 §3.1, §3.2). Call
 * `send()` next, then `quit()`.
 * @param stream a connected stream that was not opened yet
 * @throws {SessionError} the server refused, did not answer in time, or broke the protocol; or the connection was
 *   lost, for the reason in `cause` if there is one. The connection closes by itself then.
 * @throws {RangeError} `hostname` cannot be written in EHLO; the stream was not opened
 */
export async function openSession(
  stream: ByteStream,
  options: OpenSessionOptions,
): Promise<ClientConnection> {
  return new ClientDriver(stream, options).open(options.signal);
}

/** A message on its way. */
interface Delivery {
  readonly message: MessageSource;
  /** The body, from its first chunk to its last. */
  iterator: AsyncIterator<Uint8Array> | undefined;
  resolve(verdicts: readonly Verdict[]): void;
  reject(error: unknown): void;
}

class ClientDriver implements ClientConnection, ByteStreamListener {
  readonly closed: Promise<void>;
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #session: ClientSession;
  readonly #onWire: OpenSessionOptions['onWire'];
  readonly #onTransition: OpenSessionOptions['onTransition'];
  readonly #timer: DeadlineTimer;
  #resolveClosed: () => void = () => {};

  #offer: ServerOffer = { verb: 'HELO', name: '', keywords: new Map() };
  #opening: { resolve(): void; reject(error: SessionError): void } | undefined;
  #delivery: Delivery | undefined;
  #quitting = false;
  #failure: SessionError | undefined;
  #peerEnded = false;
  #closeReason: Error | undefined;
  #resumeBody: (() => void) | undefined;
  #blocked = false;

  constructor(stream: ByteStream, options: OpenSessionOptions) {
    this.#stream = stream;
    this.#clock = options.clock;
    this.#onWire = options.onWire;
    this.#onTransition = options.onTransition;
    this.#timer = new DeadlineTimer(options.clock);
    const trace = options.onTransition !== undefined;
    this.#session = new ClientSession({ ...options, trace, now: options.clock.now() });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get offer(): ServerOffer {
    return this.#offer;
  }

  async open(signal?: CancelSignal): Promise<ClientConnection> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    this.#stream.open(this);
    this.#pump();
    const release = this.#abortOn(signal);
    try {
      await opened;
    } finally {
      release();
    }
    return this;
  }

  async send(
    envelope: ClientEnvelope,
    message: MessageSource,
    { signal }: { readonly signal?: CancelSignal } = {},
  ): Promise<readonly Verdict[]> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#session.state === 'closed') throw new LocalProtocolError('closed', 'send came', 'nothing');
    this.#session.handle({ type: 'send', envelope, now: this.#clock.now() });
    const sent = new Promise<readonly Verdict[]>((resolve, reject) => {
      this.#delivery = { message, iterator: undefined, resolve, reject };
    });
    const release = this.#abortOn(signal);
    this.#pump();
    try {
      return await sent;
    } finally {
      release();
    }
  }

  async quit(): Promise<void> {
    if (!this.#quitting && this.#failure === undefined) {
      this.#session.handle({ type: 'quit', now: this.#clock.now() });
      this.#quitting = true;
      this.#pump();
    }
    await this.closed;
  }

  abort(reason?: Error): void {
    this.#stream.abort(reason);
  }

  data(bytes: Uint8Array): void {
    this.#record('received', bytes);
    this.#session.handle({ type: 'bytes', bytes, now: this.#clock.now() });
    this.#pump();
  }

  end(): void {
    this.#peerEnded = true;
    this.#session.handle({ type: 'eof', now: this.#clock.now() });
    this.#pump();
  }

  drain(): void {
    this.#blocked = false;
    this.#resumeBody?.();
  }

  close(reason?: Error): void {
    this.#closeReason = reason;
    this.#session.handle({ type: 'lost', now: this.#clock.now() });
    this.#pump();
    this.#timer.clear();
    this.#resolveClosed();
  }

  /** Does all that the session asks for, then waits: for the server, the body, or the deadline. */
  #pump(): void {
    for (let output = this.#session.poll(); output !== undefined; output = this.#session.poll()) {
      switch (output.type) {
        case 'write':
          this.#record('sent', output.bytes);
          if (!this.#stream.write(output.bytes)) this.#blocked = true;
          break;
        case 'event':
          this.#report(output.event);
          break;
        case 'close':
          this.#stream.end();
          break;
        case 'closed':
          release(this.#stream, this.#peerEnded, this.#clock, this.#timer);
          break;
        case 'transition':
          this.#trace(output);
          break;
      }
    }
    this.#timer.arm(this.#session.nextDeadline(), this.#onDue);
  }

  readonly #onDue = (): void => {
    this.#session.handle({ type: 'timeout', now: this.#clock.now() });
    this.#pump();
  };

  #report(event: ClientEvent): void {
    switch (event.type) {
      case 'greeting':
      case 'recipient':
        break;
      case 'ready':
        this.#offer = event.offer;
        this.#opening?.resolve();
        this.#opening = undefined;
        break;
      case 'mailDataWanted':
        if (this.#delivery !== undefined) void this.#sendBody(this.#delivery);
        break;
      case 'done':
        this.#finish((delivery) => delivery.resolve(event.verdicts));
        break;
      case 'failed':
        this.#failure = new SessionError(event.failure, this.#closeReason);
        this.#opening?.reject(this.#failure);
        this.#opening = undefined;
        break;
    }
  }

  async #sendBody(delivery: Delivery): Promise<void> {
    try {
      const iterator = iteratorOf(delivery.message);
      delivery.iterator = iterator;
      for (;;) {
        const { done, value } = await iterator.next();
        if (done) delivery.iterator = undefined;
        if (this.#delivery !== delivery) return; // the session has ended the transaction in the meantime
        const now = this.#clock.now();
        if (done) this.#session.handle({ type: 'endOfMailData', now });
        // What is no octets, such as the text of a stream with an encoding, would pass the session unencoded.
        else if (!ArrayBuffer.isView(value)) throw new TypeError('A body consists of Uint8Arrays only');
        else this.#session.handle({ type: 'mailData', bytes: value, now });
        this.#pump();
        if (done) return;
        if (this.#blocked) await this.#drained();
      }
    } catch (error) {
      this.#finish(({ reject }) => reject(error));
      this.#stream.abort(error instanceof Error ? error : undefined);
    }
  }

  /** Never settles if the connection is given up: what waits is forgotten with it. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumeBody = () => {
        this.#resumeBody = undefined;
        resolve();
      };
    });
  }

  /** Settles the delivery under way, and lets go of its body. */
  #finish(settle: (delivery: Delivery) => void): void {
    const delivery = this.#delivery;
    if (delivery === undefined) return;
    this.#delivery = undefined;
    settle(delivery);
    if (delivery.iterator !== undefined) void leave(delivery.iterator);
  }

  #record(direction: 'sent' | 'received', bytes: Uint8Array): void {
    try {
      this.#onWire?.(direction, bytes);
    } catch (thrown) {
      this.#stream.abort(thrownError(thrown, 'onWire'));
    }
  }

  #trace({ event, from, to, effects }: TransitionRecord): void {
    try {
      this.#onTransition?.({ event, from, to, effects });
    } catch (thrown) {
      this.#stream.abort(thrownError(thrown, 'onTransition'));
    }
  }

  #abortOn(signal: CancelSignal | undefined): () => void {
    if (signal === undefined) return () => {};
    const abort = () => this.#stream.abort(signal.reason instanceof Error ? signal.reason : undefined);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    return () => signal.removeEventListener('abort', abort);
  }
}

function iteratorOf(message: MessageSource): AsyncIterator<Uint8Array> {
  if (typeof message === 'string') return only(encodeText(message));
  if (Symbol.asyncIterator in message) return message[Symbol.asyncIterator]();
  return only(message);
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** A body that was not read to its end may hold a file open. What it throws now concerns nobody. */
async function leave(body: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await body.return?.();
  } catch {}
}
