/**
 * A server session: the chart joined to the wire.
 *
 * How it works
 * - `handle()` takes in what happened. `poll()` then works through it one step of the chart at a time and gives
 *   back one output at a time, until it has none.
 * - The peer's bytes become commands only when the chart waits for one. While the application decides, and while
 *   the session closes, no further command is looked at.
 *
 * Invariants
 * - Whatever the chunks in which the peer's bytes come, the outputs are the same, limits included; but for how
 *   much is handed out of mail data that is taken back, and for octets in the clear behind STARTTLS, which end the
 *   session with a 421 if they are there before the 220, and without a word behind it.
 * - One question is open at most, and every command gets one reply, in order; in LMTP a message has one for each of
 *   its recipients.
 * - Octets that BDAT announces are never taken for commands: the reply to a BDAT that is refused waits until they
 *   were read away. None of them is kept.
 * - An AUTH exchange is known while the chart is in `authenticating`, and not longer: it may hold a password.
 * - Mail data that was handed out is either asked about (`message`) or taken back (`abandonMailData`).
 * - Held back until the session waits for the client again: the end of the peer's bytes, and a shutdown.
 */

import type { ChartState } from '../chart/compile.js';
import { compile } from '../chart/compile.js';
import { shapeOf } from '../chart/machine-shape.js';
import { CLEAR_DEADLINE, type DeadlineEffect, type Effect, SET_DEADLINE } from '../chart/operations.js';
import { Deadlines } from '../deadlines.js';
import { LocalProtocolError } from '../errors.js';
import { type ClientAttributes, parseClientAttributes } from '../extensions/client-attributes.js';
import type { SessionStanding } from '../extensions/extension.js';
import type { MailParameters, RcptParameters } from '../extensions/parameters.js';
import { offeredKeywords } from '../extensions/table.js';
import { decodeBase64, encodeBase64 } from '../sasl/base64.js';
import type { AuthenticatedIdentity } from '../sasl/exchange.js';
import { serverMechanisms, usableMechanisms } from '../sasl/mechanisms.js';
import type { TlsInformation } from '../tls.js';
import { type Command, MAXIMUM_AUTHENTICATION_OCTETS } from '../wire/command.js';
import { InboundBuffer, type InboundLine } from '../wire/inbound.js';
import { concatenate, decodeText } from '../wire/octets.js';
import { formatReply, type Reply, severity } from '../wire/reply.js';
import { Authentication } from './authentication.js';
import type {
  AuthenticationNext,
  ServerAction,
  ServerChartEvent,
  ServerChartInput,
  ServerContext,
  ServerState,
} from './chart.js';
import { serverMachine } from './chart.js';
import { CommandReading } from './command-reading.js';
import type { Answer, Envelope, Hello, Question, Recipient, ServerInput, ServerOutput } from './messages.js';
import { type ResolvedServerOptions, resolveServerOptions, type ServerSessionOptions } from './options.js';
import { Receiving } from './receiving.js';
import { defaultReplies, replies } from './replies.js';
import { ReplyBatch } from './reply-batch.js';

export const serverTable = compile<ServerContext, ServerChartEvent, ServerChartInput>(shapeOf(serverMachine));

/** Octets of the text in the greeting and in the first line of the reply to EHLO (RFC 5321 §4.5.3.1.5). */
const MAXIMUM_INTRODUCTION = 500;

/** The chart's events by verb; a string put together anew would be hashed anew for each look into the table. */
const commandEvents = {
  EHLO: 'command.EHLO',
  HELO: 'command.HELO',
  MAIL: 'command.MAIL',
  RCPT: 'command.RCPT',
  DATA: 'command.DATA',
  RSET: 'command.RSET',
  QUIT: 'command.QUIT',
  NOOP: 'command.NOOP',
  HELP: 'command.HELP',
  VRFY: 'command.VRFY',
  EXPN: 'command.EXPN',
  LHLO: 'command.LHLO',
  STARTTLS: 'command.STARTTLS',
  AUTH: 'command.AUTH',
  BDAT: 'command.BDAT',
  ETRN: 'command.ETRN',
  XCLIENT: 'command.XCLIENT',
  XFORWARD: 'command.XFORWARD',
  extension: 'command.extension',
} as const satisfies { readonly [Verb in Command['verb']]: `command.${Verb}` };

