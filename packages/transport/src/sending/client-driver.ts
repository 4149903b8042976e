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
  type EnvelopeInput,
  LocalProtocolError,
  namesOf,
  type Reply,
  type ServerOffer,
  type TlsInformation,
  type Verdict,
} from '@sansmtp/core';
import { type Cryptography, webCryptography } from '../cryptography.js';
import { checkCallees, checkClock, checkSignal, checkStream, withoutTls } from '../given-options.js';
import { complain, guarded } from '../guarded.js';
import { clientAudience, wantedOfSession } from '../observing/audience.js';
import { connectionId } from '../observing/connection-id.js';
import { type SessionContext, sessionContext } from '../observing/diagnostics.js';
import { Observation } from '../observing/observation.js';
import type { ClientSessionEvent } from '../observing/observer.js';
import type { ByteStream, ByteStreamListener } from '../streams/byte-stream.js';
import { release } from '../streams/release.js';
import type { ConnectionInformation } from '../streams/session-information.js';
import { thrownError } from '../thrown-error.js';
import type { Clock } from '../time/clock.js';
import { DeadlineTimer } from '../time/deadline-timer.js';
import { TlsError } from '../tls/tls-error.js';
import type {
  CancelSignal,
  ClientConnection,
  MessageSource,
  OpenSessionOptions,
  SessionSendOptions,
} from './client-connection.js';
import { clientName } from './client-name.js';
import {
  checkBeforeFinalDot,
  checkMessage,
  heedErrors,
  type MessageOutlet,
  MessageSending,
} from './message-sending.js';
import { OutgoingOctets } from './outgoing-octets.js';
import { SessionError } from './session-error.js';

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

/** A message on its way, and whoever waits for what becomes of it. */
interface Delivery {
  readonly sending: MessageSending;
  readonly resolve: (verdicts: readonly Verdict[]) => void;
  readonly reject: (error: unknown) => void;
  /** Lets go of the signal. */
  readonly release: () => void;
}

const SEND_OPTIONS = namesOf<SessionSendOptions>({ signal: true, beforeFinalDot: true });
const NO_OPTIONS: SessionSendOptions = {};
const NOTHING_TO_RELEASE = (): void => {};

class ClientDriver implements ClientConnection, ByteStreamListener, MessageOutlet {
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
  readonly #context: SessionContext;
  readonly #timer: DeadlineTimer;
  readonly #outgoing: OutgoingOctets;
  #octetsReceived = 0;
  #resolveClosed: () => void = () => {};

