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
  type ClientEvent,
  type ClientInquiry,
  type ClientProtocolEvent,
  ClientSession,
  type ClientSessionOptions,
  type Computation,
  checkNames,
  concatenate,
  type EnvelopeInput,
  encodeText,
  LocalProtocolError,
  type Reply,
  type ServerOffer,
  type TlsInformation,
  type Verdict,
} from '@sansmtp/core';
import { clientAudience, wantedOfSession } from './audience.js';
import type { ByteStream, ByteStreamListener } from './byte-stream.js';
import type {
  CancelSignal,
  ClientConnection,
  MessageSource,
  OpenSessionOptions,
  SessionSendOptions,
} from './client-connection.js';
import { clientName } from './client-name.js';
import type { Clock } from './clock.js';
import { connectionId } from './connection-id.js';
import { type Cryptography, webCryptography } from './cryptography.js';
import { DeadlineTimer } from './deadline-timer.js';
import { type RunInContext, sessionContext } from './diagnostics.js';
import { checkCallees, checkClock, checkSignal, checkStream, withoutTls } from './given-options.js';
import { complain, guarded } from './guarded.js';
import { Observation } from './observation.js';
import type { ClientSessionEvent } from './observer.js';
import { release } from './release.js';
import { SessionError } from './session-error.js';
import type { ConnectionInformation } from './session-information.js';
import { thrownError } from './thrown-error.js';
import { TlsError } from './tls-error.js';

/**
 * Opens a session on a connected stream: awaits the greeting, says EHLO or HELO (RFC 5321 §3.1, §3.2). Call
 * `send()` next, then `quit()`.
 * @param stream a connected stream that was not opened yet
 * @throws {SessionError} the server refused, did not answer in time, or broke the protocol; or the connection was
 *   lost, for the reason in `cause` if there is one. The connection closes by itself then.
 * @throws {RangeError} an option is out of its range; the stream was not opened
 * @throws {TypeError} the credentials are of the wrong shape, or a callback is no function; the stream was not opened
 */
export async function openSession(
  stream: ByteStream,
  options: OpenSessionOptions,
): Promise<ClientConnection> {
  return new ClientDriver(stream, options).open(options.signal);
}

/**
 * Checks options as `openSession` will, for whoever has them long before a connection stands.
 * @throws as `openSession` does for its options
 */
export function checkOpenOptions(options: Omit<OpenSessionOptions, 'clock'>): void {
  checkCallees(options);
  clientAudience(options.observer);
  new ClientSession({ ...sessionPart(options), now: 0 });
}

/** What of the options is for the session, and not for the driver. */
function sessionPart(options: Omit<OpenSessionOptions, 'clock'>): ClientSessionOptions {
  const {
    clock: _,
    cryptography: __,
    signal: ___,
    onWire: ____,
    onTransition: _____,
    onError: ______,
    observer: _______,
    ...session
  } = options as OpenSessionOptions;
  return withoutTls(session);
}

/** A message on its way. */
interface Delivery {
  readonly message: MessageSource;
  readonly beforeFinalDot: SessionSendOptions['beforeFinalDot'];
  /** The session has asked for the message. It asks again each time that it wants more. */
  begun: boolean;
  /** The body, from its first chunk to its last. */
  iterator: AsyncIterator<Uint8Array> | undefined;
  resolve(verdicts: readonly Verdict[]): void;
  reject(error: unknown): void;
}

/**
 * Octets of a message that are handed to the session at once: how long they may take on their way is limited for each
 * such piece (RFC 5321 §4.5.3.2.5). As many wait at the message's end, so as to go out with it in one write.
 */
const MAXIMUM_PIECE_OCTETS = 65_536;

