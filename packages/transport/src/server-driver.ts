/**
 * The driver of a server session: the one loop between a byte stream, a session and the application's handlers.
 * It knows nothing of the protocol.
 *
 * - It drains the session before it waits. Handlers that answer at once cost no turn of the event loop.
 * - It reads while it writes: replies that the peer does not take yet wait, joined and up to a bound, so that two
 *   peers with full buffers do not wait for each other for ever. Beyond the bound it neither reads nor looks at what it
 *   has read: the replies to one chunk of commands may be many times as long as the chunk.
 * - A chunk may hold thousands of commands. After so many of one client, all others have their turn.
 * - The stream is paused only when bytes really come that cannot be used yet: pausing at every question would cost
 *   two system calls a command. The session holds that one chunk, however large: the stream bounds it.
 *
 * Its tests need both ends of a stream, and stand in `transport-memory/test`.
 */
import {
  type Answer,
  type AuthenticationAttempt,
  type AuthenticationDecision,
  type Computation,
  type Envelope,
  isReply,
  type Question,
  type Reply,
  type ServerProtocolEvent,
  ServerSession,
  type ServerSessionOptions,
  type ServerState,
  type TlsInformation,
  type TransitionRecord,
} from '@sansmtp/core';
import { serverAudience, wantedOfSession } from './audience.js';
import { derivationsOf } from './authentication/derivations.js';
import { type FailureLimiter, limiterOf } from './authentication/failure-limiter.js';
import type { ByteStream, ByteStreamListener } from './byte-stream.js';
import { clientNetwork } from './client-network.js';
import type { Clock } from './clock.js';
import { connectionId } from './connection-id.js';
import { type Cryptography, webCryptography } from './cryptography.js';
import { DeadlineTimer } from './deadline-timer.js';
import { type RunInContext, sessionContext } from './diagnostics.js';
import { ForeignProtocolError } from './foreign-protocol-error.js';
import { Gathering } from './gathering.js';
import { checkCallees, checkClock, checkHandlers, checkStream, withoutTls } from './given-options.js';
import { complain, guarded } from './guarded.js';
import {
  ACCEPT,
  accepts,
  CLOSED_BY_LIMIT,
  isNamelessGrant,
  isPromiseLike,
  misreturned,
  namelessGrant,
  REJECT,
  type ResultRule,
  rejectionIn,
  ruleFor,
} from './handler-answers.js';
import {
  type HandlerResult,
  MailDataAbandonedError,
  Rejection,
  type ServerHandlers,
  type ServerSessionInformation,
} from './handlers.js';
import { MessageBody } from './message-body.js';
import { Observation } from './observation.js';
import type { ServerEvent, ServerObserver } from './observer.js';
import { release } from './release.js';
import { LiveInformation } from './session-information.js';
import { terminatedTls } from './terminated-tls.js';
import { thrownError } from './thrown-error.js';
import { TlsError } from './tls-error.js';

/** Octets of replies that may wait for the peer to take them before nothing more is read from it. */
const MAXIMUM_UNSENT_OCTETS = 65_536;

const NONE = new Uint8Array(0);

/** Commands of one client that are looked at before all others have their turn. */
const COMMANDS_A_TURN = 128;

