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
 *   much is handed out of mail data that is taken back.
 * - One question is open at most, and every command gets one reply, in order.
 * - Mail data that was handed out is either asked about (`message`) or taken back (`abandonMailData`).
 * - Held back until the session waits for the client again: the end of the peer's bytes, and a shutdown.
 */

import type { ChartState } from '../chart/compile.js';
import { compile } from '../chart/compile.js';
import { shapeOf } from '../chart/machine-shape.js';
import { CLEAR_DEADLINE, type DeadlineEffect, type Effect, SET_DEADLINE } from '../chart/operations.js';
import { Deadlines } from '../deadlines.js';
import { LocalProtocolError } from '../errors.js';
import type { MailParameters } from '../extensions/parameters.js';
import {
  ADDITIONAL_MAIL_OCTETS,
  offeredKeywords,
  readMailParameters,
  unknownParameter,
} from '../extensions/table.js';
import { type Command, parseCommand } from '../wire/command.js';
import { InboundBuffer, type InboundLine } from '../wire/inbound.js';
import { MailDataDecoder } from '../wire/mail-data-decoder.js';
import { formatReply, type Reply } from '../wire/reply.js';
import type {
  ServerAction,
  ServerChartEvent,
  ServerChartInput,
  ServerContext,
  ServerState,
} from './chart.js';
import { serverMachine } from './chart.js';
import type { Answer, Envelope, Hello, Question, Recipient, ServerInput, ServerOutput } from './messages.js';
import { type ResolvedServerOptions, resolveServerOptions, type ServerSessionOptions } from './options.js';
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
} as const satisfies { readonly [Verb in Command['verb']]: `command.${Verb}` };

/** An open mail transaction; the application sees it as an `Envelope`. */
interface Transaction extends Envelope {
  readonly recipients: Recipient[];
}

/** Mail data on its way through the session. */
interface Receiving {
  readonly decoder: MailDataDecoder;
  /** Octets so far, transparency undone. */
  size: number;
  /** The first that was found; what arrives from there on is dropped. */
  flaw: 'malformed' | 'tooLarge' | undefined;
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

  /**
   * @param options.now the time at which the connection was made, in monotonic milliseconds
   * @throws {RangeError} an option is out of its range; the message names both
   */
  constructor(options: ServerSessionOptions & { readonly now: number }) {
    this.#options = resolveServerOptions(options);
    this.#inbound = new InboundBuffer(this.#options.bareNewline);
    this.#now = options.now;
    const effects: Effect[] = [];
    const { timeouts, maximumRecipients, maximumErrors } = this.#options;
    this.#position = serverTable.start({ timeouts, maximumRecipients, maximumErrors }, effects);
    for (const effect of effects) this.#perform(effect);
  }

  /** Where the session stands: a leaf state of the chart, such as `session.transaction.opened`. */
  get state(): ServerState {
    return this.#position.value as ServerState;
  }

  /** False: stop reading from the peer, for what it sends cannot be looked at yet. */
  get wantsInput(): boolean {
    return this.#question === undefined && this.#position.value !== 'closed';
  }

