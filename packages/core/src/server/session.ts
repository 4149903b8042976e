/**
 * A server session: the chart joined to the wire.
 *
 * How it works
 * - `handle()` takes in what happened. `poll()` then works through it one step of the chart at a time and gives
 *   back one output at a time, until it has none.
 * - The peer's bytes become commands only when the chart waits for one. While the application decides, and while
 *   the session closes, no further command is looked at.
 * - What a line comes to is read in `command-under-way.ts`, and AUTH in `authentication.ts`; who the client is stands in
 *   `client-identity.ts`, what an answer must be in `answers.ts`. `receiving.ts` has the mail data that arrives,
 *   `giving.ts` the replies on their way. Here the chart is stepped, and its effects are performed.
 *
 * Invariants
 * - Whatever the chunks in which the peer's bytes come, the outputs are the same, limits included; but for how
 *   much is handed out of mail data that is taken back, and for octets in the clear behind STARTTLS, which end the
 *   session with a 421 if they are there before the 220, and without a word behind it.
 * - One question is open at most, and every command gets one reply, in order; in LMTP a message has one for each of
 *   its recipients.
 * - Octets that BDAT announces are never taken for commands: the reply to a BDAT that is refused waits until they
 *   were read away, and where nobody can tell how many they are, the session ends. None of them is kept.
 * - An AUTH exchange is known while the chart is in `authenticating`, and not longer: it may hold a password.
 * - Mail data that was handed out is either asked about (`message`) or taken back (`abandonMailData`).
 * - Held back until the session waits for the client again: the end of the peer's bytes, and a shutdown; the latter
 *   until no message is under way, between two chunks of it as well, or until it is told to give that up.
 * - While the client is made to wait (`client-wait.ts`), no reply leaves and no command is looked at, and all other
 *   deadlines stand still.
 */

import type { ChartState } from '../chart/table/compile.js';
import { CLEAR_DEADLINE, type DeadlineEffect, type Effect, SET_DEADLINE } from '../chart/table/operations.js';
import type { ChartRunner } from '../chart/table/runner.js';
import { changesBetween, type SessionEnding } from '../chart/table/transition-record.js';
import { Deadlines } from '../deadlines.js';
import { LocalProtocolError } from '../errors.js';
import type { ClientAttributes } from '../extensions/session/client-attributes.js';
import { customVerbs } from '../extensions/table.js';
import { checkNow } from '../option-checks.js';
import { encodeBase64 } from '../sasl/exchange/base64.js';
import type { AuthenticatedIdentity } from '../sasl/exchange/exchange.js';
import type { TlsInformation } from '../tls.js';
import { MAXIMUM_AUTHENTICATION_OCTETS } from '../wire/commands/command.js';
import type { OrdinaryCommand } from '../wire/commands/ordinary-command.js';
import { beginsTls, type ForeignProtocol, foreignProtocolOf } from '../wire/foreign-protocol.js';
import { InboundBuffer, type InboundLine } from '../wire/inbound.js';
import { NOTHING } from '../wire/octets.js';
import type { Reply } from '../wire/replies/reply.js';
import type { ServerContext } from './chart/chart-context.js';
import type { ServerAction, ServerChartEvent, ServerState } from './chart/chart-events.js';
import { type Authentication, readResponse } from './client/authentication.js';
import { type ClientIdentity, forgetClient, impersonate, unknownClient } from './client/client-identity.js';
import { ClientWait } from './client/client-wait.js';
import { CommandReading } from './commands/command-reading.js';
import { type CommandUnderWay, readCommand } from './commands/command-under-way.js';
import { Junk } from './commands/junk.js';
import { ordinaryUnderWay } from './commands/ordinary-under-way.js';
import { allowedIn } from './contract/allowed-inputs.js';
import { checkAnswer, checkFarewell, completed } from './contract/answers.js';
import type { ServerInput, ServerOutput } from './contract/messages.js';
import type { ResolvedServerOptions, ServerSessionOptions } from './contract/options.js';
import type { Answer, Envelope, Hello, Question, Recipient } from './decisions/questions.js';
import { defaultReplies, malformedMessage, replies } from './decisions/replies.js';
import { MailDataRate } from './mail-data/mail-data-rate.js';
import { Receiving } from './mail-data/receiving.js';
import { Observing } from './observing.js';
import { PreparedServerOptions } from './prepared-options.js';
import { Giving } from './replying/giving.js';
import type { Offer } from './replying/introductions.js';
import { serverTable } from './server-table.js';