class ClientDriver implements ClientConnection, ByteStreamListener {
  readonly closed: Promise<void>;
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #cryptography: Cryptography | undefined;
  readonly #session: ClientSession;
  readonly #onWire: OpenSessionOptions['onWire'];
  readonly #onTransition: OpenSessionOptions['onTransition'];
  readonly #onError: OpenSessionOptions['onError'];
  /** Undefined: nobody observes. */
  readonly #observation: Observation<ClientSessionEvent, ConnectionInformation> | undefined;
  /** Calls what the application has given. */
  readonly #run: RunInContext;
  readonly #timer: DeadlineTimer;
  #octetsReceived = 0;
  #octetsSent = 0;
  #resolveClosed: () => void = () => {};

  #opening: { resolve(): void; reject(error: SessionError): void } | undefined;
  #delivery: Delivery | undefined;
  #inquiry: { resolve(reply: Reply): void; reject(error: SessionError): void } | undefined;
  #quitting = false;
  #failure: SessionError | undefined;
  #peerEnded = false;
  #closed = false;
  #closeReason: Error | undefined;
  #resumeBody: (() => void) | undefined;
  #blocked = false;
  /** Of the message under way, what was written but waits for its end. */
  #held: Uint8Array | undefined;
  #holding = false;

  constructor(stream: ByteStream, options: OpenSessionOptions) {
    checkStream(stream);
    checkClock(options?.clock);
    checkCallees(options);
    this.#stream = stream;
    this.#clock = options.clock;
    this.#cryptography = options.cryptography;
    this.#onWire = options.onWire;
    this.#onTransition = options.onTransition;
    this.#onError = options.onError;
    this.#timer = new DeadlineTimer(options.clock);
    const audience = clientAudience(options.observer);
    const wanted = wantedOfSession<ClientProtocolEvent['type']>(audience);
    const observe: typeof wanted = options.onTransition === undefined ? wanted : [...wanted, 'transition'];
    const { tls, canStartTls } = stream;
    const information = { id: connectionId(), peer: stream.peer, local: stream.local ?? {} };
    this.#run = sessionContext('client', information);
    if (audience.size > 0) {
      this.#observation = new Observation<ClientSessionEvent, ConnectionInformation>(
        audience,
        information,
        () => options.clock.now(),
        (error) => this.#complain('observer', error),
      );
    }
    this.#session = new ClientSession({
      ...(stream.local && { hostname: clientName(stream.local) }),
      ...sessionPart(options),
      ...(tls && { tls }),
      // What the stream cannot do is not begun: a server that has said 220 expects a handshake.
      ...(options.startTls === 'opportunistic' && !canStartTls && { startTls: 'never' }),
      observe,
      now: options.clock.now(),
    });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get offer(): ServerOffer {
    const { offer } = this.#session;
    if (offer === undefined)
      throw new Error('What the server offers is not known before the session is open');
    return offer;
  }

  async open(signal?: CancelSignal): Promise<ClientConnection> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    this.#stream.open(this);
    const { tls } = this.#stream;
    this.#observation?.tell({ type: 'opened', ...(tls && { tls }) });
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
    envelope: EnvelopeInput,
    message: MessageSource,
    options: SessionSendOptions = {},
  ): Promise<readonly Verdict[]> {
    heedErrors(message);
    this.#requireOpen('send');
    checkNames('The option', options, ['signal', 'beforeFinalDot']);
    const { signal, beforeFinalDot } = options;
    checkSignal(signal);
    checkBeforeFinalDot(beforeFinalDot);
    checkMessage(message);
    this.#session.handle({ type: 'send', envelope, now: this.#clock.now() });
    const sent = new Promise<readonly Verdict[]>((resolve, reject) => {
      this.#delivery = { message, beforeFinalDot, begun: false, iterator: undefined, resolve, reject };
    });
    const release = this.#abortOn(signal);
    this.#pump();
    try {
      return await sent;
    } finally {
      release();
    }
  }

  async inquire(command: ClientInquiry): Promise<Reply> {
    this.#requireOpen('inquire');
    this.#session.handle({ type: 'inquire', command, now: this.#clock.now() });
    const answered = new Promise<Reply>((resolve, reject) => {
      this.#inquiry = { resolve, reject };
    });
    this.#pump();
    return answered;
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
    // Where nobody records, nothing is looked through for what must not be recorded.
    if (this.#onWire !== undefined) this.#record('received', this.#session.recordable(bytes));
    this.#octetsReceived += bytes.length;
    this.#observation?.tell({ type: 'received', length: bytes.length });
    this.#happened({ type: 'bytes', bytes, now: this.#clock.now() });
  }

  end(): void {
    this.#peerEnded = true;
    this.#happened({ type: 'eof', now: this.#clock.now() });
  }

  drain(): void {
    this.#blocked = false;
    this.#resumeBody?.();
  }

  secure(tls: TlsInformation): void {
    this.#observation?.tell({ type: 'tls', outcome: 'established', tls });
    this.#happened({ type: 'tlsEstablished', tls, now: this.#clock.now() });
  }

  close(reason?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeReason = reason;
    this.#record('received', this.#session.recordableRest());
    const now = this.#clock.now();
    if (reason instanceof TlsError)
      this.#observation?.tell({ type: 'tls', outcome: 'failed', error: reason });
    this.#happened({ type: 'lost', ...(reason && { error: reason }), now });
    this.#timer.clear();
    this.#resolveClosed();
    this.#observation?.closed(this.#session.ending, this.#octetsReceived, this.#octetsSent, reason);
  }

  /** Tells the session, and does what it asks for: the event loop called, and nothing may be thrown at it. */
  #happened(input: Parameters<ClientSession['handle']>[0]): void {
    try {
      this.#session.handle(input);
      this.#pump();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Something threw that nobody here expects to, such as a stream of the application's own. This connection ends by it. */
  #fail(error: unknown): void {
    const reason = thrownError(error, 'the session');
    this.#complain('the session', error);
    guarded(
      () => this.#stream.abort(reason),
      // Then its close will not come either.
      () => this.close(reason),
    );
  }

  /** Does all that the session asks for, then waits: for the server, the body, or the deadline. */
  #pump(): void {
    for (let output = this.#session.poll(); output !== undefined; output = this.#session.poll()) {
      switch (output.type) {
        case 'write':
          this.#record('sent', output.redacted ?? output.bytes);
          this.#write(output.bytes);
          break;
        case 'event':
          this.#report(output.event);
          break;
        case 'upgradeTls':
          this.#stream.startTls();
          break;
        case 'compute':
          void this.#compute(output.computation);
          break;
        case 'close':
          this.#stream.end();
          break;
        case 'closed':
          release(this.#stream, this.#peerEnded, this.#clock, this.#timer);
          break;
        case 'observed':
          this.#trace(output.event);
          break;
      }
    }
    this.#timer.arm(this.#session.nextDeadline(), this.#onDue);
  }

  async #compute(computation: Computation): Promise<void> {
    try {
      const result = await (this.#cryptography ?? webCryptography()).compute(computation);
      // The session may have given up waiting in the meantime.
      if (!this.#session.wantsComputed) return;
      this.#session.handle({ type: 'computed', result, now: this.#clock.now() });
      this.#pump();
    } catch (error) {
      guarded(
        () => this.#stream.abort(thrownError(error, 'The cryptography')),
        (thrown) => this.#fail(thrown),
      );
    }
  }

  readonly #onDue = (): void => this.#happened({ type: 'timeout', now: this.#clock.now() });

  #report(event: ClientEvent): void {
    switch (event.type) {
      case 'greeting':
      case 'recipient':
        break;
      case 'ready':
        this.#opening?.resolve();
        this.#opening = undefined;
        break;
      case 'mailDataWanted':
        // Begun, and not waiting to be resumed: it was resumed already, and will go on by itself.
        if (this.#delivery?.begun === false) void this.#sendBody(this.#delivery);
        else this.#resumeBody?.();
        break;
      case 'answered':
        this.#inquiry?.resolve(event.reply);
        this.#inquiry = undefined;
        break;
      case 'done':
        this.#finish((delivery) => delivery.resolve(event.verdicts));
        break;
      case 'failed':
        this.#failure = new SessionError(event.failure, this.#closeReason);
        this.#opening?.reject(this.#failure);
        this.#opening = undefined;
        this.#inquiry?.reject(this.#failure);
        this.#inquiry = undefined;
        break;
    }
  }

  #write(bytes: Uint8Array): void {
    this.#held = this.#held === undefined ? bytes : concatenate([this.#held, bytes]);
    if (!this.#holding || this.#held.length > MAXIMUM_PIECE_OCTETS) this.#flush();
  }

  #flush(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    this.#octetsSent += held.length;
    this.#observation?.tell({ type: 'sent', length: held.length });
    if (!this.#stream.write(held)) this.#blocked = true;
  }

  async #sendBody(delivery: Delivery): Promise<void> {
    delivery.begun = true;
    const { message } = delivery;
    try {
      if (typeof message === 'string') await this.#sendWhole(encodeText(message), delivery);
      else if (Symbol.asyncIterator in message) await this.#sendPieces(message, delivery);
      else await this.#sendWhole(message, delivery);
    } catch (error) {
      this.#finish(({ reject }) => reject(error));
      guarded(
        () => this.#stream.abort(error instanceof Error ? error : undefined),
        (thrown) => this.#fail(thrown),
      );
    }
  }

  /** What is last of it goes out in one write with its end, since a write costs more than all else about a small message. */
  async #sendWhole(bytes: Uint8Array, delivery: Delivery): Promise<void> {
    await undefined; // the session's other outputs come first
    // Of a small message neither waits for anything: a promise for each would cost more than both.
    if (bytes.length <= MAXIMUM_PIECE_OCTETS && ArrayBuffer.isView(bytes) && this.#mayGoOn(delivery)) {
      this.#handOverLast(bytes);
    } else await this.#sendPiece(bytes, delivery, true);
    if (delivery.beforeFinalDot === undefined && this.#mayGoOn(delivery)) this.#handOver(undefined);
    else await this.#sendEnd(delivery);
  }

  async #sendPieces(body: AsyncIterable<Uint8Array>, delivery: Delivery): Promise<void> {
    const iterator = body[Symbol.asyncIterator]();
    delivery.iterator = iterator;
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) delivery.iterator = undefined;
      else await this.#sendPiece(value, delivery, false);
      if (done) {
        await this.#sendEnd(delivery);
        return;
      }
      while (this.#mustWait(delivery)) await this.#change();
      if (this.#delivery !== delivery) return;
    }
  }

  async #sendEnd(delivery: Delivery): Promise<void> {
    do {
      while (this.#mustWait(delivery)) await this.#change();
      if (this.#delivery !== delivery) return;
      if (delivery.beforeFinalDot !== undefined) await delivery.beforeFinalDot(this.#session.undecided);
      // What was stored may be too old by the time that the connection takes the end, and is then stored anew.
    } while (this.#mustWait(delivery));
    if (this.#delivery === delivery) this.#handOver(undefined);
  }

  /** @param last the end of the message follows, and may go out with it */
  async #sendPiece(bytes: Uint8Array, delivery: Delivery, last: boolean): Promise<void> {
    // What is no octets, such as the text of a stream with an encoding, would pass the session unencoded.
    if (!ArrayBuffer.isView(bytes)) throw new TypeError('A body consists of Uint8Arrays only');
    let begin = 0;
    do {
      // Asked each time: while the body was awaited, the server may have refused a chunk.
      while (this.#mustWait(delivery)) await this.#change();
      if (this.#delivery !== delivery) return;
      const end = begin + MAXIMUM_PIECE_OCTETS;
      if (last && end >= bytes.length) this.#handOverLast(bytes.subarray(begin));
      else this.#handOver(bytes.subarray(begin, end));
      begin = end;
    } while (begin < bytes.length);
  }

  /** The end of the message follows, and may go out with it. */
  #handOverLast(bytes: Uint8Array): void {
    this.#holding = true;
    this.#handOver(bytes);
    this.#holding = false;
  }

  /** @param bytes the next of the message; undefined: that was all */
  #handOver(bytes: Uint8Array | undefined): void {
    const now = this.#clock.now();
    if (bytes === undefined) this.#session.handle({ type: 'endOfMailData', now });
    else {
      this.#observation?.tell({ type: 'mailData', octets: bytes });
      this.#session.handle({ type: 'mailData', bytes, now });
    }
    this.#pump();
  }

  /**
   * The stream or the session takes no more of the body now. To be asked right before each piece, without an `await`
   * in between: a reply may come meanwhile.
   */
  #mustWait(delivery: Delivery): boolean {
    return this.#delivery === delivery && (this.#blocked || !this.#session.wantsMailData);
  }

  /** The delivery is under way, and more of it may be handed over at once. */
  #mayGoOn(delivery: Delivery): boolean {
    return this.#delivery === delivery && !this.#blocked && this.#session.wantsMailData;
  }

  /** Waits until the stream has room, the session wants more, or the delivery is settled. */
  #change(): Promise<void> {
    this.#flush();
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
    this.#resumeBody?.(); // what waits must not take the next message's turn for its own
    if (delivery.iterator !== undefined) void leave(delivery.iterator);
  }

  /** Throws where nothing more can be asked of the session. */
  #requireOpen(input: 'send' | 'inquire'): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#session.state === 'closed') throw new LocalProtocolError('closed', `${input} came`, 'nothing');
  }

  #record(direction: 'sent' | 'received', bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#onWire === undefined) return;
    guarded(
      () => this.#run(() => this.#onWire?.(direction, bytes)),
      (error) => this.#complain('onWire', error),
    );
  }

  #trace(event: ClientProtocolEvent): void {
    this.#observation?.pass(event);
    if (event.type !== 'transition' || this.#onTransition === undefined) return;
    const { type: _, time: __, ...record } = event;
    guarded(
      () => this.#run(() => this.#onTransition?.(record)),
      (error) => this.#complain('onTransition', error),
    );
  }

  /** @param callback the name of what threw */
  #complain(callback: string, error: unknown): void {
    if (callback !== 'observer') this.#observation?.tell({ type: 'fault', callback, error });
    if (this.#onError === undefined) {
      complain(callback, error);
      return;
    }
    guarded(
      () => this.#run(() => this.#onError?.(error)),
      (thrown) => {
        complain(callback, error);
        complain('onError', thrown);
      },
    );
  }

  #abortOn(signal: CancelSignal | undefined): () => void {
    if (signal === undefined) return () => {};
    const abort = () =>
      guarded(
        () => this.#stream.abort(signal.reason instanceof Error ? signal.reason : undefined),
        (thrown) => this.#fail(thrown),
      );
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    return () => signal.removeEventListener('abort', abort);
  }
}

function checkBeforeFinalDot(given: unknown): void {
  if (given === undefined || typeof given === 'function') return;
  throw new TypeError(
    `The option beforeFinalDot is ${given === null ? 'null' : `a ${typeof given}`}; it takes a function`,
  );
}

function checkMessage(message: unknown): void {
  if (typeof message === 'string' || ArrayBuffer.isView(message)) return;
  if (typeof message === 'object' && message !== null && Symbol.asyncIterator in message) return;
  const given = message === undefined ? 'missing' : message === null ? 'null' : `a ${typeof message}`;
  throw new TypeError(
    `The message is ${given}; it takes a text, a Uint8Array or an async iterable of Uint8Arrays`,
  );
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
