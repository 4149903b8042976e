/**
 * The driver of a server session: the one loop between a byte stream, a session and the application's handlers.
 * It knows nothing of the protocol.
 *
 * - It drains the session before it waits. Handlers that answer at once cost no turn of the event loop.
 * - It reads while it writes: replies that the peer does not take yet wait, joined and up to a bound, so that two
 *   peers with full buffers do not wait for each other for ever. Beyond the bound it neither reads nor looks at what it
 *   has read: the replies to one chunk of commands may be many times as long as the chunk.
 * - A chunk may hold thousands of commands. After so many of one client, all others have their turn.
 * - Where the stream lends its octets, nothing of them is left when `data` returns: what the session holds, the body and
 *   the observers get are copies, and what may hold a secret is overwritten.
 * - The stream is paused only when bytes really come that cannot be used yet: pausing at every question would cost
 *   two system calls a command. The session holds that one chunk, however large: the stream bounds it.
 *
 * Its tests need both ends of a stream, and stand in `transport-memory/test`.
 */
import {
  type Answer,
  type Computation,
  checkNames,
  type Envelope,
  type Question,
  type Reply,
  type ServerProtocolEvent,
  ServerSession,
  type ServerState,
  type TlsInformation,
} from '@sansmtp/core';
import { limiterOf } from '../authentication/failure-limiter.js';
import { checkCallees, checkHandlers, checkStream } from '../given-options.js';
import { guarded } from '../guarded.js';
import { ACCEPT, CLOSED_BY_LIMIT, REJECT, ruleFor } from '../handlers/handler-answers.js';
import type { ServerHandlers, ServerSessionInformation } from '../handlers/handlers.js';
import { MessageBody } from '../handlers/message-body.js';
import { type Audience, serverAudience } from '../observing/audience.js';
import { connectionId } from '../observing/connection-id.js';
import { type Happening, Observation } from '../observing/observation.js';
import type { ServerEvent } from '../observing/observer.js';
import type { ByteStream, ByteStreamListener } from '../streams/byte-stream.js';
import { release } from '../streams/release.js';
import { thrownError } from '../thrown-error.js';
import type { Clock } from '../time/clock.js';
import { DeadlineTimer, type Due } from '../time/deadline-timer.js';
import { terminatedTls } from '../tls/terminated-tls.js';
import { TlsError } from '../tls/tls-error.js';
import { Application } from './application.js';
import { compute } from './computing.js';
import { consult, consultOnAuthentication, HANDLERS } from './consulting.js';
import { ForeignProtocolError } from './foreign-protocol-error.js';
import { LiveInformation } from './live-information.js';
import { LoginFailures } from './login-failures.js';
import { Outgoing } from './outgoing.js';
import { guardedRephrase } from './rephrasing.js';
import { type ServeOptions, type ServerConnection, sessionPart } from './server-connection.js';
import { type OwnOptions, SharedOptions } from './shared-options.js';
import type { Watching } from './watching.js';

/** Commands of one client that are looked at before all others have their turn. */
const COMMANDS_A_TURN = 128;

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
  const shared = new SharedOptions(options);
  checkHandlers(handlers);
  return new ServerDriver(stream, handlers as ServerHandlers, shared, options.id);
}

/**
 * Like `serveSession`, for many sessions with the same handlers and options, which are checked once.
 * @returns serves one session, under a name of its own, and tells `host` when its connection is closed
 * @throws likewise; but what is out of its range in an option may show only when the first session begins
 */