/** The states of an AUTH exchange. */
const AUTHENTICATING = 'session.authenticating.';

/** What nearly every step tells the chart, and its messages. */
const ACCEPTED = { type: 'accepted' } as const;
const ACCEPTANCE: Answer = { decision: 'accept' };

/** The questions that are only answered: nothing else is known, begun or counted with their acceptance. */
const TAKES_MERE_ACCEPTANCE: ReadonlySet<Question['kind']> = new Set(['mail', 'rcpt', 'data', 'message']);
const END_OF_MAIL_DATA = { type: 'endOfMailData' } as const;

/** An open mail transaction; the application sees it as an `Envelope`. */
interface Transaction extends Envelope {
  readonly recipients: Recipient[];
}

/**
 * The server's end of one SMTP connection (RFC 5321), without I/O.
 *
 * Drive it so: hand in what happens by `handle()`, then call `poll()` until it returns undefined and do what each
 * output says; call `handle({ type: 'timeout' })` when `nextDeadline()` has passed; stop reading from the
 * connection while `wantsInput` is false. The first `poll()` asks whether to serve the client.
 *
 * An answer may be handed in before `poll()` has returned undefined, and is best handed in at once: then the
 * replies to a pipelined batch leave in one `write` (RFC 2920 §3.2).
 */
export class ServerSession {
  readonly #options: ResolvedServerOptions;
  readonly #inbound: InboundBuffer;
  readonly #reading: CommandReading;
  readonly #deadlines = new Deadlines();
  readonly #position: ChartRunner<ServerContext, ServerChartEvent>;
  #now: number;

  readonly #giving: Giving;
  /** The greeting or a refusal is delayed. */
  readonly #wait = new ClientWait();

  readonly #junk: Junk;
  /** When the session has lasted too long. */
  readonly #endsAt: number;
  #commandCount = 0;
  #foreignProtocol: ForeignProtocol | undefined;
  #ending: SessionEnding | undefined;
  /** The last command line ended in LF alone. */
  #afterBareLineFeed = false;

  #ended = false;
  #shutdown = false;
  #question: Question | undefined;
  #answer: Answer | undefined;
  /** What goes with the acceptance of EHLO. */
  #offer: Offer | undefined;
  /** The command that was read last, while anything is to be done about it. */
  #command: CommandUnderWay | undefined;
  /** What to say at a shutdown. */
  #farewell: Reply = replies.shuttingDown;
  #transaction: Transaction | undefined;
  #receiving: Receiving | undefined;
  /** Of the message that is received. */
  #rate: MailDataRate | undefined;
  /** Since when the host does not read, because the application does not keep up with the mail data. */
  #heldBackSince: number | undefined;
  #client: ClientIdentity;
  /** Undefined: nobody observes. */
  readonly #observing: Observing | undefined;