/** The TLS that there is from the start is the stream's to know. */
export interface ServeOptions extends Omit<ServerSessionOptions, 'maximumHeldOctets' | 'observe' | 'tls'> {
  readonly clock: Clock;
  /**
   * The session's name, for logs and traces.
   * @default one that is unique among all processes
   */
  readonly id?: string;
  /** The label of the listener that accepted the connection, for `session.listener`. */
  readonly listener?: string;
  /**
   * Somebody before this server has ended the TLS that protects the client: a proxy or a load balancer. The session is as
   * protected from the start: AUTH is offered, STARTTLS is not. Say so only where nobody can connect past that one. Give
   * what is known of that TLS; without channel bindings, no -PLUS mechanism is offered. TLS of the stream itself counts
   * first.
   * @default false
   */
  readonly secured?: boolean | Partial<TlsInformation>;
  /**
   * Told of what happens: a function of everything, an object with functions of these kinds of events. What it throws goes
   * to `onError`.
   * @default nobody; subscribers of the channels `sansmtp:server:…` of `node:diagnostics_channel` are told all the same
   */
  readonly observer?: ServerObserver;
  /**
   * Computes the digests of SCRAM and CRAM-MD5.
   * @default webCryptography()
   */
  readonly cryptography?: Cryptography;
  /**
   * Limits failed authentications, of all sessions that are given the same one; the trusted, loopback and Unix sockets are
   * exempt.
   * @default one for each `handlers` object, for `startMailServer` one for the server, with the defaults of `failureLimiter()`
   */
  readonly failureLimiter?: FailureLimiter;
  /** Called with each step of the session's chart. What it throws goes to `onError`. */
  readonly onTransition?: (record: TransitionRecord) => void;
}

/** A session that is being served. */
export interface ServerConnection {
  readonly information: ServerSessionInformation;
  /** Where the session stands: a leaf state of the chart. */
  readonly state: ServerState;
  /** Milliseconds since the session began. */
  readonly age: number;
  /** Octets that came in; under TLS, what it protects. */
  readonly octetsReceived: number;
  /** Octets that were handed to the transport. */
  readonly octetsSent: number;
  /** Resolves when the connection is closed, whatever the reason. Never rejects. */
  readonly closed: Promise<void>;
  /**
   * Ends the session by 421 4.3.2 as soon as no message is under way, between two chunks of which one is as well; a
   * second call with `abandoning` also gives up one that arrives. Await `closed` next, and call `abort()` when that
   * takes too long: the client may not close, or a handler not decide.
   * @param options.reply what the client is told instead, 421 or 5yz
   */
  shutdown(options?: { readonly abandoning?: boolean; readonly reply?: Reply }): void;
  /** Drops the connection at once. */
  abort(reason?: Error): void;
}

/**
 * Serves SMTP to the peer of `stream` until the session is over (RFC 5321).
 * @param stream a connected stream that was not opened yet
 * @throws {RangeError} an option is out of its range; the stream was not opened
 * @throws {TypeError} an option or a handler is not known, or no function where it takes one; there is no stream, clock
 *   or `onMessage`; likewise
 */
export function serveSession<State>(
  stream: ByteStream,
  handlers: ServerHandlers<State>,
  options: ServeOptions,
): ServerConnection {
  checkStream(stream);
  checkClock(options?.clock);
  checkCallees(options);
  checkHandlers(handlers);
  return new ServerDriver(stream, handlers as ServerHandlers, options);
}

/**
 * Checks options as `serveSession` will, for whoever has them long before the first client connects.
 * @throws as `serveSession` does for its options
 */
export function checkServeOptions(options: Omit<ServeOptions, 'clock'>): void {
  terminatedTls(options.secured);
  checkCallees(options);
  serverAudience(options.observer);
  new ServerSession({ ...sessionPart(options), now: 0 });
}

/** What of the options is for the session, and not for the driver. */
function sessionPart(options: Omit<ServeOptions, 'clock'>): ServerSessionOptions {
  const {
    clock: _clock,
    cryptography: _cryptography,
    failureLimiter: _limiter,
    id: _id,
    listener: _listener,
    observer: _observer,
    onTransition: _onTransition,
    secured: _secured,
    ...session
  } = options as ServeOptions;
  return withoutTls(session);
}

/** By which handler a question is decided. */
const HANDLERS = {
  connect: 'onConnect',
  hello: 'onHello',
  mail: 'onMailFrom',
  rcpt: 'onRcptTo',
  data: 'onData',
  message: 'onMessage',
  verify: 'onVerify',
  expand: 'onExpand',
  help: 'onHelp',
  startTls: 'onStartTls',
  credentials: 'onCredentials',
  authenticate: 'onAuth',
  etrn: 'onEtrn',
  extension: 'onExtension',
} as const satisfies Record<Question['kind'], string>;