export function preparedToServe(
  handlers: ServerHandlers,
  options: Omit<ServeOptions, 'id'>,
): (stream: ByteStream, id: string, host?: SessionHost) => ServerConnection {
  const shared = new SharedOptions(options);
  checkHandlers(handlers);
  return (stream, id, host) => new ServerDriver(stream, handlers, shared, id, host);
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

/** Who has a session served among many. */
export interface SessionHost {
  /** The connection is closed: nothing more comes of it. */
  closed(): void;
}

/** An `onMessage` under way. */
interface Delivery {
  readonly body: MessageBody;
  readonly answer: Answer | Promise<Answer>;
}

/** Whether all that comes is mail data, up to its end. */
function isReceiving(state: ServerState): boolean {
  return state === 'session.transaction.receiving' || state === 'session.transaction.receivingChunk';
}

class ServerDriver implements ServerConnection, ByteStreamListener, Watching, Due {
  readonly information: LiveInformation;
  /** What `data` is given is the stream's again when it returns. */
  readonly borrows: boolean;
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #session: ServerSession;
  readonly #application: Application;
  /** Made for who authenticates. */
  #failures: LoginFailures | undefined;
  readonly #options: ServeOptions;
  readonly #host: SessionHost | undefined;
  readonly #outgoing: Outgoing;
  readonly #audience: Audience<ServerEvent, ServerSessionInformation>;
  /** Made for the first event that somebody wants. */
  #observation: Observation<ServerEvent, ServerSessionInformation> | undefined;
  readonly #timer: DeadlineTimer;
  readonly #begun: number;
  #octetsReceived = 0;
  /** Made for who asks. */
  #closing: Promise<void> | undefined;
  #resolveClosed: (() => void) | undefined;

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

  constructor(
    stream: ByteStream,
    handlers: ServerHandlers,
    shared: SharedOptions,
    id = connectionId(),
    host?: SessionHost,
  ) {
    const { given: options } = shared;
    this.#options = options;
    this.#host = host;
    this.#stream = stream;
    // Only where the stream says so itself: what stands between may know nothing of it, and keep the arrays.
    this.borrows = stream.lends === true;
    this.#clock = options.clock;
    this.#now = options.clock.now();
    this.#begun = this.#now;
    this.#timer = new DeadlineTimer(options.clock);
    const audience = shared.audience();
    const tls = stream.tls ?? terminatedTls(options.secured);
    const prepared = shared.prepared(audience, this.#ownOptions(options, tls));
    const session = new ServerSession({ prepared, now: this.#now });
    this.#session = session;
    const { listener } = options;
    const information = new LiveInformation(session, {
      id,
      peer: stream.peer,
      local: stream.local,
      listener,
    });
    this.information = information;
    this.#audience = audience;
    this.#application = new Application(handlers, information, this);
    this.#outgoing = new Outgoing(stream, this);
    stream.open(this);
    if (this.wants('opened')) this.tell({ type: 'opened', ...(tls && { tls }) });
    this.#pump();
  }

  /** Undefined where the session has nothing of its own. */
  #ownOptions({ rephrase, startTls }: ServeOptions, tls: TlsInformation | undefined): OwnOptions | undefined {
    // What cannot be had is not offered; but what is required is, so that nothing is served without it.
    const withoutStartTls = startTls === 'offered' && !this.#stream.canStartTls;
    if (rephrase === undefined && tls === undefined && !withoutStartTls) return undefined;
    return {
      ...(rephrase && {
        rephrase: guardedRephrase(rephrase, (error) => this.#application.report('rephrase', error)),
      }),
      ...(tls && { tls }),
      ...(withoutStartTls && { startTls: 'none' }),
    };
  }

  get closed(): Promise<void> {
    this.#closing ??= this.#closed
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#resolveClosed = resolve;
        });
    return this.#closing;
  }

  get #loginFailures(): LoginFailures {
    const { handlers } = this.#application;
    const { failureLimiter = limiterOf(handlers), trusted = false } = this.#options;
    this.#failures ??= new LoginFailures(
      failureLimiter,
      this.#application,
      this.#session,
      trusted,
      () => this.#now,
    );
    return this.#failures;
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
    return this.#outgoing.octets;
  }

  shutdown(options: { readonly abandoning?: boolean; readonly reply?: Reply } = {}): void {
    checkNames('The option', options, ['abandoning', 'reply']);
    const { abandoning = false, reply } = options;
    this.#session.handle({ type: 'shutdown', abandoning, ...(reply && { reply }), now: this.#tick() });
    this.#pump();
  }

  abort(reason?: Error): void {
    this.#stream.abort(reason);
  }

  data(bytes: Uint8Array): void {
    if (!this.borrows) {
      this.#take(bytes);
      return;
    }
    const { state, commandCount } = this.#session;
    this.#take(bytes);
    this.#session.copyHeld();
    // Commands and responses may be passwords. Mail data is none, and there is much of it.
    if (!isReceiving(state) || this.#session.commandCount !== commandCount) bytes.fill(0);
  }

  #take(bytes: Uint8Array): void {
    const { wantsInput, state } = this.#session;
    if (state === 'connecting') this.information.spokeEarly = true;
    const now = this.#tick();
    this.#octetsReceived += bytes.length;
    if (this.wants('received')) this.tell({ type: 'received', length: bytes.length });
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
    this.#outgoing.flush();
    this.#wake();
  }

  secure(tls: TlsInformation): void {
    this.#session.handle({ type: 'tlsEstablished', tls, now: this.#tick() });
    this.tell({ type: 'tls', outcome: 'established', tls });
    const answer = this.#application.answerOf('onSecure', ruleFor('connect'), () =>
      this.#application.handlers.onSecure?.(tls, this.information),
    );
    if (!(answer instanceof Promise)) {
      this.#secured(answer);
      return;
    }
    // What the client says meanwhile waits: nothing of it is answered before it is known to be welcome.
    this.#isSecuring = true;
    this.#timer.arm(this.#session.nextDeadline(), this);
    answer.then((settled) => {
      this.#isSecuring = false;
      this.#secured(settled);
    });
  }

  /** The application has decided on TLS that stands: a refusal ends the session, for TLS cannot be left. */
  #secured({ decision, reply }: Answer): void {
    this.#wake(() => {
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
    if (reason instanceof TlsError) this.tell({ type: 'tls', outcome: 'failed', error: reason });
    this.#isSecuring = false;
    this.#pump(() => this.#session.handle({ type: 'lost', now }));
    this.#timer.clear();
    this.#delivery?.body.abandon('closed');
    const why = this.#foreignProtocol ?? reason;
    this.#resolveClosed?.();
    this.#host?.closed();
    this.#tellClosed(why);
    if (this.#audience.size === 0) return;
    this.#observed.closed(this.#session.ending, this.#octetsReceived, this.#outgoing.octets, why);
  }

  #tellClosed(why: Error | undefined): void {
    const { handlers } = this.#application;
    if (handlers.onClose === undefined) return;
    this.#application.call('onClose', () => handlers.onClose?.(this.information, why));
  }

  wants(type: ServerEvent['type']): boolean {
    return this.#audience.has(type);
  }

  tell(happening: Happening<ServerEvent>): void {
    if (this.wants(happening.type)) this.#observed.tell(happening);
  }

  get #observed(): Observation<ServerEvent, ServerSessionInformation> {
    this.#observation ??= new Observation<ServerEvent, ServerSessionInformation>(
      this.#audience,
      this.information,
      () => this.#now,
      (error) => this.#application.complain('observer', error),
      this.#begun,
    );
    return this.#observation;
  }

  /** As `#pump`, in a turn in which nobody has looked at the clock yet. */
  #wake(begin?: () => void): void {
    if (!this.#pumping) this.#tick();
    this.#pump(begin);
  }

  /**
   * Does all that the session asks for, then waits: for the peer, the application, or the deadline.
   * @param begin what to do before, and not to be interrupted by a handler that calls `shutdown()`
   */
  #pump(begin?: () => void): void {
    if (this.#isSecuring || this.#failed) return;
    if (this.#pumping) return; // a handler called shutdown() from within: the loop below goes on with it
    this.#pumping = true;
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
    if (this.#outgoing.isCongested || isFull || this.#waitsForTurn) this.#pause();
    else if (this.#session.wantsInput) this.#resume();
    this.#timer.arm(this.#session.nextDeadline(), this);
  }

  /**
   * Something threw that nobody here expects to: a SASL mechanism of the application's own, say. Where the session stands
   * is not known any more. Only this connection ends by it.
   */
  #fail(error: unknown): void {
    this.#failed = true;
    this.#timer.clear();
    this.#application.report('the session', error);
    this.#drop(thrownError(error, 'the session'));
  }

  /** Drops the connection; where its stream throws at that, its close will not come either. */
  #drop(reason: Error): void {
    guarded(
      () => this.#stream.abort(reason),
      (thrown) => {
        this.#application.complain('abort of the stream', thrown);
        this.close(reason);
      },
    );
  }

  #drainSession(): void {
    // A session that wants no input has little left to say, and may have to be told the end.
    while (!((this.#outgoing.isCongested || this.#isTurnOver()) && this.#session.wantsInput)) {
      const output = this.#session.poll();
      if (output === undefined) return;
      switch (output.type) {
        case 'write':
          this.#outgoing.write(output.bytes);
          break;
        case 'ask':
          this.#decide(output.question);
          break;
        case 'mailData':
          if (this.wants('mailData')) this.#observed.mailData(output.bytes, this.borrows);
          this.#delivery?.body.push(output.bytes);
          break;
        case 'abandonMailData':
          this.#delivery?.body.abandon(output.reason);
          this.#delivery = undefined;
          break;
        case 'upgradeTls':
          this.#outgoing.flush();
          this.#stream.startTls();
          break;
        case 'compute':
          this.#compute(output.computation);
          break;
        case 'authenticationDecided':
          this.#loginFailures.decided(output.decision);
          break;
        case 'close':
          if (output.foreignProtocol !== undefined) {
            this.#foreignProtocol = new ForeignProtocolError(output.foreignProtocol);
          }
          this.#outgoing.flush();
          this.#stream.end();
          break;
        case 'closed':
          this.#outgoing.flush();
          release(this.#stream, this.#peerEnded, this.#clock, this.#timer);
          break;
        case 'observed':
          if (this.wants(output.event.type)) this.#observed.pass(output.event);
          this.#trace(output.event);
          break;
      }
    }
  }

  /** So many commands were looked at that others should have their turn: then this one goes on after them. */
  #isTurnOver(): boolean {
    if (this.#waitsForTurn) return true;
    if (this.#session.commandCount < this.#turnEndsAt) return false;
    this.#waitsForTurn = true;
    const goOn = () => {
      this.#waitsForTurn = false;
      this.#turnEndsAt = this.#session.commandCount + COMMANDS_A_TURN;
      this.#wake();
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

  /** For the timer only. */
  due(): void {
    // What is held was not looked at yet: the deadline is set anew then.
    if (this.#waitsForTurn) return;
    const now = this.#tick();
    const due = this.#session.nextDeadline();
    if (this.#isSecuring) {
      if (due === undefined || due > now) this.#timer.arm(due, this);
      else this.#drop(new Error('onSecure has not decided in time'));
      return;
    }
    // Whoever has not read the replies so far would not read a 421 either.
    if (this.#outgoing.isCongested && !this.#session.delays && due !== undefined && due <= now) {
      this.#drop(new Error('The peer did not read its replies'));
      return;
    }
    this.#pump(() => this.#session.handle({ type: 'timeout', now }));
  }

  #compute(computation: Computation): void {
    const session = this.#session;
    const take = (result: Uint8Array | undefined) => {
      // The session may have given up waiting in the meantime.
      if (!session.wantsComputed) return;
      const isOver = this.#loginFailures.haveBecomeTooMany;
      session.handle({ type: 'computed', result: isOver ? undefined : result, now: this.#now });
    };
    const result = compute(computation, this.#options.cryptography, {
      isWaiting: () => session.wantsComputed,
      left: this.closed,
      onFault: (error) => this.#application.report('cryptography', error),
    });
    if (result instanceof Promise) result.then((octets) => this.#wake(() => take(octets)));
    else take(result);
  }

  /** Has a question answered: at once if the handler does, else when its promise settles. */
  #decide(question: Question): void {
    const answer = this.#consult(question);
    if (!(answer instanceof Promise)) {
      this.#answer(question, answer);
      return;
    }
    answer.then(
      (settled) =>
        this.#wake(() => {
          const isOver = question.kind === 'authenticate' && this.#loginFailures.haveBecomeTooMany;
          this.#answer(question, isOver ? CLOSED_BY_LIMIT : settled);
        }),
      (error) => this.#fail(error),
    );
  }

  #consult(question: Question): Answer | Promise<Answer> {
    switch (question.kind) {
      case 'startTls':
        return this.#stream.canStartTls ? ACCEPT : REJECT;
      case 'message': {
        const delivery = this.#delivery;
        this.#delivery = undefined;
        delivery?.body.end();
        return delivery?.answer ?? REJECT;
      }
      case 'credentials':
      case 'authenticate':
        return consultOnAuthentication(question, this.#application, this.#loginFailures);
      default:
        return consult(question, this.#application);
    }
  }

  #answer(question: Question, answer: Answer): void {
    // The session may have given up waiting in the meantime.
    if (this.#session.question !== question) return;
    try {
      if (answer === ACCEPT) this.#session.accept(this.#now);
      else this.#session.handle({ type: 'answer', ...answer, now: this.#now });
    } catch (error) {
      // A reply that cannot be given here, such as 250 to DATA: the handler's fault, not the client's.
      this.#session.handle({
        type: 'answer',
        ...this.#application.refusal(HANDLERS[question.kind], error, ruleFor(question.kind)),
        now: this.#now,
      });
      return;
    }
    if (question.kind === 'data' && answer.decision === 'accept') this.#receive(question.envelope);
  }

  /** Mail data begins: hands the message to the application while it arrives. */
  #receive(envelope: Envelope): void {
    const body = new MessageBody(() => this.#wake(), this.borrows);
    const answer = this.#application.answerOf('onMessage', ruleFor('message'), () =>
      this.#application.handlers.onMessage({ envelope, body }, this.information),
    );
    this.#delivery = { body, answer };
    if (answer instanceof Promise) answer.then(() => body.drop());
    else body.drop();
  }

  #trace(event: ServerProtocolEvent): void {
    const { onTransition } = this.#options;
    if (onTransition === undefined || event.type !== 'transition') return;
    const { type: _, time: __, ...record } = event;
    guarded(
      () => onTransition(record),
      (error) => this.#application.report('onTransition', error),
    );
  }
}