/** An open mail transaction; the application sees it as an `Envelope`. */
interface Transaction extends Envelope {
  readonly recipients: Recipient[];
}

/** Where a client goes on only after this code (RFC 5321 §4.3.2, RFC 3207 §4, RFC 4954 §4). */
const ACCEPTING_CODES: { readonly [Kind in Question['kind']]?: number } = {
  data: 354,
  startTls: 220,
  credentials: 235,
  authenticate: 235,
};

const NOTHING: Uint8Array = new Uint8Array(0);

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
  #position: ChartState<ServerContext>;
  #now: number;

  /** Outputs that one step gave, and that `poll()` has yet to give. */
  readonly #outputs: ServerOutput[] = [];
  /** Replies to a pipelined batch, which leave together (RFC 2920 §3.2). */
  readonly #batch = new ReplyBatch();

  #ended = false;
  #shutdown = false;
  #question: Question | undefined;
  #answer: Answer | undefined;
  #hello: Hello | undefined;
  #transaction: Transaction | undefined;
  #receiving: Receiving | undefined;
  /** The command that the chart is being told of. */
  #command: Command | undefined;
  #mailParameters: MailParameters = {};
  #rcptParameters: RcptParameters = {};
  /** Octets behind the last BDAT that nobody has taken yet. */
  #octetsBehind = 0;
  /** The reply, on the wire, to a BDAT whose octets are first to be read away (RFC 3030 §2). */
  #heldReply: Uint8Array | undefined;

  #tls: TlsInformation | undefined;
  #authentication: Authentication | undefined;
  #identity: AuthenticatedIdentity | undefined;
  #attributes: ClientAttributes | undefined;
  #client: ClientAttributes | undefined;
  #forwarded: ClientAttributes | undefined;

  /**
   * @param options.now the time at which the connection was made, in monotonic milliseconds
   * @throws {RangeError} an option is out of its range; the message names both
   */
  constructor(options: ServerSessionOptions & { readonly now: number }) {
    this.#options = resolveServerOptions(options);
    this.#inbound = new InboundBuffer(this.#options.bareNewline);
    this.#reading = new CommandReading(this.#options);
    this.#tls = this.#options.tls;
    this.#now = options.now;
    const effects: Effect[] = [];
    const { timeouts, maximumRecipients, maximumErrors, startTls, authentication } = this.#options;
    const input: ServerChartInput = {
      timeouts,
      maximumRecipients,
      maximumErrors,
      maximumAuthenticationFailures: authentication?.maximumFailures ?? 1,
      secured: this.#tls !== undefined,
      tlsRequired: startTls === 'required',
      authenticationRequired: authentication?.required ?? false,
    };
    this.#position = serverTable.start(input, effects);
    for (const effect of effects) this.#perform(effect);
  }

  /** Where the session stands: a leaf state of the chart, such as `session.transaction.opened`. */
  get state(): ServerState {
    return this.#position.value as ServerState;
  }

  /** False: stop reading from the peer, for what it sends cannot be looked at yet. */
  get wantsInput(): boolean {
    return this.#question === undefined && !this.#isComputing && this.#position.value !== 'closed';
  }

  /** How the client introduced itself; undefined before EHLO or HELO was accepted. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** The TLS that protects the connection. */
  get tls(): TlsInformation | undefined {
    return this.#tls;
  }

  /** Who has authenticated themselves (RFC 4954), or whom a trusted peer said to have (XCLIENT). */
  get identity(): AuthenticatedIdentity | undefined {
    return this.#identity;
  }

  /** For whom a trusted peer speaks (XCLIENT): true in the place of the connection's own peer. */
  get client(): ClientAttributes | undefined {
    return this.#client;
  }

  /**
   * From whom a trusted peer had the mail of this mail transaction, or the next one (XFORWARD): for logs, not for
   * decisions.
   */
  get forwarded(): ClientAttributes | undefined {
    return this.#forwarded;
  }

  /** The question that is open; `handle({ type: 'answer', … })` answers it. */
  get question(): Question | undefined {
    return this.#question;
  }

  /** When to call `handle({ type: 'timeout' })` at the latest, in monotonic milliseconds. */
  nextDeadline(): number | undefined {
    return this.#deadlines.next();
  }

  /**
   * Takes in what happened; call `poll()` next.
   * @throws {LocalProtocolError} an answer to no question, or one whose reply contradicts it; more bytes than
   *   `maximumHeldOctets` while `wantsInput` is false; `computed` or the outcome of a TLS handshake where none is
   *   awaited
   * @throws {RangeError} an answer whose reply cannot be written (RFC 5321 §4.2); the question stays open
   */
  handle(input: ServerInput): void {
    if (this.#position.value === 'closed') return;
    this.#now = input.now;
    switch (input.type) {
      case 'bytes':
        this.#hold(input.bytes);
        break;
      case 'eof':
        this.#ended = true;
        break;
      case 'shutdown':
        this.#shutdown = true;
        break;
      case 'answer':
        this.#takeAnswer(input);
        break;
      case 'lost':
        this.#step({ type: 'connectionLost' });
        break;
      case 'tlsEstablished':
        this.#require('session.securing', input.type);
        this.#tls = input.tls;
        this.#step({ type: 'tlsEstablished' });
        break;
      case 'tlsFailed':
        this.#require('session.securing', input.type);
        this.#step({ type: 'tlsFailed' });
        break;
      case 'computed':
        this.#require('session.authenticating.computing', input.type);
        this.#step({ type: 'computed', next: this.#resumeWithResult(input.result) });
        break;
      case 'timeout':
        for (const id of this.#deadlines.takeAllDue(this.#now)) this.#step({ type: id });
    }
  }

  /** The next thing to do, or undefined when there is nothing left until the next `handle()`. */
  poll(): ServerOutput | undefined {
    for (;;) {
      const output = this.#outputs.shift();
      if (output !== undefined) return output;
      if (!this.#advance()) {
        // While more of a pipelined batch is held, its replies wait for the open decision, however long it takes.
        if (this.wantsInput || this.#inbound.length === 0) this.#flush();
        return this.#outputs.shift();
      }
    }
  }

  #hold(bytes: Uint8Array): void {
    if (this.#position.value === 'closing' || bytes.length === 0) return;
    if (this.#position.value === 'session.securing') {
      this.#step({ type: 'plaintext' });
      return;
    }
    if (!this.wantsInput && this.#inbound.length + bytes.length > this.#options.maximumHeldOctets) {
      throw new LocalProtocolError(
        this.#position.value,
        `${bytes.length} octets were handed in while wantsInput was false`,
        `no input until ${this.#question === undefined ? 'the computation' : `the open question (${this.#question.kind})`} is answered`,
      );
    }
    this.#inbound.push(bytes);
  }

  /** Throws unless the session stands where this input is awaited. */
  #require(state: ServerState, input: ServerInput['type']): void {
    if (this.#position.value === state) return;
    throw new LocalProtocolError(
      this.#position.value,
      `${input} came`,
      `no ${input}: only ${state} awaits it`,
    );
  }

  #takeAnswer(answer: Answer): void {
    const question = this.#question;
    if (question === undefined) {
      throw new LocalProtocolError(
        this.#position.value,
        'an answer came though no question is open',
        'no answer',
      );
    }
    this.#checkAnswer(question, answer); // throws before anything has changed
    const { decision } = answer;
    const { code } = answer.reply ?? defaultReplies[question.kind][decision];
    if ((question.kind === 'credentials' || question.kind === 'authenticate') && code !== 421) {
      this.#question = undefined;
      const next = this.#resumeWith(question, answer);
      this.#step(decision === 'accept' ? { type: 'accepted', next } : { type: 'rejected', code, next });
      return;
    }
    this.#answer = answer;
    if (decision === 'reject') {
      this.#step({ type: 'rejected', code });
    } else if (question.kind === 'startTls' && this.#inbound.length > 0) {
      this.#step({ type: 'accepted', plaintextFollows: true });
    } else {
      this.#step({ type: 'accepted' });
    }
  }

  #checkAnswer(question: Question, { decision, reply, credentials, recipientReplies }: Answer): void {
    const refuse = (problem: string, expected: string): never => {
      throw new LocalProtocolError(this.#position.value, problem, expected);
    };
    if (question.kind === 'credentials' && decision === 'accept' && credentials === undefined) {
      refuse('an answer came to accept the question "credentials" without any', 'credentials, or to reject');
    }
    if (recipientReplies !== undefined) {
      const count = question.kind === 'message' ? question.envelope.recipients.length : 0;
      if (this.#options.protocol !== 'lmtp' || recipientReplies.length !== count || count === 0) {
        refuse(
          `${recipientReplies.length} recipientReplies came to the question "${question.kind}"`,
          this.#options.protocol === 'lmtp' && count > 0 ? `${count}, one for each recipient` : 'none',
        );
      }
      for (const each of recipientReplies) {
        // A 421 says that the session ends, which is for `reply` to say.
        if (severity(each.code) === 'intermediate' || each.code === 421) {
          refuse(`a reply ${each.code} came for a recipient`, 'codes 2yz, 4yz and 5yz, but 421');
        }
        formatReply(each);
      }
    }
    if (reply === undefined) return;
    const first = Math.floor(reply.code / 100);
    const only = ACCEPTING_CODES[question.kind];
    let expected = '2yz';
    let agrees = first === 2;
    if (decision === 'reject') {
      expected = '4yz or 5yz';
      agrees = first === 4 || first === 5;
    } else if (only !== undefined) {
      expected = String(only);
      agrees = reply.code === only;
    }
    if (!agrees)
      refuse(
        `a reply ${reply.code} came to ${decision} the question "${question.kind}"`,
        `a code ${expected}`,
      );
    formatReply(reply);
  }

  #resumeWithResult(result: Uint8Array | undefined): AuthenticationNext {
    const exchange = this.#exchange;
    return result === undefined
      ? exchange.refuse(replies.authenticationUnavailable)
      : exchange.resume(result);
  }

  /** The AUTH exchange goes on with what the application has answered. */
  #resumeWith(question: Question, { decision, reply, credentials }: Answer): AuthenticationNext {
    const exchange = this.#exchange;
    exchange.lastWord = reply;
    if (question.kind === 'authenticate') return exchange.resume(decision === 'accept');
    // Its own reply ends the exchange; without one nobody is to notice that there is no such user.
    if (decision === 'reject' && reply !== undefined) return exchange.refuse(reply);
    return exchange.resume(decision === 'accept' ? credentials : undefined);
  }

  /** Does one thing with what is held; false if nothing can be done before the next `handle()`. */
  #advance(): boolean {
    const state = this.#position.value;
    if (this.#question !== undefined || state === 'closed' || this.#isComputing) return false;
    if (state === 'closing' || state === 'session.securing') return this.#endOfInput();
    if (this.#heldReply !== undefined) return this.#discard(this.#heldReply);
    if (this.#receiving !== undefined && state !== 'session.transaction.chunked') {
      return this.#receiveMailData(this.#receiving);
    }
    if (this.#shutdown) return this.#step({ type: 'shutdown' });
    if (state === 'session.authenticating.challenged') {
      const line = this.#inbound.nextLine(MAXIMUM_AUTHENTICATION_OCTETS);
      return line === undefined ? this.#endOfInput() : this.#step(this.#readResponse(line));
    }
    const line = this.#inbound.nextLine(this.#reading.longestLine);
    return line === undefined ? this.#endOfInput() : this.#step(this.#readCommand(line));
  }

  get #isComputing(): boolean {
    return this.#position.value === 'session.authenticating.computing';
  }

  /** All that the peer sent has been looked at. */
  #endOfInput(): boolean {
    return this.#ended && this.#step({ type: 'peerClosed' });
  }

  #readCommand(line: InboundLine): ServerChartEvent {
    const command = this.#reading.read(line);
    if ('refusal' in command) {
      this.#octetsBehind = command.octetsBehind;
      const { refusal, fatal } = command;
      return fatal ? { type: 'badCommand', refusal, fatal } : { type: 'badCommand', refusal };
    }
    this.#command = command;
    const type = commandEvents[command.verb];
    const refusal = this.#readArguments(command);
    if (refusal !== undefined) return { type, refusal };
    if (command.verb === 'AUTH') return { type, next: this.#exchange.next };
    // LOGIN, of this XCLIENT or one before: who speaks for the client says that it has authenticated itself.
    if (command.verb === 'XCLIENT' && typeof this.#attributes?.login === 'string')
      return { type, next: 'success' };
    return { type };
  }

  /** Reads what belongs to the command beyond its grammar; the reply that refuses it, if one does. */
  #readArguments(command: Command): Reply | undefined {
    switch (command.verb) {
      case 'MAIL': {
        const read = this.#reading.mailParameters(command);
        if ('refusal' in read) return read.refusal;
        this.#mailParameters = read.parameters;
        return undefined;
      }
      case 'RCPT': {
        const read = this.#reading.rcptParameters(command, this.#transaction?.parameters ?? {});
        if ('refusal' in read) return read.refusal;
        this.#rcptParameters = read.parameters;
        return undefined;
      }
      case 'DATA':
        // RFC 3030 §3
        return this.#transaction?.parameters.body === 'BINARYMIME' ? replies.binaryByChunksOnly : undefined;
      case 'BDAT':
        this.#octetsBehind = command.size;
        return undefined;
      case 'AUTH':
        return this.#beginAuthentication(command);
      case 'XCLIENT':
      case 'XFORWARD': {
        const read = parseClientAttributes(command.argument, command.verb);
        if ('code' in read) return read;
        const before = command.verb === 'XCLIENT' ? this.#client : this.#forwarded;
        this.#attributes = { ...before, ...read };
        return undefined;
      }
      default:
        return undefined;
    }
  }

  /** Begins an AUTH exchange; the reply that refuses it, if one does. */
  #beginAuthentication({ mechanism: name, initialResponse }: Command & { verb: 'AUTH' }): Reply | undefined {
    const { authentication, hostname } = this.#options;
    const offered = this.#mechanisms;
    const mechanism = [...serverMechanisms.values()].find((known) => known.name === name);
    if (authentication === undefined || mechanism === undefined || !offered.includes(mechanism.name)) {
      // RFC 4954 §6: it is not the mechanism that is wrong.
      const withheld = mechanism !== undefined && authentication?.mechanisms.includes(mechanism.name);
      return withheld && this.#tls === undefined ? replies.mechanismNeedsTls : replies.mechanismUnknown;
    }
    const { iterations } = authentication;
    this.#authentication = new Authentication(mechanism, { tls: this.#tls, hostname, offered, iterations });
    if (initialResponse === undefined) return undefined;
    if (!mechanism.clientFirst) return replies.noInitialResponse;
    const text = initialResponse.revealText();
    const response = text === '=' ? NOTHING : decodeBase64(text);
    if (response === undefined) return replies.malformedBase64;
    this.#authentication.resume(response);
    return undefined;
  }

  /** The client's response to a challenge (RFC 4954 §4). */
  #readResponse(line: InboundLine): ServerChartEvent {
    if (line.kind === 'tooLong') return { type: 'badResponse', refusal: replies.responseTooLong };
    const text = line.kind === 'line' ? decodeText(line.octets) : undefined;
    if (text === '*') return { type: 'cancel' };
    const response = text === undefined ? undefined : decodeBase64(text);
    if (response === undefined) return { type: 'badResponse', refusal: replies.malformedBase64 };
    return { type: 'response', next: this.#exchange.resume(response) };
  }

  /** The mechanisms that may be used on this connection. */
  get #mechanisms(): SessionStanding['mechanisms'] {
    const { authentication } = this.#options;
    // RFC 4954 §4: no more AUTH once it has succeeded.
    if (authentication === undefined || this.#identity !== undefined) return [];
    if (this.#tls === undefined && !authentication.allowInsecure) return [];
    return usableMechanisms(authentication.mechanisms, this.#tls);
  }

  get #standing(): SessionStanding {
    const { protocol, maximumMessageSize, maximumRecipients, startTls } = this.#options;
    const secured = this.#tls !== undefined;
    return {
      protocol,
      maximumMessageSize,
      maximumRecipients,
      startTls: startTls !== 'none' && !secured,
      secured,
      mechanisms: this.#mechanisms,
      trusted: this.#reading.trusted,
    };
  }

  /** Reads the octets of a refused BDAT away, then gives the reply (RFC 3030 §2). */
  #discard(reply: Uint8Array): boolean {
    const chunk = this.#octetsBehind === 0 ? NOTHING : this.#inbound.nextChunk();
    if (chunk === undefined) return this.#endOfInput();
    const discarded = Math.min(chunk.length, this.#octetsBehind);
    this.#inbound.consume(discarded);
    this.#octetsBehind -= discarded;
    this.#deadlines.restart(this.#now);
    if (this.#octetsBehind > 0) return true;
    this.#heldReply = undefined;
    this.#give(reply);
    return true;
  }

  #receiveMailData(receiving: Receiving): boolean {
    const chunk = receiving.isComplete ? NOTHING : this.#inbound.nextChunk();
    if (chunk === undefined) return this.#endOfInput();
    this.#deadlines.restart(this.#now);

    const flawBefore = receiving.flaw;
    const { data, consumed, ended } = receiving.take(chunk);
    this.#inbound.consume(consumed);
    const { flaw, last } = receiving;
    if (flaw !== undefined && flawBefore === undefined) this.#emit({ type: 'abandonMailData', reason: flaw });
    else if (data.length > 0) this.#emit({ type: 'mailData', bytes: data });
    if (!ended) return true;

    const found = flaw === undefined ? {} : { flaw };
    if (last === undefined) return this.#step({ type: 'endOfMailData', ...found });
    return this.#step({ type: 'endOfChunk', last, ...found });
  }

  /** Takes the chart one step on and performs its effects. */
  #step(event: ServerChartEvent | { readonly type: string }): true {
    const effects: Effect[] = [];
    const from = this.#position.value;
    const next = serverTable.step(this.#position, event, effects);
    if (next === undefined)
      throw new Error(`The server chart has no transition for ${event.type} in ${from}`);
    this.#position = next;
    // The peer did something that leaves the state as it is: a wait begins anew all the same.
    if (next.value === from) this.#deadlines.restart(this.#now);
    if (this.#options.trace) {
      const names = effects.map(({ type }) => type);
      this.#emit({ type: 'transition', event: event.type, from, to: next.value, effects: names });
    }
    for (const effect of effects) this.#perform(effect);
    // Nothing of an exchange outlives it: it may hold a password, or have been begun where AUTH is not legal.
    if (this.#authentication !== undefined && !next.value.startsWith('session.authenticating.')) {
      this.#authentication = undefined;
    }
    return true;
  }

  #perform(effect: Effect): void {
    const action = effect as ServerAction | DeadlineEffect;
    switch (action.type) {
      case SET_DEADLINE:
        this.#deadlines.set(action.params.id, action.params.delay, this.#now);
        break;
      case CLEAR_DEADLINE:
        this.#deadlines.clear(action.params.id);
        break;
      case 'reply':
        this.#reply(replies[action.params.reply]);
        break;
      case 'refuse':
        this.#reply(action.params.reply);
        break;
      case 'ask':
        this.#question = this.#ask(action.params.question);
        this.#emit({ type: 'ask', question: this.#question });
        break;
      case 'answer':
        this.#giveAnswer();
        break;
      case 'introduce':
        if (this.#question?.kind === 'hello') this.#hello = this.#question.hello;
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
        this.#transaction = undefined;
        this.#forwarded = undefined; // said of one mail transaction, as Postfix has it
        break;
      case 'receiveMailData':
        this.#receiving = new Receiving('data', this.#options);
        break;
      case 'receiveChunk':
        this.#receiveChunk(this.#commandOf('BDAT'));
        break;
      case 'refuseMessage':
        this.#refuseMessage(replies[action.params.reply]);
        break;
      case 'upgradeTls':
        this.#emit({ type: 'upgradeTls' });
        break;
      case 'forget':
        this.#hello = undefined;
        this.#identity = undefined;
        this.#forwarded = undefined;
        this.#reading.forget();
        if (this.#client !== undefined) {
          // LOGIN is an authentication; the rest stays, or the client would be taken for the peer again.
          const { login: _, ...client } = this.#client;
          this.#client = client;
        }
        break;
      case 'challenge': {
        const { data } = this.#exchange.step('challenge');
        this.#reply({ code: 334, lines: [encodeBase64(data)] });
        break;
      }
      case 'compute':
        this.#emit({ type: 'compute', computation: this.#exchange.step('compute').computation });
        break;
      case 'admitClient':
        this.#identity = this.#exchange.identity;
        this.#endAuthentication('accept');
        break;
      case 'turnAway':
        this.#endAuthentication('reject');
        break;
      case 'impersonate':
        this.#impersonate();
        break;
      case 'keepForwarded':
        this.#forwarded = this.#attributes;
        this.#attributes = undefined;
        break;
      case 'close':
        this.#octetsBehind = 0;
        if (this.#heldReply !== undefined) this.#give(this.#heldReply);
        this.#drop();
        this.#emit({ type: 'close' });
        break;
      case 'closed':
        this.#drop();
        this.#emit({ type: 'closed' });
        break;
    }
  }

  #ask(kind: Question['kind']): Question {
    switch (kind) {
      case 'connect':
        return { kind };
      case 'hello': {
        const { verb, name } = this.#commandOf('EHLO', 'HELO', 'LHLO');
        return { kind, hello: { verb, name } };
      }
      case 'mail':
        return { kind, reversePath: this.#commandOf('MAIL').reversePath, parameters: this.#mailParameters };
      case 'rcpt': {
        const { forwardPath } = this.#commandOf('RCPT');
        return { kind, forwardPath, parameters: this.#rcptParameters, envelope: this.#envelope };
      }
      case 'data':
        return { kind, envelope: this.#envelope };
      case 'message': {
        const size = this.#receiving?.size ?? 0;
        this.#receiving = undefined; // complete: from here on it is the application's
        return { kind, envelope: this.#envelope, size };
      }
      case 'verify':
      case 'expand': {
        const { argument, utf8 } = this.#commandOf('VRFY', 'EXPN');
        return utf8 ? { kind, argument, utf8 } : { kind, argument };
      }
      case 'help':
        return { kind, argument: this.#commandOf('HELP').argument };
      case 'startTls':
        return { kind };
      case 'etrn':
        return { kind, argument: this.#commandOf('ETRN').argument };
      case 'extension': {
        const { name, argument } = this.#commandOf('extension');
        return { kind, verb: name, argument };
      }
      case 'credentials': {
        const { mechanism, username } = this.#exchange.step('retrieve');
        return { kind, mechanism, username };
      }
      case 'authenticate':
        return { kind, attempt: this.#exchange.step('verify').attempt };
    }
  }

  #receiveChunk({ size, last }: Command & { verb: 'BDAT' }): void {
    const binary = this.#transaction?.parameters.body === 'BINARYMIME';
    this.#receiving ??= new Receiving(binary ? 'binary' : 'chunks', this.#options);
    this.#receiving.announce(size, last);
    this.#octetsBehind = 0;
    this.#question = undefined;
    this.#answer = undefined;
  }

  /** The AUTH exchange is over; the application may have said what to tell the client. */
  #endAuthentication(decision: Answer['decision']): void {
    const word = this.#exchange.lastWord;
    const fits = word !== undefined && word.code < 300 === (decision === 'accept');
    this.#reply(fits ? word : defaultReplies.authenticate[decision]);
  }

  /** XCLIENT: from here on the session is that of another client. */
  #impersonate(): void {
    this.#client = this.#attributes;
    this.#attributes = undefined;
    this.#command = undefined;
    const { login, address } = this.#client ?? {};
    if (typeof login === 'string') this.#identity = { mechanism: 'EXTERNAL', username: login };
    // Trust is in the peer's address, and the client has another: what a proxy passes on may hold an XCLIENT, too.
    if (address !== undefined) this.#reading.distrust();
  }

  get #exchange(): Authentication {
    if (this.#authentication === undefined) {
      throw new Error('The server chart speaks of an AUTH exchange outside of one');
    }
    return this.#authentication;
  }

  /** The command about which the chart asks; the chart asks about no other. */
  #commandOf<Verb extends Command['verb']>(...verbs: Verb[]): Command & { verb: Verb } {
    const command = this.#command;
    if (command !== undefined && verbs.some((verb) => verb === command.verb)) {
      return command as Command & { verb: Verb };
    }
    throw new Error(
      `The server chart asked about ${verbs.join(' or ')} after ${command?.verb ?? 'no command'}`,
    );
  }

  get #envelope(): Envelope {
    if (this.#transaction === undefined)
      throw new Error('The server chart asked outside of a mail transaction');
    return this.#transaction;
  }

  /** Replies to the command on which the application has decided. */
  #giveAnswer(): void {
    const question = this.#question;
    const answer = this.#answer;
    if (question === undefined || answer === undefined)
      throw new Error('The server chart answers no question');
    this.#question = undefined;
    this.#answer = undefined;
    const { decision, recipientReplies } = answer;
    const reply = answer.reply ?? defaultReplies[question.kind][decision];
    if (decision === 'accept' && (question.kind === 'connect' || question.kind === 'hello')) {
      this.#greet(question, reply);
    } else if (question.kind === 'message' && reply.code !== 421) {
      this.#replyToMessage(question.envelope, (index) => recipientReplies?.[index] ?? reply);
    } else if (question.kind === 'data' && this.#isLastChunk && reply.code !== 421) {
      this.#replyToMessage(question.envelope, () => reply);
    } else {
      const utf8 = (question.kind === 'verify' || question.kind === 'expand') && question.utf8 === true;
      this.#reply(reply, utf8);
    }
  }

  #greet(question: Question, reply: Reply): void {
    const offers = question.kind === 'hello' && question.hello.verb !== 'HELO';
    const standing = this.#standing;
    if (question.kind === 'hello') this.#reading.offer(offers ? standing : undefined);
    const keywords = offers ? offeredKeywords(this.#options.extensions, standing) : [];
    // RFC 5321 §4.2: these begin with our name, and RFC 2034 §3 gives them no enhanced status code. All on one
    // line that need not be folded, for a client takes the next for a keyword.
    const text = `${this.#options.hostname} ${reply.lines.join(' ').replace(/[\r\n]+/g, ' ')}`;
    this.#reply({ code: reply.code, lines: [text.slice(0, MAXIMUM_INTRODUCTION), ...keywords] });
  }

  /** Only the last chunk is answered for the message; any other has one reply, in LMTP too (RFC 2033 §4.3). */
  #refuseMessage(reply: Reply): void {
    if (this.#receiving?.last === false) this.#reply(reply);
    else this.#replyToMessage(this.#envelope, () => reply);
  }

  get #isLastChunk(): boolean {
    return this.#command?.verb === 'BDAT' && this.#command.last;
  }

  /** A message is answered once, in LMTP for each of its recipients (RFC 2033 §4.2), and at once: it waits for none. */
  #replyToMessage({ recipients }: Envelope, replyTo: (index: number) => Reply): void {
    this.#command = undefined;
    if (this.#options.protocol === 'smtp') this.#reply(replyTo(0));
    else this.#give(concatenate(recipients.map((_, index) => octetsOf(replyTo(index)))));
  }

  #reply(reply: Reply, utf8 = false): void {
    this.#give(utf8 ? formatReply(reply, { utf8 }) : octetsOf(reply));
  }

  /** Gives a reply as it stands on the wire, if not before the octets behind BDAT. */
  #give(reply: Uint8Array): void {
    if (this.#octetsBehind > 0) {
      this.#heldReply = reply;
      return;
    }
    this.#batch.add(reply);
    // RFC 2920 §3.2: replies to these wait for those to the commands behind them; for all others the client waits.
    const verb = this.#command?.verb;
    const mayWait = verb === 'MAIL' || verb === 'RCPT' || verb === 'RSET' || verb === 'BDAT';
    this.#command = undefined;
    if (!mayWait || this.#batch.isFull) this.#flush();
  }

  /**
   * Queues an output behind the replies given so far. Only a question overtakes them, for its reply may leave with
   * them (RFC 2920 §3.2).
   */
  #emit(output: ServerOutput): void {
    if (output.type !== 'ask' && output.type !== 'transition') this.#flush();
    this.#outputs.push(output);
  }

  #flush(): void {
    const bytes = this.#batch.take();
    if (bytes !== undefined) this.#outputs.push({ type: 'write', bytes });
  }

  /** Nothing that was begun will be finished. */
  #drop(): void {
    this.#abandon('closed');
    this.#transaction = undefined;
    this.#authentication = undefined;
    this.#question = undefined;
    this.#answer = undefined;
    this.#heldReply = undefined;
    this.#inbound.clear();
  }

  /** Takes back the mail data that was handed out, if it has not become the application's. */
  #abandon(reason: 'reset' | 'closed'): void {
    const receiving = this.#receiving;
    this.#receiving = undefined;
    if (receiving !== undefined && receiving.flaw === undefined)
      this.#emit({ type: 'abandonMailData', reason });
  }
}

/** The server's own replies are written over and over: each is formatted once. */
const ownReplies = new Map<Reply, Uint8Array>(
  [
    ...Object.values(replies),
    ...Object.values(defaultReplies).flatMap(({ accept, reject }) => [accept, reject]),
  ].map((reply) => [reply, formatReply(reply)]),
);

function octetsOf(reply: Reply): Uint8Array {
  return ownReplies.get(reply) ?? formatReply(reply);
}