type Rephrase = NonNullable<ServeOptions['rephrase']>;

/** An `onMessage` under way. */
interface Delivery {
  readonly body: MessageBody;
  readonly answer: Answer | Promise<Answer>;
}

class ServerDriver implements ServerConnection, ByteStreamListener {
  readonly closed: Promise<void>;
  readonly information: LiveInformation;
  readonly #stream: ByteStream;
  readonly #handlers: ServerHandlers;
  readonly #clock: Clock;
  readonly #cryptography: Cryptography | undefined;
  readonly #session: ServerSession;
  readonly #failureLimiter: FailureLimiter;
  readonly #trusted: boolean;
  readonly #onTransition: ServeOptions['onTransition'];
  /** Undefined: nobody observes. */
  readonly #observation: Observation<ServerEvent, ServerSessionInformation> | undefined;
  /** Calls what the application has given. */
  readonly #run: RunInContext;
  readonly #timer: DeadlineTimer;
  readonly #begun: number;
  #octetsReceived = 0;
  #octetsSent = 0;
  #resolveClosed: () => void = () => {};

  #delivery: Delivery | undefined;
  #pumping = false;
  /** Nothing more is asked of the session. */
  #failed = false;
  /** Its end was told. */
  #closed = false;
  /** `onSecure` has yet to decide. */
  #isSecuring = false;
  #paused = false;
  #peerEnded = false;
  /** Replies that wait for the stream to have room; undefined while it has. */
  #unsent: Gathering | undefined;
  /** At how many commands the turn is over. */
  #turnEndsAt = COMMANDS_A_TURN;
  /** The turn is over, and the next has not come. */
  #waitsForTurn = false;
  /** The application does not keep up with the mail data, and the session knows. */
  #holdingBack = false;
  /** What the client spoke in the place of SMTP. */
  #foreignProtocol: ForeignProtocolError | undefined;
  /** When the pump began: one look at the clock serves all of what it does. */
  #now: number;