  /**
   * @param options.now the time at which the connection was made, in monotonic milliseconds
   * @param options.prepared options that were checked before, in the place of all others: for those who serve many
   * @throws {RangeError} an option is out of its range; the message names both
   */
  constructor(
    options:
      | (ServerSessionOptions & { readonly now: number })
      | { readonly prepared: PreparedServerOptions; readonly now: number },
  ) {
    const given = (options as { readonly prepared?: unknown } | undefined)?.prepared;
    const prepared =
      given instanceof PreparedServerOptions
        ? given
        : new PreparedServerOptions(options as ServerSessionOptions);
    this.#options = prepared.resolved;
    this.#inbound = new InboundBuffer(this.#options.bareNewline);
    this.#giving = new Giving(
      this.#options,
      prepared.introductions,
      this.#wait,
      () => {
        // The octets that it waits for may come no more slowly than those of a message.
        if (this.#receiving === undefined) this.#watchRate();
      },
      () =>
        this.#wait.beforeRefusal(this.#now + this.#options.refusalDelay, () => {
          // The client has waited for it, and has its time for the next command from now on.
          this.#restartDeadlines();
          this.#giving.flush();
        }),
    );
    this.#reading = new CommandReading(this.#options, prepared.introductions);
    this.#client = unknownClient(this.#options.tls);
    this.#junk = new Junk(this.#options);
    this.#now = checkNow(options.now);
    this.#endsAt = options.now + this.#options.timeouts.session;
    if (this.#options.observe.size > 0) {
      this.#observing = new Observing(
        this.#options.observe,
        customVerbs(this.#options.extensions),
        () => this.#now,
        (event) => this.#giving.put({ type: 'observed', event }),
      );
      this.#giving.observing = this.#observing;
    }
    const { position, effects } = prepared.beginning;
    this.#position = serverTable.run(position);
    const { greetingDelay } = this.#options;
    if (greetingDelay > 0)
      this.#wait.beforeGreeting(this.#now + greetingDelay, () => this.#performAll(effects));
    else this.#performAll(effects);
  }

  /** Where the session stands: a leaf state of the chart, such as `session.transaction.opened`. */
  get state(): ServerState {
    return this.#position.value as ServerState;
  }

  /** False: stop reading from the peer, for what it sends cannot be looked at yet. */
  get wantsInput(): boolean {
    if (this.#question !== undefined || this.wantsComputed || this.#wait.isOn) return false;
    return this.#position.value !== 'closed';
  }

  /** The client is made to wait until `nextDeadline()`: for the greeting, or for a refusal. */
  get delays(): boolean {
    return this.#wait.isOn;
  }

  /** The result of the last `compute` is awaited: `computed` is allowed. */
  get wantsComputed(): boolean {
    return this.#position.value === 'session.authenticating.computing';
  }

  /** How the client introduced itself; undefined before EHLO or HELO was accepted. */
  get hello(): Hello | undefined {
    return this.#client.hello;
  }

  /** The TLS that protects the connection. */
  get tls(): TlsInformation | undefined {
    return this.#client.tls;
  }

  /** Who has authenticated themselves (RFC 4954), or whom a trusted peer said to have (XCLIENT). */
  get identity(): AuthenticatedIdentity | undefined {
    return this.#client.authenticated;
  }

  /** For whom a trusted peer speaks (XCLIENT): true in the place of the connection's own peer. */
  get client(): ClientAttributes | undefined {
    return this.#client.client;
  }

  /**
   * From whom a trusted peer had the mail of this mail transaction, or the next one (XFORWARD): for logs, not for
   * decisions.
   */
  get forwarded(): ClientAttributes | undefined {
    return this.#client.forwarded;
  }

  /** The question that is open; `handle({ type: 'answer', … })` answers it. */
  get question(): Question | undefined {
    return this.#question;
  }

  /** Commands that were looked at so far: a host that serves many can see when others should have their turn. */
  get commandCount(): number {
    return this.#commandCount;
  }

  /** How the session began to end; undefined while it goes on. */
  get ending(): SessionEnding | undefined {
    return this.#ending;
  }

  /** When to call `handle({ type: 'timeout' })` at the latest, in monotonic milliseconds. */
  nextDeadline(): number | undefined {
    if (this.#wait.until !== undefined) return this.#wait.until;
    if (this.#heldBackSince !== undefined) {
      const due = this.#heldBackSince + this.#options.timeouts.decision;
      return due === Number.POSITIVE_INFINITY ? undefined : due;
    }
    const next = this.#deadlines.next() ?? Number.POSITIVE_INFINITY;
    const end = this.#isBetweenTransactions ? this.#endsAt : Number.POSITIVE_INFINITY;
    const tooSlow =
      this.#isReceiving && this.#rate !== undefined ? this.#now + this.#rate.left : Number.POSITIVE_INFINITY;
    const earliest = Math.min(next, end, tooSlow);
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  /** It waits for the client, and no mail transaction is open. */
  get #isBetweenTransactions(): boolean {
    const { value } = this.#position;
    return value === 'session.ready' || value === 'session.greeted' || value === 'refused';
  }

  /** It waits for mail data, for the next chunk of it, or for the octets of one that is refused. */
  get #isReceiving(): boolean {
    const { value } = this.#position;
    return (
      this.#giving.replying.isHeld ||
      value === 'session.transaction.receiving' ||
      value === 'session.transaction.receivingChunk' ||
      value === 'session.transaction.chunked'
    );
  }

  /** The mail transaction takes no more recipients. */
  get #isFull(): boolean {
    const { value } = this.#position;
    const { maximumRecipients } = this.#options;
    return value === 'session.transaction.addressed' && this.#envelope.recipients.length >= maximumRecipients;
  }

  /**
   * Takes in what happened; call `poll()` next.
   * @throws {LocalProtocolError} an answer to no question, or one whose reply contradicts it; more bytes than
   *   `maximumHeldOctets` while `wantsInput` is false; `computed` or the outcome of a TLS handshake where none is
   *   awaited
   * @throws {RangeError} an answer whose reply cannot be written (RFC 5321 §4.2), or an acceptance of EHLO where a service
   *   extension offers what no reply can hold, or what is to be withheld is not known; the question stays open
   * @throws what the `offer()` of a service extension throws; likewise
   */
  handle(input: ServerInput): void {
    if (this.#position.value === 'closed') return;
    if (this.#isReceiving && this.#heldBackSince === undefined) this.#rate?.spend(input.now - this.#now);
    this.#now = input.now;
    this.#wait.take(input);
    switch (input.type) {
      case 'bytes':
        this.#hold(input.bytes);
        break;
      case 'eof':
        this.#ended = true;
        break;
      case 'shutdown':
        this.#shutdown = true;
        if (input.reply !== undefined) this.#farewell = checkFarewell(input.reply, this.state);
        if (input.abandoning && this.#receiving !== undefined && this.#question === undefined) {
          this.#step({ type: 'shutdown' });
        }
        break;
      case 'answer':
        this.#takeAnswer(input);
        break;
      case 'lost':
        this.#step({ type: 'connectionLost' });
        break;
      case 'tlsEstablished':
        this.#require('session.securing', input.type);
        this.#client = { ...this.#client, tls: input.tls };
        this.#step({ type: 'tlsEstablished' });
        break;
      case 'tlsFailed':
        this.#require('session.securing', input.type);
        this.#step({ type: 'tlsFailed' });
        break;
      case 'computed':
        // A host that computes meanwhile cannot know that the session has given up.
        if (this.#position.value === 'closing') break;
        this.#require('session.authenticating.computing', input.type);
        this.#step({ type: 'computed', next: this.#exchange.resumeWithResult(input.result) });
        break;
      case 'holdBack':
        if (this.#receiving !== undefined) this.#heldBackSince ??= this.#now;
        break;
      case 'readOn':
        if (this.#heldBackSince === undefined) break;
        this.#heldBackSince = undefined;
        this.#deadlines.restart(this.#now);
        break;
      case 'timeout':
        if (this.#wait.isOn) break;
        if (this.#heldBackSince !== undefined) {
          if (this.#now >= this.#heldBackSince + this.#options.timeouts.decision) {
            this.#cutOff(replies.decisionTimeout);
          }
          break;
        }
        for (const id of this.#deadlines.takeAllDue(this.#now)) this.#step({ type: id });
        if (this.#isReceiving && this.#rate?.left === 0) this.#cutOff(replies.mailDataTooSlow);
    }
  }

  /** The next thing to do, or undefined when there is nothing left until the next `handle()`. */
  poll(): ServerOutput | undefined {
    for (;;) {
      const output = this.#giving.take();
      if (output !== undefined) return output;
      if (!this.#advance()) {
        // While more of a pipelined batch is held, its replies wait for the open decision, however long it takes.
        if (this.wantsInput || this.#inbound.length === 0) this.#giving.flush();
        return this.#giving.take();
      }
    }
  }

  /**
   * Copies what the session still holds of the bytes that were handed in: from here on their arrays may be written into.
   * For hosts that read into one array over and over: they call it when `poll()` has nothing more to give, and copy what
   * they keep of `mailData`.
   */
  copyHeld(): void {
    this.#inbound.copyHeld();
  }

  #hold(bytes: Uint8Array): void {
    if (this.#position.value === 'closing' || bytes.length === 0) return;
    if (this.#position.value === 'session.securing') {
      this.#step({ type: 'plaintext' });
      return;
    }
    if (!this.wantsInput && this.#inbound.length + bytes.length > this.#options.maximumHeldOctets) {
      throw new LocalProtocolError(
        this.state,
        `${bytes.length} octets came, over maximumHeldOctets, while wantsInput was false`,
        allowedIn(this.state, this.#question),
      );
    }
    this.#inbound.push(bytes);
  }

  /** Throws unless the session stands where this input is awaited. */
  #require(state: ServerState, input: ServerInput['type']): void {
    if (this.#position.value === state) return;
    throw new LocalProtocolError(this.state, `${input} came`, allowedIn(this.state, this.#question));
  }

  /** The same as `handle({ type: 'answer', decision: 'accept', now })`: what is answered so most of the time. */
  accept(now: number): void {
    const question = this.#question;
    // No client waits while a question is open, nor is the time of its message running.
    if (
      question === undefined ||
      !TAKES_MERE_ACCEPTANCE.has(question.kind) ||
      this.#observing?.wants('decision') === true
    ) {
      this.handle({ type: 'answer', decision: 'accept', now });
      return;
    }
    this.#now = now;
    this.#answer = ACCEPTANCE;
    this.#step(ACCEPTED);
  }

  #takeAnswer(answer: Answer): void {
    const question = this.#question;
    checkAnswer(question, answer, this.#options.protocol, this.state);
    const { decision } = answer;
    if (question.kind === 'hello' && decision === 'accept') {
      this.#offer = this.#reading.offerTo(question.hello.verb, this.#client, answer.withhold);
    }
    this.#observing?.decision(question, answer);
    const { code } = answer.reply ?? defaultReplies[question.kind][decision];
    if ((question.kind === 'credentials' || question.kind === 'authenticate') && code !== 421) {
      this.#question = undefined;
      const next = this.#exchange.resumeWithAnswer(question.kind, completed(question.kind, answer));
      this.#step(decision === 'accept' ? { type: 'accepted', next } : { type: 'rejected', code, next });
      return;
    }
    const excess = decision === 'reject' && code !== 421 ? this.#junk.refuse(question.kind) : undefined;
    this.#answer = excess === undefined ? completed(question.kind, answer) : { decision, reply: excess };
    if (excess !== undefined) {
      this.#step({ type: 'rejected', code: excess.code });
    } else if (decision === 'reject') {
      this.#step({ type: 'rejected', code });
    } else if (question.kind === 'startTls' && this.#inbound.length > 0) {
      this.#step({ type: 'accepted', plaintextFollows: true });
    } else {
      this.#step(ACCEPTED);
    }
  }

  /** Does one thing with what is held; false if nothing can be done before the next `handle()`. */
  #advance(): boolean {
    const state = this.#position.value;
    if (this.#question !== undefined || state === 'closed' || this.wantsComputed) return false;
    if (this.#wait.isOn) return false;
    if (state === 'closing' || state === 'session.securing') return this.#endOfInput();
    if (this.#now >= this.#endsAt && this.#isBetweenTransactions) return this.#cutOff(replies.sessionTooLong);
    if (this.#giving.replying.isHeld) return this.#readAway();
    if (this.#receiving !== undefined && state !== 'session.transaction.chunked') {
      return this.#receiveMailData(this.#receiving);
    }
    if (this.#shutdown && this.#receiving === undefined) return this.#step({ type: 'shutdown' });
    if (state === 'session.authenticating.challenged') {
      const line = this.#inbound.nextLine(MAXIMUM_AUTHENTICATION_OCTETS);
      if (line === undefined) return this.#endOfInput();
      this.#observing?.response(line);
      const protocol = foreignProtocolOf(line);
      if (protocol !== undefined) return this.#refuseProtocol(protocol);
      return this.#step(readResponse(line, this.#exchange));
    }
    // Who wants to know of commands is shown the line.
    if (this.#observing?.wants('command') !== true) {
      const { length } = this.#inbound;
      const command = this.#inbound.nextOrdinaryCommand(this.#options.maximumCommandLength);
      if (command !== undefined) return this.#takeOrdinary(command, length - this.#inbound.length);
    }
    const line = this.#inbound.nextLine(this.#reading.longestLine);
    if (line !== undefined) return this.#takeCommand(line);
    if (this.#inbound.length > 1 && beginsTls(this.#inbound.nextChunk())) return this.#refuseProtocol('TLS');
    return this.#endOfInput();
  }

  /** All that the peer sent has been looked at. */
  #endOfInput(): boolean {
    return this.#ended && this.#step({ type: 'peerClosed' });
  }

  #takeCommand(line: InboundLine): true {
    this.#command = readCommand(line, this.#reading, this.#options, this.#client, this.#transaction);
    this.#commandCount += 1;
    this.#observing?.command(line, this.#command, this.state);
    const { event, verb, about = verb, octetsBehind = 0 } = this.#command;
    this.#giving.verb = about;
    this.#giving.replying.expect(octetsBehind);
    this.#afterBareLineFeed = line.kind === 'line' && line.endsInBareLineFeed === true;
    if (event.type === 'badCommand') {
      const protocol = foreignProtocolOf(line);
      if (protocol !== undefined) return this.#refuseProtocol(protocol);
    }
    if ('aboutAddress' in event) {
      const excess = this.#junk.refuse(about === 'MAIL' ? 'mail' : 'rcpt');
      return excess === undefined ? this.#step(event) : this.#cutOff(excess);
    }
    if (event.type === 'badCommand') return this.#step(event);
    const excess = verb === 'RCPT' && this.#isFull ? this.#junk.refuse('rcpt') : this.#junk.take(verb);
    return excess === undefined ? this.#step(event) : this.#cutOff(excess);
  }

  /** What `#takeCommand` does with a command that is ordinary. */
  #takeOrdinary(command: OrdinaryCommand, length: number): true {
    const { verb } = command;
    const underWay = ordinaryUnderWay(command, this.#transaction);
    this.#command = underWay;
    this.#commandCount += 1;
    this.#observing?.ordinary(length, underWay, this.state);
    this.#giving.verb = verb;
    this.#giving.replying.expect(0);
    this.#afterBareLineFeed = false;
    const excess = verb === 'RCPT' && this.#isFull ? this.#junk.refuse('rcpt') : this.#junk.take(verb);
    return excess === undefined ? this.#step(underWay.event) : this.#cutOff(excess);
  }

  /** What follows would be taken for commands, though it is none. */
  #refuseProtocol(protocol: ForeignProtocol): true {
    this.#foreignProtocol = protocol;
    return this.#cutOff(protocol === 'HTTP' ? replies.httpRequest : replies.tlsInTheClear);
  }

  #cutOff(refusal: Reply): true {
    return this.#step({ type: 'cutOff', refusal });
  }

  /** Reads the octets of a refused BDAT away, then gives the reply (RFC 3030 §2). */
  #readAway(): boolean {
    const chunk = this.#inbound.nextChunk();
    if (chunk === undefined) return this.#endOfInput();
    const octets = this.#giving.replying.readAway(chunk.length);
    this.#inbound.consume(octets);
    this.#rate?.earn(octets);
    this.#restartDeadlines();
    this.#giving.giveHeld();
    return true;
  }

  #receiveMailData(receiving: Receiving): boolean {
    const chunk = receiving.isComplete ? NOTHING : this.#inbound.nextChunk();
    if (chunk === undefined) return this.#endOfInput();
    this.#restartDeadlines();

    const flawBefore = receiving.flaw;
    const { data, consumed, ended } = receiving.take(chunk);
    this.#inbound.consume(consumed);
    this.#rate?.earn(consumed);
    const { flaw, last } = receiving;
    if (flaw !== undefined && flawBefore === undefined)
      this.#giving.emit({ type: 'abandonMailData', reason: flaw });
    else if (data.length > 0) this.#giving.emit({ type: 'mailData', bytes: data });
    if (!ended) return true;

    if (last !== false) {
      this.#heldBackSince = undefined;
      this.#junk.endMessage();
    }
    if (last === undefined && flaw === undefined) return this.#step(END_OF_MAIL_DATA);
    const found = flaw === undefined ? {} : { flaw, refusal: this.#refusalFor(receiving) };
    if (last === undefined) return this.#step({ type: 'endOfMailData', ...found });
    return this.#step({ type: 'endOfChunk', last, ...found });
  }

  #refusalFor({ flaw, lineFlaw }: Receiving): Reply {
    if (flaw === 'tooLarge' || lineFlaw === undefined) return replies.mailDataTooLarge;
    return malformedMessage(lineFlaw, this.#options.maximumTextLineLength);
  }

  /** Takes the chart one step on and performs its effects. */
  #step(event: ServerChartEvent | { readonly type: string }): true {
    const position = this.#position;
    const from = position.value;
    const before = this.#observing?.wants('transition') ? position.position() : undefined;
    const effects = position.step(event);
    if (effects === undefined)
      throw new Error(`The server chart has no transition for ${event.type} in ${from}`);
    const to = position.value;
    if (this.#observing !== undefined) this.#observeStep(this.#observing, event, from, before, effects);
    // The peer did something that leaves the state as it is: a wait begins anew all the same.
    if (to === from) this.#restartDeadlines();
    else if (this.#ending === undefined && (to === 'closing' || to === 'closed')) {
      this.#ending = { event: event.type, from, to };
    }
    this.#performAll(effects);
    // Nothing of an exchange outlives it: it may hold a password, or have been begun where AUTH is not legal.
    const exchange = this.#command?.exchange;
    if (exchange !== undefined && !to.startsWith(AUTHENTICATING)) {
      this.#command = undefined;
      const decision = exchange.decision;
      if (decision !== undefined) this.#giving.emit({ type: 'authenticationDecided', decision });
    }
    return true;
  }

  #observeStep(
    observing: Observing,
    event: ServerChartEvent | { readonly type: string },
    from: string,
    before: ChartState<ServerContext> | undefined,
    effects: readonly Effect[],
  ): void {
    observing.step(from as ServerState);
    const explanation = before && serverTable.explain(before, event);
    const to = this.state;
    if (before && explanation) {
      const changes = changesBetween(before.context, this.#position.position().context);
      observing.transition(event, from as ServerState, to, effects, changes, explanation);
    }
    const exchange = this.#command?.exchange;
    if (exchange !== undefined && from.startsWith(AUTHENTICATING) && !to.startsWith(AUTHENTICATING)) {
      observing.authentication(exchange);
    }
    // Whoever is gone by now, or is sent away, hears nothing of the message that was being decided on.
    const question = this.#question;
    if (question?.kind === 'message' && this.#answer === undefined) {
      observing.message(question.envelope, question.size, [], 'undecided');
    }
  }

  #restartDeadlines(): void {
    this.#deadlines.restart(this.#now);
    if (!this.#observing?.wants('timerSet')) return;
    for (const deadline of this.#deadlines.running) this.#observing.timerSet(deadline);
  }

  #performAll(effects: readonly Effect[]): void {
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    const action = effect as ServerAction | DeadlineEffect;
    switch (action.type) {
      case SET_DEADLINE:
        this.#deadlines.set(action.params.id, action.params.delay, this.#now);
        this.#observing?.timerSet(action.params);
        break;
      case CLEAR_DEADLINE:
        if (this.#deadlines.clear(action.params.id)) this.#observing?.timerCleared(action.params.id);
        break;
      case 'reply':
        this.#giving.reply(
          action.params.reply === 'shuttingDown' ? this.#farewell : replies[action.params.reply],
        );
        break;
      case 'refuse':
        this.#giving.reply(action.params.reply);
        break;
      case 'ask':
        this.#question = this.#ask(action.params.question);
        this.#observing?.asked();
        this.#giving.emit({ type: 'ask', question: this.#question });
        break;
      case 'answer':
        this.#giveAnswer();
        break;
      case 'introduce':
        if (this.#question?.kind === 'hello') {
          this.#client = { ...this.#client, hello: this.#question.hello };
        }
        break;
      case 'openTransaction':
        if (this.#question?.kind === 'mail') {
          const { reversePath, parameters } = this.#question;
          this.#transaction = { reversePath, parameters, recipients: [] };
        }
        break;
      case 'addRecipient':
        if (this.#question?.kind === 'rcpt') {
          const { forwardPath, parameters } = this.#question;
          this.#transaction?.recipients.push({ forwardPath, parameters });
        }
        break;
      case 'endTransaction':
        this.#abandon('reset');
        if (this.#transaction?.recipients.length === 0) this.#junk.endFruitless();
        this.#transaction = undefined;
        if (this.#client.forwarded !== undefined) this.#client = { ...this.#client, forwarded: undefined };
        break;
      case 'receiveMailData':
        this.#receiving = new Receiving('data', this.#options, {
          afterBareLineFeed: this.#afterBareLineFeed,
        });
        this.#watchRate();
        break;
      case 'receiveChunk':
        this.#receiveChunk();
        break;
      case 'refuseMessage':
        this.#refuseMessage(action.params.reply);
        break;
      case 'upgradeTls':
        this.#giving.emit({ type: 'upgradeTls' });
        break;
      case 'forget':
        this.#client = forgetClient(this.#client);
        this.#reading.forget();
        this.#junk.forgetHello();
        break;
      case 'challenge': {
        const { data } = this.#exchange.step('challenge');
        this.#giving.reply({ code: 334, lines: [encodeBase64(data)] });
        break;
      }
      case 'compute':
        this.#giving.emit({ type: 'compute', computation: this.#exchange.step('compute').computation });
        break;
      case 'admitClient':
        this.#client = { ...this.#client, authenticated: this.#exchange.identity };
        this.#giving.reply(this.#exchange.lastReply('accept'));
        break;
      case 'turnAway':
        this.#giving.reply(this.#exchange.lastReply('reject'));
        break;
      case 'impersonate':
        this.#junk.forgetAll();
        this.#client = impersonate(this.#client, present(this.#command?.attributes, 'XCLIENT'));
        // Trust is in the peer's address, and the client has another: what a proxy passes on may hold an XCLIENT, too.
        if (this.#client.client?.address !== undefined) this.#reading.distrust();
        break;
      case 'keepForwarded':
        this.#client = { ...this.#client, forwarded: present(this.#command?.attributes, 'XFORWARD') };
        break;
      case 'close':
        this.#wait.drop();
        this.#giving.replying.releaseOctets();
        this.#giving.giveHeld();
        this.#drop();
        this.#giving.emit({
          type: 'close',
          ...(this.#foreignProtocol && { foreignProtocol: this.#foreignProtocol }),
        });
        break;
      case 'closed':
        this.#giving.replying.forgetHeld();
        this.#drop();
        this.#giving.emit({ type: 'closed' });
        break;
    }
  }

  #ask(kind: Question['kind']): Question {
    switch (kind) {
      case 'connect':
        return { kind };
      case 'message': {
        const size = this.#receiving?.size ?? 0;
        this.#receiving = undefined; // complete: from here on it is the application's
        return { kind, envelope: this.#envelope, size };
      }
      case 'credentials':
      case 'authenticate':
        return this.#exchange.question(kind);
      default: {
        const question = present(this.#command?.question, `a decision on ${kind}`);
        if (question.kind === kind) return question;
        throw new Error(`The server chart asks "${kind}" where the command raises "${question.kind}"`);
      }
    }
  }

  #receiveChunk(): void {
    const { octetsBehind = 0, last = false } = present(this.#command, 'a chunk');
    const binary = this.#transaction?.parameters.body === 'BINARYMIME';
    if (this.#receiving === undefined) {
      this.#receiving = new Receiving(binary ? 'binary' : 'chunks', this.#options);
      this.#watchRate();
    }
    this.#receiving.announce(octetsBehind, last);
    this.#giving.replying.releaseOctets();
    this.#settle();
  }

  /** The client's time for its message begins. */
  #watchRate(): void {
    const { minimumMailDataRate, timeouts } = this.#options;
    this.#rate = new MailDataRate(minimumMailDataRate, timeouts.mailData);
  }

  get #exchange(): Authentication {
    return present(this.#command?.exchange, 'an AUTH exchange');
  }

  get #envelope(): Envelope {
    return present(this.#transaction, 'a mail transaction');
  }

  /** Replies to the command on which the application has decided. */
  #giveAnswer(): void {
    const question = present(this.#question, 'a question');
    const answer = present(this.#answer, 'an answer');
    const isLastChunk = this.#command?.last;
    const offer = this.#offer;
    this.#settle();
    const { decision, recipientReplies } = answer;
    const reply = answer.reply ?? defaultReplies[question.kind][decision];
    if (question.kind === 'message') {
      const { envelope, size } = question;
      this.#observing?.message(envelope, size, recipientReplies ?? this.#giving.eachOf(envelope, reply));
    }
    if (decision === 'accept' && (question.kind === 'connect' || question.kind === 'hello')) {
      if (offer !== undefined) this.#reading.offer(offer);
      this.#giving.introduce(reply, offer);
    } else if (question.kind === 'message' && reply.code !== 421) {
      this.#giving.replyToMessage(question.envelope, (index) => recipientReplies?.[index] ?? reply);
    } else if (question.kind === 'data' && isLastChunk && reply.code !== 421) {
      this.#giving.replyToMessage(question.envelope, () => reply);
    } else if (question.kind === 'verify' || question.kind === 'expand') {
      this.#giving.replyToInquiry(question, reply);
    } else {
      this.#giving.reply(reply);
    }
  }

  /** Only the last chunk is answered for the message; any other has one reply, in LMTP too (RFC 2033 §4.3). */
  #refuseMessage(reply: Reply): void {
    if (this.#observing !== undefined && this.#receiving !== undefined) {
      const { size, flaw = 'malformed' } = this.#receiving;
      const given = this.#receiving.last === false ? [reply] : this.#giving.eachOf(this.#envelope, reply);
      this.#observing.message(this.#envelope, size, given, flaw);
    }
    if (this.#receiving?.last === false) this.#giving.reply(reply);
    else this.#giving.replyToMessage(this.#envelope, () => reply);
  }

  /** Nothing that was begun will be finished. */
  #drop(): void {
    this.#abandon('closed');
    this.#transaction = undefined;
    this.#settle();
    this.#inbound.clear();
  }

  /** The command was decided on, or never will be. */
  #settle(): void {
    this.#command = undefined;
    this.#question = undefined;
    this.#answer = undefined;
    this.#offer = undefined;
  }

  /** Takes back the mail data that was handed out, if it has not become the application's. */
  #abandon(reason: 'reset' | 'closed'): void {
    const receiving = this.#receiving;
    this.#receiving = undefined;
    this.#heldBackSince = undefined;
    if (receiving === undefined || receiving.flaw !== undefined) return;
    this.#observing?.message(this.#envelope, receiving.size, [], reason);
    this.#giving.emit({ type: 'abandonMailData', reason });
  }
}

/** The chart's effects are about things that are there when it asks for them. */
function present<Thing>(thing: Thing | undefined, name: string): Thing {
  if (thing === undefined) throw new Error(`The server chart speaks of ${name} where there is none`);
  return thing;
}