  /** How the client introduced itself; undefined before EHLO or HELO was accepted. */
  get hello(): Hello | undefined {
    return this.#hello;
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
   *   `maximumHeldOctets` while `wantsInput` is false
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
        if (this.#question === undefined || this.#inbound.length === 0) this.#flush();
        return this.#outputs.shift();
      }
    }
  }

  #hold(bytes: Uint8Array): void {
    if (this.#position.value === 'closing') return;
    if (!this.wantsInput && this.#inbound.length + bytes.length > this.#options.maximumHeldOctets) {
      throw new LocalProtocolError(
        this.#position.value,
        `${bytes.length} octets were handed in while wantsInput was false`,
        `no input until the open question (${this.#question?.kind}) is answered`,
      );
    }
    this.#inbound.push(bytes);
  }

  #takeAnswer({ decision, reply }: Answer): void {
    const question = this.#question;
    if (question === undefined) {
      throw new LocalProtocolError(
        this.#position.value,
        'an answer came though no question is open',
        'no answer',
      );
    }
    const given = reply ?? defaultReplies[question.kind][decision];
    if (reply !== undefined) {
      const first = Math.floor(reply.code / 100);
      let expected = '2yz';
      let agrees = first === 2;
      if (decision === 'reject') {
        expected = '4yz or 5yz';
        agrees = first === 4 || first === 5;
      } else if (question.kind === 'data') {
        expected = '354'; // the only one of its kind (RFC 5321 §4.2.2, §4.3.2)
        agrees = reply.code === 354;
      }
      if (!agrees) {
        const problem = `a reply ${reply.code} came to ${decision} the question "${question.kind}"`;
        throw new LocalProtocolError(this.#position.value, problem, `a code ${expected}`);
      }
      formatReply(reply); // throws before anything has changed
    }
    this.#answer = reply === undefined ? { decision } : { decision, reply };
    this.#step(decision === 'accept' ? { type: 'accepted' } : { type: 'rejected', code: given.code });
  }

  /** Does one thing with what is held; false if nothing can be done before the next `handle()`. */
  #advance(): boolean {
    if (this.#question !== undefined || this.#position.value === 'closed') return false;
    if (this.#receiving !== undefined) return this.#receiveMailData(this.#receiving);
    if (this.#position.value === 'closing') return this.#endOfInput();
    if (this.#shutdown) return this.#step({ type: 'shutdown' });
    const line = this.#inbound.nextLine(this.#options.maximumCommandLength + ADDITIONAL_MAIL_OCTETS);
    if (line === undefined) return this.#endOfInput();
    return this.#step(this.#readCommand(line));
  }

  /** All that the peer sent has been looked at. */
  #endOfInput(): boolean {
    return this.#ended && this.#step({ type: 'peerClosed' });
  }

  #readCommand(line: InboundLine): ServerChartEvent {
    if (line.kind === 'tooLong') return { type: 'badCommand', refusal: replies.lineTooLong };
    if (line.kind === 'malformed') return { type: 'badCommand', refusal: replies.bareNewline };

    const command = parseCommand(line.octets);
    if ('failure' in command) return { type: 'badCommand', refusal: command.reply };
    // The limit that extensions raise is MAIL's alone, and theirs only once they were offered.
    const length = line.octets.length + 2;
    if (
      length > this.#options.maximumCommandLength &&
      (command.verb !== 'MAIL' || this.#hello?.verb !== 'EHLO')
    ) {
      return { type: 'badCommand', refusal: replies.lineTooLong };
    }
    this.#command = command;
    const refusal = this.#readParameters(command);
    const type = commandEvents[command.verb];
    return refusal === undefined ? { type } : { type, refusal };
  }

  /** Types the parameters of MAIL and RCPT; the reply that refuses them, if one does. */
  #readParameters(command: Command): Reply | undefined {
    if (command.verb !== 'MAIL' && command.verb !== 'RCPT') return undefined;
    const [first] = command.parameters;
    if (command.verb === 'MAIL') this.#mailParameters = {};
    if (first === undefined) return undefined;
    // After HELO no service extension was offered, and no offered one defines a parameter of RCPT.
    if (command.verb === 'RCPT' || this.#hello?.verb !== 'EHLO')
      return unknownParameter(first.keyword, command.verb);
    const read = readMailParameters(command.parameters, this.#options);
    if ('refusal' in read) return read.refusal;
    this.#mailParameters = read.parameters;
    return undefined;
  }

  #receiveMailData(receiving: Receiving): boolean {
    const chunk = this.#inbound.nextChunk();
    if (chunk === undefined) return this.#endOfInput();
    this.#deadlines.restart(this.#now);

    const { data, consumed, ended } = receiving.decoder.decode(this.#upToSizeLimit(chunk, receiving));
    this.#inbound.consume(consumed);
    receiving.size += data.length;
    if (receiving.flaw === undefined) {
      if (receiving.decoder.flaw !== undefined) receiving.flaw = 'malformed';
      else if (receiving.size > this.#options.maximumMessageSize) receiving.flaw = 'tooLarge';
      if (receiving.flaw !== undefined) this.#emit({ type: 'abandonMailData', reason: receiving.flaw });
      else if (data.length > 0) this.#emit({ type: 'mailData', bytes: data });
    }
    if (!ended) return true;

    const { flaw } = receiving;
    return this.#step(flaw === undefined ? { type: 'endOfMailData' } : { type: 'endOfMailData', flaw });
  }

  /**
   * What of the chunk to decode now: never beyond the octet that makes the message too large, or it would depend
   * on the chunks which of two flaws is found first.
   */
  #upToSizeLimit(chunk: Uint8Array, { size, flaw }: Receiving): Uint8Array {
    const room = Math.max(this.#options.maximumMessageSize - size, 1);
    return flaw !== undefined || chunk.length <= room ? chunk : chunk.subarray(0, room);
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
        this.#transaction = undefined;
        this.#receiving = undefined;
        break;
      case 'receiveMailData': {
        const { bareNewline, maximumTextLineLength: maximumLineLength } = this.#options;
        const decoder = new MailDataDecoder({ bareNewline, maximumLineLength });
        this.#receiving = { decoder, size: 0, flaw: undefined };
        break;
      }
      case 'close':
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
        const { verb, name } = this.#commandOf('EHLO', 'HELO');
        return { kind, hello: { verb, name } };
      }
      case 'mail':
        return { kind, reversePath: this.#commandOf('MAIL').reversePath, parameters: this.#mailParameters };
      case 'rcpt': {
        const { forwardPath } = this.#commandOf('RCPT');
        return { kind, forwardPath, parameters: {}, envelope: this.#envelope };
      }
      case 'data':
        return { kind, envelope: this.#envelope };
      case 'message': {
        const size = this.#receiving?.size ?? 0;
        this.#receiving = undefined; // complete: from here on it is the application's
        return { kind, envelope: this.#envelope, size };
      }
      case 'verify':
        return { kind, argument: this.#commandOf('VRFY').argument };
      case 'expand':
        return { kind, argument: this.#commandOf('EXPN').argument };
      case 'help':
        return { kind, argument: this.#commandOf('HELP').argument };
    }
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
    const reply = answer.reply ?? defaultReplies[question.kind][answer.decision];
    if (answer.decision === 'accept' && (question.kind === 'connect' || question.kind === 'hello')) {
      const keywords =
        question.kind === 'hello' && question.hello.verb === 'EHLO' ? offeredKeywords(this.#options) : [];
      // RFC 5321 §4.2: these begin with our name, and RFC 2034 §3 gives them no enhanced status code. All on one
      // line that need not be folded, for a client takes the next for a keyword.
      const text = `${this.#options.hostname} ${reply.lines.join(' ').replace(/[\r\n]+/g, ' ')}`;
      this.#reply({ code: reply.code, lines: [text.slice(0, MAXIMUM_INTRODUCTION), ...keywords] });
    } else {
      this.#reply(reply);
    }
  }

  #reply(reply: Reply): void {
    this.#batch.add(ownReplies.get(reply) ?? formatReply(reply));
    // RFC 2920 §3.2: replies to these wait for those to the commands behind them; for all others the client waits.
    const verb = this.#command?.verb;
    const mayWait = verb === 'MAIL' || verb === 'RCPT' || verb === 'RSET';
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
    if (this.#receiving !== undefined && this.#receiving.flaw === undefined) {
      this.#emit({ type: 'abandonMailData', reason: 'closed' });
    }
    this.#receiving = undefined;
    this.#transaction = undefined;
    this.#question = undefined;
    this.#inbound.clear();
  }
}

/** The server's own replies are written over and over: each is formatted once. */
const ownReplies = new Map<Reply, Uint8Array>(
  [
    ...Object.values(replies),
    ...Object.values(defaultReplies).flatMap(({ accept, reject }) => [accept, reject]),
  ].map((reply) => [reply, formatReply(reply)]),
);