  #opening: { resolve(): void; reject(error: SessionError): void } | undefined;
  #delivery: Delivery | undefined;
  /** The session wants the message, or more of it. */
  #mailDataWanted = false;
  #inquiry: { resolve(reply: Reply): void; reject(error: SessionError): void } | undefined;
  #quitting = false;
  #failure: SessionError | undefined;
  #peerEnded = false;
  #closed = false;
  #closeReason: Error | undefined;
  /** The time of what happened, while that is worked through: all that is done meanwhile happens then. */
  #now: number | undefined;

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
    this.#context = sessionContext('client', information);
    if (audience.size > 0) {
      this.#observation = new Observation<ClientSessionEvent, ConnectionInformation>(
        audience,
        information,
        () => options.clock.now(),
        (error) => this.#complain('observer', error),
      );
    }
    this.#outgoing = new OutgoingOctets(stream, this.#observation);
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

  /** One promise a message: each further one would cost as much as a command. What is thrown in here rejects it. */
  send(
    envelope: EnvelopeInput,
    message: MessageSource,
    options: SessionSendOptions = NO_OPTIONS,
  ): Promise<readonly Verdict[]> {
    return new Promise((resolve, reject) => {
      heedErrors(message);
      this.#requireOpen('send');
      checkNames('The option', options, SEND_OPTIONS);
      const { signal, beforeFinalDot } = options;
      checkSignal(signal);
      checkBeforeFinalDot(beforeFinalDot);
      checkMessage(message);
      this.#session.handle({ type: 'send', envelope, now: this.#time() });
      const sending = new MessageSending(message, beforeFinalDot, this);
      this.#delivery = { sending, resolve, reject, release: this.#abortOn(signal) };
      this.#pump();
    });
  }

  async inquire(command: ClientInquiry): Promise<Reply> {
    this.#requireOpen('inquire');
    this.#session.handle({ type: 'inquire', command, now: this.#time() });
    const answered = new Promise<Reply>((resolve, reject) => {
      this.#inquiry = { resolve, reject };
    });
    this.#pump();
    return answered;
  }

  async quit(): Promise<void> {
    if (!this.#quitting && this.#failure === undefined) {
      this.#session.handle({ type: 'quit', now: this.#time() });
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
    this.#outgoing.isBlocked = false;
    this.#delivery?.sending.resume();
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
    this.#observation?.closed(this.#session.ending, this.#octetsReceived, this.#outgoing.octets, reason);
  }

  #time(): number {
    return this.#now ?? this.#clock.now();
  }

  /** Tells the session, and does what it asks for: the event loop called, and nothing may be thrown at it. */
  #happened(input: Parameters<ClientSession['handle']>[0]): void {
    this.#now = input.now;
    try {
      this.#session.handle(input);
      this.#pump();
    } catch (error) {
      this.#fail(error);
    }
    this.#now = undefined;
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
        case 'write': {
          const { bytes, redacted } = output;
          if (this.#onWire !== undefined) this.#record('sent', redacted ?? bytes);
          this.#outgoing.write(bytes, redacted !== undefined);
          break;
        }
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
    this.#timer.arm(this.#session.nextDeadline(), this);
    // Now that nothing else waits to be written.
    if (this.#mailDataWanted) this.#sendMessage();
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

  /** For the timer only. */
  due(): void {
    this.#happened({ type: 'timeout', now: this.#clock.now() });
  }

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
        this.#mailDataWanted = true;
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

  flush(): void {
    this.#outgoing.flush();
  }

  /** Begins with the message, or goes on with it. */
  #sendMessage(): void {
    this.#mailDataWanted = false;
    const sending = this.#delivery?.sending;
    if (sending === undefined) return;
    if (sending.isBegun) {
      // Not waiting to be resumed: it was resumed already, and will go on by itself.
      sending.resume();
      return;
    }
    try {
      sending.run()?.catch((error: unknown) => this.#giveUpMessage(error));
    } catch (error) {
      this.#giveUpMessage(error);
    }
  }

  /** The message cannot be sent to its end: so the connection is dropped without it. */
  #giveUpMessage(error: unknown): void {
    this.#finish(({ reject }) => reject(error));
    guarded(
      () => this.#stream.abort(error instanceof Error ? error : undefined),
      (thrown) => this.#fail(thrown),
    );
  }

  get isFull(): boolean {
    return this.#outgoing.isBlocked || !this.#session.wantsMailData;
  }

  get undecided(): readonly number[] {
    return this.#session.undecided;
  }

  handOver(bytes: Uint8Array | undefined, endFollows: boolean): void {
    const now = this.#time();
    this.#outgoing.isHolding = endFollows;
    if (bytes === undefined) this.#session.handle({ type: 'endOfMailData', now });
    else {
      this.#observation?.tell({ type: 'mailData', octets: bytes });
      this.#session.handle({ type: 'mailData', bytes, now });
    }
    this.#pump();
    this.#outgoing.isHolding = false;
  }

  /** Settles the delivery under way, and lets go of its body. */
  #finish(settle: (delivery: Delivery) => void): void {
    const delivery = this.#delivery;
    if (delivery === undefined) return;
    this.#delivery = undefined;
    settle(delivery);
    delivery.release();
    delivery.sending.leave();
  }

  /** Throws where nothing more can be asked of the session. */
  #requireOpen(input: 'send' | 'inquire'): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#session.state === 'closed') throw new LocalProtocolError('closed', `${input} came`, 'nothing');
  }

  #record(direction: 'sent' | 'received', bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#onWire === undefined) return;
    guarded(
      () => this.#context.runInAsyncScope(() => this.#onWire?.(direction, bytes)),
      (error) => this.#complain('onWire', error),
    );
  }

  #trace(event: ClientProtocolEvent): void {
    this.#observation?.pass(event);
    if (event.type !== 'transition' || this.#onTransition === undefined) return;
    const { type: _, time: __, ...record } = event;
    guarded(
      () => this.#context.runInAsyncScope(() => this.#onTransition?.(record)),
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
      () => this.#context.runInAsyncScope(() => this.#onError?.(error)),
      (thrown) => {
        complain(callback, error);
        complain('onError', thrown);
      },
    );
  }

  #abortOn(signal: CancelSignal | undefined): () => void {
    if (signal === undefined) return NOTHING_TO_RELEASE;
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