  constructor(stream: ByteStream, handlers: ServerHandlers, options: ServeOptions) {
    this.#stream = stream;
    this.#handlers = handlers;
    this.#clock = options.clock;
    this.#cryptography = options.cryptography;
    this.#now = options.clock.now();
    this.#begun = this.#now;
    this.#onTransition = options.onTransition;
    this.#failureLimiter = options.failureLimiter ?? limiterOf(handlers);
    this.#trusted = options.trusted ?? false;
    this.#timer = new DeadlineTimer(options.clock);
    const audience = serverAudience(options.observer);
    const observe = wantedOfSession<ServerProtocolEvent['type']>(audience);
    const tls = stream.tls ?? terminatedTls(options.secured);
    const session = new ServerSession({
      ...sessionPart(options),
      ...(options.rephrase && { rephrase: this.#guardedRephrase(options.rephrase) }),
      ...(tls && { tls }),
      // What cannot be had is not offered; but what is required is, so that nothing is served without it.
      ...(options.startTls === 'offered' && !stream.canStartTls && { startTls: 'none' }),
      observe: options.onTransition === undefined ? observe : [...observe, 'transition'],
      maximumHeldOctets: Number.MAX_SAFE_INTEGER,
      now: this.#now,
    });
    this.#session = session;
    const { id = connectionId(), listener } = options;
    const information = new LiveInformation(session, {
      id,
      peer: stream.peer,
      local: stream.local,
      listener,
    });
    this.information = information;
    if (audience.size > 0) {
      const now = () => this.#now;
      const onFault = (error: unknown) => this.#complain('observer', error);
      this.#observation = new Observation<ServerEvent, ServerSessionInformation>(
        audience,
        information,
        now,
        onFault,
      );
    }
    this.#run = sessionContext('server', information);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    stream.open(this);
    this.#observation?.tell({ type: 'opened', ...(tls && { tls }) });
    this.#pump();
  }

  get state(): ServerState {
    return this.#session.state;
  }

  get age(): number {
    return this.#clock.now() - this.#begun;
  }

  get octetsReceived(): number {
    return this.#octetsReceived;
  }

  get octetsSent(): number {
    return this.#octetsSent;
  }

  shutdown({
    abandoning = false,
    reply,
  }: {
    readonly abandoning?: boolean;
    readonly reply?: Reply;
  } = {}): void {
    this.#session.handle({ type: 'shutdown', abandoning, ...(reply && { reply }), now: this.#tick() });
    this.#pump();
  }

  abort(reason?: Error): void {
    this.#stream.abort(reason);
  }

  data(bytes: Uint8Array): void {
    const { wantsInput, state } = this.#session;
    if (state === 'connecting') this.information.spokeEarly = true;
    const now = this.#tick();
    this.#octetsReceived += bytes.length;
    this.#observation?.tell({ type: 'received', length: bytes.length });
    this.#session.handle({ type: 'bytes', bytes, now });
    if (!wantsInput || this.#waitsForTurn || this.#isSecuring) {
      this.#pause();
      // Nobody need wait any longer to see whether it would.
      if (state === 'connecting') this.#pump();
      return;
    }
    this.#turnEndsAt = this.#session.commandCount + COMMANDS_A_TURN;
    this.#pump();
  }

  end(): void {
    this.#peerEnded = true;
    this.#session.handle({ type: 'eof', now: this.#tick() });
    this.#pump();
  }

  drain(): void {
    const unsent = this.#unsent;
    this.#unsent = undefined;
    if (unsent !== undefined && unsent.length > 0) this.#write(unsent.take());
    this.#pump();
  }

  secure(tls: TlsInformation): void {
    this.#session.handle({ type: 'tlsEstablished', tls, now: this.#tick() });
    this.#observation?.tell({ type: 'tls', outcome: 'established', tls });
    const answer = this.#answerOf('onSecure', ruleFor('connect'), () =>
      this.#handlers.onSecure?.(tls, this.information),
    );
    if (!(answer instanceof Promise)) {
      this.#secured(answer);
      return;
    }
    // What the client says meanwhile waits: nothing of it is answered before it is known to be welcome.
    this.#isSecuring = true;
    this.#timer.arm(this.#session.nextDeadline(), this.#onDue);
    answer.then((settled) => {
      this.#isSecuring = false;
      this.#secured(settled);
    });
  }

  /** The application has decided on TLS that stands: a refusal ends the session, for TLS cannot be left. */
  #secured({ decision, reply }: Answer): void {
    this.#pump(() => {
      if (decision !== 'reject') return;
      const { code, lines } = reply ?? { code: 554, lines: ['No service for you here'] };
      const farewell = code < 500 ? { code: 421, lines } : { ...reply, code, lines };
      this.#session.handle({ type: 'shutdown', reply: farewell, now: this.#now });
    });
  }

  close(reason?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    const now = this.#tick();
    if (reason instanceof TlsError)
      this.#observation?.tell({ type: 'tls', outcome: 'failed', error: reason });
    this.#isSecuring = false;
    this.#pump(() => this.#session.handle({ type: 'lost', now }));
    this.#timer.clear();
    this.#delivery?.body.abandon('closed');
    const why = this.#foreignProtocol ?? reason;
    this.#resolveClosed();
    this.#call('onClose', () => this.#handlers.onClose?.(this.information, why));
    this.#observation?.closed(this.#session.ending, this.#octetsReceived, this.#octetsSent, why);
  }

  /**
   * Does all that the session asks for, then waits: for the peer, the application, or the deadline.
   * @param begin what to do before, and not to be interrupted by a handler that calls `shutdown()`
   */
  #pump(begin?: () => void): void {
    if (this.#isSecuring || this.#failed) return;
    if (this.#pumping) return; // a handler called shutdown() from within: the loop below goes on with it
    this.#pumping = true;
    this.#tick();
    try {
      begin?.();
      this.#drainSession();
      this.#await();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#pumping = false;
    }
  }

  /** Nothing is left to do now: reads on or does not, and sees to the deadline. */
  #await(): void {
    const isFull = this.#delivery?.body.isFull === true;
    if (isFull !== this.#holdingBack) {
      this.#holdingBack = isFull;
      this.#session.handle({ type: isFull ? 'holdBack' : 'readOn', now: this.#now });
    }
    if (this.#isCongested || isFull || this.#waitsForTurn) this.#pause();
    else if (this.#session.wantsInput) this.#resume();
    this.#timer.arm(this.#session.nextDeadline(), this.#onDue);
  }

  /**
   * Something threw that nobody here expects to: a SASL mechanism of the application's own, say. Where the session stands
   * is not known any more. Only this connection ends by it.
   */
  #fail(error: unknown): void {
    this.#failed = true;
    this.#timer.clear();
    this.#report('the session', error);
    this.#drop(thrownError(error, 'the session'));
  }

  /** Drops the connection; where its stream throws at that, its close will not come either. */
  #drop(reason: Error): void {
    guarded(
      () => this.#stream.abort(reason),
      (thrown) => {
        this.#complain('abort of the stream', thrown);
        this.close(reason);
      },
    );
  }

  /** The peer does not take its replies. */
  get #isCongested(): boolean {
    return this.#unsent !== undefined && this.#unsent.length > MAXIMUM_UNSENT_OCTETS;
  }

  #drainSession(): void {
    // A session that wants no input has little left to say, and may have to be told the end.
    while (!((this.#isCongested || this.#isTurnOver()) && this.#session.wantsInput)) {
      const output = this.#session.poll();
      if (output === undefined) return;
      switch (output.type) {
        case 'write':
          this.#write(output.bytes);
          break;
        case 'ask':
          this.#decide(output.question);
          break;
        case 'mailData':
          this.#observation?.tell({ type: 'mailData', octets: output.bytes });
          this.#delivery?.body.push(output.bytes);
          break;
        case 'abandonMailData':
          this.#delivery?.body.abandon(output.reason);
          this.#delivery = undefined;
          break;
        case 'upgradeTls':
          this.#writeUnsent();
          this.#stream.startTls();
          break;
        case 'compute':
          this.#compute(output.computation);
          break;
        case 'authenticationDecided':
          this.#tellDecision(output.decision);
          break;
        case 'close':
          if (output.foreignProtocol !== undefined) {
            this.#foreignProtocol = new ForeignProtocolError(output.foreignProtocol);
          }
          this.#writeUnsent();
          this.#stream.end();
          break;
        case 'closed':
          this.#writeUnsent();
          release(this.#stream, this.#peerEnded, this.#clock, this.#timer);
          break;
        case 'observed':
          this.#observation?.pass(output.event);
          this.#trace(output.event);
          break;
      }
    }
  }

  #write(bytes: Uint8Array): void {
    if (this.#unsent !== undefined) {
      this.#unsent.add(bytes);
      return;
    }
    this.#octetsSent += bytes.length;
    this.#observation?.tell({ type: 'sent', length: bytes.length });
    if (!this.#stream.write(bytes)) this.#unsent = new Gathering();
  }

  /** Nothing will be joined to it any more. */
  #writeUnsent(): void {
    const unsent = this.#unsent;
    this.#unsent = undefined;
    if (unsent !== undefined && unsent.length > 0) this.#write(unsent.take());
  }

  /** So many commands were looked at that others should have their turn: then this one goes on after them. */
  #isTurnOver(): boolean {
    if (this.#waitsForTurn) return true;
    if (this.#session.commandCount < this.#turnEndsAt) return false;
    this.#waitsForTurn = true;
    const goOn = () => {
      this.#waitsForTurn = false;
      this.#turnEndsAt = this.#session.commandCount + COMMANDS_A_TURN;
      this.#pump();
    };
    if (this.#clock.afterOthers === undefined) this.#clock.set(this.#clock.now(), goOn);
    else this.#clock.afterOthers(goOn);
    return true;
  }

  #tick(): number {
    this.#now = this.#clock.now();
    return this.#now;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#stream.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  readonly #onDue = (): void => {
    // What is held was not looked at yet: the deadline is set anew then.
    if (this.#waitsForTurn) return;
    const now = this.#tick();
    const due = this.#session.nextDeadline();
    if (this.#isSecuring) {
      if (due === undefined || due > now) this.#timer.arm(due, this.#onDue);
      else this.#drop(new Error('onSecure has not decided in time'));
      return;
    }
    // Whoever has not read the replies so far would not read a 421 either.
    if (this.#isCongested && !this.#session.delays && due !== undefined && due <= now) {
      this.#drop(new Error('The peer did not read its replies'));
      return;
    }
    this.#pump(() => this.#session.handle({ type: 'timeout', now }));
  };

  /** Has a digest computed: at once if it can be, else when its promise settles. */
  #compute(computation: Computation): void {
    const session = this.#session;
    const take = (result: Uint8Array | undefined) => {
      // The session may have given up waiting in the meantime.
      if (!session.wantsComputed) return;
      session.handle({ type: 'computed', result, now: this.#now });
    };
    // Too many wait for theirs: no fault, and a matter of a moment.
    const fail = (error: unknown): undefined =>
      error instanceof Rejection ? undefined : this.#report('cryptography', error);
    const check = (result: unknown): Uint8Array | undefined =>
      result instanceof Uint8Array
        ? result
        : fail(new TypeError('The cryptography computed something else than a Uint8Array'));
    let result: Uint8Array | PromiseLike<Uint8Array> | undefined;
    const cryptography = this.#cryptography ?? webCryptography();
    try {
      result =
        computation.kind === 'pbkdf2'
          ? derivationsOf(this.#cryptography)(async () => {
              // Whoever has left meanwhile needs none any more, and leaves the place to others.
              const left = this.closed.then(() => NONE);
              return session.wantsComputed ? Promise.race([cryptography.compute(computation), left]) : NONE;
            })
          : cryptography.compute(computation);
    } catch (error) {
      take(fail(error));
      return;
    }
    if (!isPromiseLike(result)) take(check(result));
    else
      Promise.resolve(result)
        .then(check, fail)
        .then((octets) => this.#pump(() => take(octets)));
  }

  /** Has a question answered: at once if the handler does, else when its promise settles. */
  #decide(question: Question): void {
    const answer = this.#consult(question);
    if (!(answer instanceof Promise)) {
      this.#answer(question, answer);
      return;
    }
    answer.then(
      (settled) => this.#pump(() => this.#answer(question, settled)),
      (error) => this.#fail(error),
    );
  }

  #answer(question: Question, answer: Answer): void {
    // The session may have given up waiting in the meantime.
    if (this.#session.question !== question) return;
    try {
      this.#session.handle({ type: 'answer', ...answer, now: this.#now });
    } catch (error) {
      // A reply that cannot be given here, such as 250 to DATA: the handler's fault, not the client's.
      this.#session.handle({
        type: 'answer',
        ...this.#refusal(HANDLERS[question.kind], error, ruleFor(question.kind)),
        now: this.#now,
      });
      return;
    }
    if (question.kind === 'data' && answer.decision === 'accept') this.#receive(question.envelope);
  }

  #consult(question: Question): Answer | Promise<Answer> {
    const { information } = this;
    const handlers = this.#handlers;
    const rule = ruleFor(question.kind);
    switch (question.kind) {
      case 'connect':
        return this.#answerOf('onConnect', rule, () => {
          const begin = (state: unknown) => {
            information.state = state;
            return connected(handlers, information);
          };
          const state: unknown = handlers.createState?.(information as never);
          return isPromiseLike(state) ? Promise.resolve(state).then(begin) : begin(state);
        });
      case 'hello':
        return this.#answerOf('onHello', rule, () => handlers.onHello?.(question.hello, information));
      case 'mail':
        return this.#answerOf('onMailFrom', rule, () => handlers.onMailFrom?.(question, information));
      case 'rcpt':
        return this.#answerOf('onRcptTo', rule, () =>
          handlers.onRcptTo?.(question, question.envelope, information),
        );
      case 'data':
        return this.#answerOf('onData', rule, () => handlers.onData?.(question.envelope, information));
      case 'verify':
        return this.#answerOf('onVerify', rule, () => handlers.onVerify?.(question.argument, information));
      case 'expand':
        if (handlers.onExpand === undefined) return REJECT;
        return this.#answerOf('onExpand', rule, () => handlers.onExpand?.(question.argument, information));
      case 'help':
        return this.#answerOf('onHelp', rule, () => handlers.onHelp?.(question.argument, information));
      case 'startTls':
        return this.#stream.canStartTls ? ACCEPT : REJECT;
      case 'credentials':
        if (this.#failedTooOften(question.username)) return CLOSED_BY_LIMIT;
        return this.#answerOf('onCredentials', rule, () => handlers.onCredentials?.(question, information));
      case 'authenticate':
        return this.#authenticate(question.attempt);
      case 'etrn':
        if (handlers.onEtrn === undefined) return REJECT;
        return this.#answerOf('onEtrn', rule, () => handlers.onEtrn?.(question.argument, information));
      case 'extension':
        if (handlers.onExtension === undefined) return REJECT;
        return this.#answerOf('onExtension', rule, () => handlers.onExtension?.(question, information));
      case 'message': {
        const delivery = this.#delivery;
        this.#delivery = undefined;
        delivery?.body.end();
        return delivery?.answer ?? REJECT;
      }
    }
  }

  #authenticate(attempt: AuthenticationAttempt): Answer | Promise<Answer> {
    const { onAuth } = this.#handlers;
    if (onAuth === undefined) return REJECT;
    const username = 'username' in attempt ? attempt.username : '';
    if (this.#failedTooOften(username)) return CLOSED_BY_LIMIT;
    const check = (answer: Answer) => {
      if (isNamelessGrant(attempt, answer)) this.#report('onAuth', namelessGrant(attempt));
      return answer;
    };
    const answer = this.#answerOf('onAuth', ruleFor('authenticate'), () =>
      onAuth.call(this.#handlers, attempt, this.information),
    );
    return answer instanceof Promise ? answer.then(check) : check(answer);
  }

  /** Under which the client's failures count; undefined where they do not. */
  get #countedClient(): string | undefined {
    // A trusted peer may speak for a client: from there on it is that client's failure.
    const isItself = this.#session.client?.address === undefined;
    return this.#trusted && isItself ? undefined : clientNetwork(this.information.peer);
  }

  #failedTooOften(username: string): boolean {
    const client = this.#countedClient;
    if (client === undefined) return false;
    let isClosed: unknown;
    const fault = (error: unknown) => this.#report('failureLimiter', error);
    guarded(() => {
      isClosed = this.#failureLimiter.isClosed(client, username, this.#now);
      return isClosed;
    }, fault);
    if (typeof isClosed === 'boolean') return isClosed;
    // Nothing was said, and nobody is to guess freely.
    if (isClosed !== undefined) fault(new TypeError('isClosed() gave no boolean: it has to know at once'));
    return true;
  }

  #tellDecision(decision: AuthenticationDecision): void {
    const client = this.#countedClient;
    if (decision.outcome === 'refused' && client !== undefined) {
      this.#call('failureLimiter', () =>
        this.#failureLimiter.failed(client, decision.username ?? '', this.#now),
      );
    }
    this.#call('onAuthDecided', () => this.#handlers.onAuthDecided?.(decision, this.information));
  }

  /** Mail data begins: hands the message to the application while it arrives. */
  #receive(envelope: Envelope): void {
    const body = new MessageBody(() => this.#pump());
    const answer = this.#answerOf('onMessage', ruleFor('message'), () =>
      this.#handlers.onMessage({ envelope, body }, this.information),
    );
    this.#delivery = { body, answer };
    if (answer instanceof Promise) answer.then(() => body.drop());
    else body.drop();
  }

  /** Runs a handler and reads its result, or what it throws, as an answer. */
  #answerOf(name: keyof ServerHandlers, rule: ResultRule, handler: () => unknown): Answer | Promise<Answer> {
    const answer = (result: unknown): Answer =>
      rule.read(result) ?? this.#refusal(name, misreturned(name, result, rule.takes), rule);
    try {
      const result = this.#run(handler);
      if (!isPromiseLike(result)) return answer(result);
      return Promise.resolve(result)
        .then(answer)
        .catch((error: unknown) => this.#refusal(name, error, rule));
    } catch (error) {
      return this.#refusal(name, error, rule);
    }
  }

  /** What a handler threw as an answer: its own reply if it brought one, else a temporary failure. */
  #refusal(name: string, error: unknown, { fault }: ResultRule): Answer {
    const rejection = rejectionIn(error);
    if (rejection !== undefined) return rejection;
    // Not a fault: the reader of a body that was abandoned lets the error pass.
    if (!(error instanceof MailDataAbandonedError)) this.#report(name, error);
    return fault;
  }

  /** A reply that cannot be put in other words goes out in ours: the client waits for it. */
  #guardedRephrase(rephrase: Rephrase): Rephrase {
    return (reply, occasion) => {
      let said: Reply | undefined;
      guarded(
        () => {
          const result = rephrase(reply, occasion);
          if (isPromiseLike(result)) return result;
          if (!isReply(result)) throw new TypeError('rephrase returned no reply');
          if (Math.floor(result.code / 100) !== Math.floor(reply.code / 100)) {
            throw new RangeError(
              `rephrase made ${result.code} of the reply ${reply.code}: it may change the words, but not what they mean (RFC 5321 §4.2.1)`,
            );
          }
          said = result;
          return undefined;
        },
        (error) => this.#report('rephrase', error),
      );
      return said ?? reply;
    };
  }

  /** Calls a handler that decides nothing. */
  #call(name: string, handler: () => unknown): void {
    guarded(
      () => this.#run(handler),
      (error) => this.#report(name, error),
    );
  }

  /** @param callback the name of what threw */
  #report(callback: string, error: unknown): undefined {
    this.#observation?.tell({ type: 'fault', callback, error });
    this.#complain(callback, error);
  }

  #complain(callback: string, error: unknown): void {
    if (this.#handlers.onError === undefined) {
      complain(callback, error);
      return;
    }
    guarded(
      () => this.#run(() => this.#handlers.onError?.(error, this.information)),
      (thrown) => {
        complain(callback, error);
        complain('onError', thrown);
      },
    );
  }

  #trace(event: ServerProtocolEvent): void {
    if (this.#onTransition === undefined || event.type !== 'transition') return;
    const { type: _, time: __, ...record } = event;
    guarded(
      () => this.#onTransition?.(record),
      (error) => this.#report('onTransition', error),
    );
  }
}

/** Someone connected, under TLS perhaps, which is decided on first. */
function connected(handlers: ServerHandlers, information: ServerSessionInformation): HandlerResult {
  const { tls } = information;
  if (tls === undefined || handlers.onSecure === undefined) return handlers.onConnect?.(information);
  const next = (result: Awaited<HandlerResult>): HandlerResult =>
    accepts(result) ? handlers.onConnect?.(information) : result;
  const result = handlers.onSecure(tls, information);
  return isPromiseLike(result) ? Promise.resolve(result).then(next) : next(result);
}
