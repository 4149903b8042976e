/**
 * A client session: the chart joined to the wire.
 *
 * How it works
 * - `handle()` takes in what happened. `poll()` then works through it one reply at a time and gives back one
 *   output at a time, until it has none; only then comes the next `handle()`.
 * - The chart says whose reply is awaited. What was written ahead of it stands in the `CommandPipeline`, what
 *   the replies mean for each recipient in the `Verdicts`.
 *
 * Invariants
 * - Whatever the chunks in which the server's bytes come, the outputs are the same, limits included.
 * - Every `send` that was taken is followed by one `done`, with a verdict for each recipient; `failed` comes
 *   once at most, and behind it.
 * - What the application does wrong is thrown before anything has changed, but for a message that cannot be
 *   sent: half of it may be on its way, so that the session can only end.
 */
import type { ChartState } from '../chart/compile.js';
import { compile } from '../chart/compile.js';
import { type ChartEvent, shapeOf } from '../chart/machine-shape.js';
import { CLEAR_DEADLINE, type DeadlineEffect, type Effect, SET_DEADLINE } from '../chart/operations.js';
import { Deadlines } from '../deadlines.js';
import { LocalProtocolError, RemoteProtocolError } from '../errors.js';
import { writeMailParameters } from '../extensions/table.js';
import { formatCommand } from '../wire/command.js';
import { parseEhloReply } from '../wire/ehlo-reply.js';
import { InboundBuffer, type InboundLine } from '../wire/inbound.js';
import { MailDataEncoder } from '../wire/mail-data-encoder.js';
import { type Reply, ReplyParser, severity } from '../wire/reply.js';
import type {
  ClientAction,
  ClientChartEvent,
  ClientChartInput,
  ClientContext,
  ClientState,
  ReplyEvent,
} from './chart.js';
import { clientMachine } from './chart.js';
import { CommandPipeline } from './command-pipeline.js';
import type {
  ClientEnvelope,
  ClientEvent,
  ClientInput,
  ClientOutput,
  Phase,
  ServerOffer,
  SessionFailure,
} from './messages.js';
import { type ClientSessionOptions, type ResolvedClientOptions, resolveClientOptions } from './options.js';
import { Verdicts } from './verdicts.js';

export const clientTable = compile<ClientContext, ClientChartEvent, ClientChartInput>(shapeOf(clientMachine));

/** A mail transaction under way. */
interface Transaction {
  readonly commands: CommandPipeline;
  readonly verdicts: Verdicts;
  readonly encoder: MailDataEncoder;
}

/** What is awaited in each state: the phase, and the first digits of the replies that make sense there. */
const awaited: Readonly<Record<ClientState, { readonly phase: Phase; readonly replies: string }>> = {
  'session.greeting': { phase: 'greeting', replies: 'the greeting is 2yz, 4yz or 5yz' },
  'session.identifying': { phase: 'hello', replies: 'EHLO takes 2yz, 4yz or 5yz' },
  'session.fallingBack': { phase: 'hello', replies: 'HELO takes 2yz, 4yz or 5yz' },
  'session.ready': { phase: 'ready', replies: 'nothing was asked of it' },
  'session.transaction.mailing': { phase: 'mail', replies: 'MAIL takes 2yz, 4yz or 5yz' },
  'session.transaction.addressing': { phase: 'rcpt', replies: 'RCPT takes 2yz, 4yz or 5yz' },
  'session.transaction.initiating': { phase: 'data', replies: 'DATA takes 3yz, 4yz or 5yz' },
  'session.transaction.sending': { phase: 'message', replies: 'a message under way takes 4yz or 5yz' },
  'session.transaction.abandoned': { phase: 'message', replies: 'a message under way takes 4yz or 5yz' },
  'session.transaction.terminating': { phase: 'message', replies: 'the final dot takes 2yz, 4yz or 5yz' },
  'session.resetting': { phase: 'reset', replies: 'RSET takes 2yz, 4yz or 5yz' },
  'session.quitting': { phase: 'quit', replies: 'QUIT takes 2yz, 4yz or 5yz' },
  refused: { phase: 'quit', replies: 'QUIT takes 2yz, 4yz or 5yz' },
  closing: { phase: 'quit', replies: 'the session is over' },
  closed: { phase: 'quit', replies: 'the session is over' },
};

/** The inputs by which the application acts; the chart says where. */
const applicationInputs: readonly { readonly inputs: string; readonly event: ClientChartEvent }[] = [
  { inputs: 'send', event: { type: 'send', recipients: 1 } },
  { inputs: 'mailData, endOfMailData', event: { type: 'endOfMailData' } },
  { inputs: 'quit', event: { type: 'quit' } },
];

/**
 * The client's end of one SMTP connection (RFC 5321), without I/O.
 *
 * Drive it so: hand in what happens by `handle()`, then call `poll()` until it returns undefined and do what
 * each output says; call `handle({ type: 'timeout' })` when `nextDeadline()` has passed. The server speaks
 * first; once the event `ready` has come, `send` begins a mail transaction, and once `done` has come, the
 * next one or `quit`.
 *
 * Read from the connection all the while, also while writing to it: a server that cannot get rid of its
 * replies stops reading. To give up, close the connection and hand in `lost`: the verdicts follow.
 */
export class ClientSession {
  readonly #options: ResolvedClientOptions;
  readonly #ownCommands: Readonly<Record<'EHLO' | 'HELO' | 'RSET' | 'QUIT', Uint8Array>>;
  readonly #inbound = new InboundBuffer('reject');
  readonly #replies: ReplyParser;
  readonly #deadlines = new Deadlines();
  #position: ChartState<ClientContext>;
  #now: number;

  /** Outputs that one step gave, and that `poll()` has yet to give. */
  readonly #outputs: ClientOutput[] = [];

  #ended = false;
  #offer: ServerOffer | undefined;
  #transaction: Transaction | undefined;
  /** The reply that the chart is being told of. */
  #reply: Reply | undefined;
  /** What the server sent instead of a reply. */
  #error: RemoteProtocolError | undefined;

  /**
   * @param options.now the time at which the connection was made, in monotonic milliseconds
   * @throws {RangeError} an option is out of its range; the message names both
   */
  constructor(options: ClientSessionOptions & { readonly now: number }) {
    this.#options = resolveClientOptions(options);
    const { hostname: name, maximumReplyLines: maximumLines } = this.#options;
    this.#ownCommands = {
      EHLO: formatCommand({ verb: 'EHLO', name }),
      HELO: formatCommand({ verb: 'HELO', name }),
      RSET: formatCommand({ verb: 'RSET' }),
      QUIT: formatCommand({ verb: 'QUIT' }),
    };
    this.#replies = new ReplyParser({ maximumLines });
    this.#now = options.now;
    const effects: Effect[] = [];
    this.#position = clientTable.start(this.#options, effects);
    for (const effect of effects) this.#perform(effect, this.state);
  }

  /** Where the session stands: a leaf state of the chart. */
  get state(): ClientState {
    return this.#position.value as ClientState;
  }

  /** True until the session is closed: a client reads whatever it waits for. */
  get wantsInput(): boolean {
    return this.state !== 'closed';
  }

  /** The message is to be handed in: `mailData` and `endOfMailData` are allowed. */
  get wantsMailData(): boolean {
    return this.state === 'session.transaction.sending';
  }

  /** What the server offered; undefined before `ready`. */
  get offer(): ServerOffer | undefined {
    return this.#offer;
  }

  /** When to call `handle({ type: 'timeout' })` at the latest, in monotonic milliseconds. */
  nextDeadline(): number | undefined {
    return this.#deadlines.next();
  }

  /**
   * Takes in what happened; call `poll()` next. Once the session is closed, nothing is taken in.
   * @throws {LocalProtocolError} the input is not allowed in this state, or an envelope cannot be written or
   *   has no recipient; the session is as it was
   * @throws {MailDataError} the message holds what cannot be sent (see the option `newlines`). It must never
   *   be ended, for the server would take the half of it that it has for the whole. So the session takes
   *   nothing more of it: close the connection without sending anything, and hand in `lost`. The verdicts
   *   will then be `deferred`; that another try would fail alike, this error alone says.
   */
  handle(input: ClientInput): void {
    if (this.state === 'closed') return;
    this.#now = input.now;
    switch (input.type) {
      case 'bytes':
        if (this.state !== 'closing') this.#inbound.push(input.bytes);
        return;
      case 'eof':
        this.#ended = true;
        return;
      case 'lost':
        this.#step({ type: 'connectionLost' });
        return;
      case 'timeout':
        for (const id of this.#deadlines.takeAllDue(this.#now)) this.#step({ type: id });
        return;
      case 'send':
        this.#send(input.envelope);
        return;
      case 'mailData':
        this.#takeMailData(input.bytes);
        return;
      case 'endOfMailData':
        this.#endMailData();
        return;
      case 'quit':
        this.#require({ type: 'quit' }, 'quit');
        this.#step({ type: 'quit' });
    }
  }

  /** The next thing to do, or undefined when there is nothing left until the next `handle()`. */
  poll(): ClientOutput | undefined {
    for (;;) {
      const output = this.#outputs.shift();
      if (output !== undefined || !this.#advance()) return output;
    }
  }

  #send(envelope: ClientEnvelope): void {
    const event = { type: 'send', recipients: envelope.recipients.length } as const;
    this.#require(event, 'send');
    if (event.recipients === 0) {
      throw new LocalProtocolError(
        this.state,
        'send came without a recipient',
        'an envelope with recipients',
      );
    }
    const keywords = this.#offer?.keywords ?? new Map<string, string>();
    const commands = new CommandPipeline(
      this.#commandsFor(envelope, keywords),
      keywords.has('PIPELINING') ? this.#options.maximumOctetsInFlight : 0,
    );
    const verdicts = new Verdicts(event.recipients);
    const encoder = new MailDataEncoder({ newlines: this.#options.newlines });
    this.#transaction = { commands, verdicts, encoder };
    this.#step(event);
  }

  /** All commands of a mail transaction: whether an envelope can be written is known before any of it is. */
  #commandsFor(
    { reversePath, parameters = {}, recipients }: ClientEnvelope,
    keywords: ReadonlyMap<string, string>,
  ): Uint8Array[] {
    const mailParameters = this.#written('a size of 0 octets or more', () =>
      writeMailParameters(parameters, keywords),
    );
    return this.#written('addresses of RFC 5321 §4.1.2', () => [
      formatCommand({ verb: 'MAIL', reversePath, parameters: mailParameters }),
      ...recipients.map((forwardPath) => formatCommand({ verb: 'RCPT', forwardPath, parameters: [] })),
      formatCommand({ verb: 'DATA' }),
    ]);
  }

  /** What `write` gives; of what cannot be written, the caller learns what could be. */
  #written<Written>(allowed: string, write: () => Written): Written {
    try {
      return write();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const problem = `send came with an envelope that cannot be written (${error.message})`;
      throw new LocalProtocolError(this.state, problem, allowed);
    }
  }

  #takeMailData(bytes: Uint8Array): void {
    this.#require({ type: 'endOfMailData' }, 'mailData');
    const encoded = this.#encode((encoder) => encoder.encode(bytes));
    this.#deadlines.restart(this.#now);
    if (encoded.length > 0) this.#outputs.push({ type: 'write', bytes: encoded });
  }

  #endMailData(): void {
    this.#require({ type: 'endOfMailData' }, 'endOfMailData');
    this.#encode((encoder) => encoder.end());
    this.#step({ type: 'endOfMailData' });
  }

  /** Leaves a message alone that the encoder refuses, and throws what it threw. */
  #encode(encode: (encoder: MailDataEncoder) => Uint8Array): Uint8Array {
    try {
      return encode(this.#underWay.encoder);
    } catch (error) {
      this.#step({ type: 'abandon' });
      throw error;
    }
  }

  /** Throws unless the chart has a transition for what the application does. */
  #require(event: ClientChartEvent, input: ClientInput['type']): void {
    if (this.#allows(event)) return;
    const allowed = applicationInputs
      .filter((other) => this.#allows(other.event))
      .map(({ inputs }) => inputs);
    if (this.state === 'session.transaction.abandoned') allowed.push('lost, once the connection is closed');
    throw new LocalProtocolError(this.state, `${input} came`, allowed.join(', ') || 'only to wait');
  }

  #allows(event: ClientChartEvent): boolean {
    return clientTable.step(this.#position, event, []) !== undefined;
  }

  /** Does one thing with what is held; false if nothing can be done before the next `handle()`. */
  #advance(): boolean {
    if (this.state === 'closed') return false;
    const line = this.#inbound.nextLine(this.#options.maximumReplyLineLength);
    if (line === undefined) return this.#endOfInput();

    const read = this.#readLine(line);
    if (read === undefined) return true;
    if (read instanceof RemoteProtocolError) {
      this.#error = read;
      this.#step({ type: 'protocolError' });
    } else {
      this.#reply = read;
      this.#step(this.#eventOf(read));
    }
    return true;
  }

  /** All that the server sent has been looked at. */
  #endOfInput(): boolean {
    if (!this.#ended) return false;
    this.#step({ type: 'peerClosed' });
    return true;
  }

  #readLine(line: InboundLine): Reply | RemoteProtocolError | undefined {
    switch (line.kind) {
      case 'line':
        return this.#replies.push(line.octets);
      case 'malformed':
        return new RemoteProtocolError('A reply line holds a bare CR, a bare LF or a NUL (RFC 5321 §2.3.8)');
      case 'tooLong': {
        const limit = this.#options.maximumReplyLineLength;
        return new RemoteProtocolError(`A reply line exceeds ${limit} octets (maximumReplyLineLength)`);
      }
    }
  }

  #eventOf({ code }: Reply): ReplyEvent {
    const commands = this.#transaction?.commands;
    if (commands?.inFlight) commands.answer();
    return {
      type: `reply.${code === 421 ? code : severity(code)}`,
      code,
      writtenAhead: commands?.inFlight ?? false,
    };
  }

  /** Takes the chart one step on and performs its effects. */
  #step(event: ClientChartEvent | ChartEvent): void {
    const effects: Effect[] = [];
    const from = this.state;
    const next = clientTable.step(this.#position, event, effects);
    if (next === undefined) {
      throw new Error(`The client chart has no transition for ${event.type} in ${from}`);
    }
    this.#position = next;
    if (this.#options.trace) {
      const names = effects.map(({ type }) => type);
      this.#outputs.push({ type: 'transition', event: event.type, from, to: next.value, effects: names });
    }
    for (const effect of effects) this.#perform(effect, from);
  }

  /** @param from the state that the step left */
  #perform(effect: Effect, from: ClientState): void {
    const action = effect as ClientAction | DeadlineEffect;
    switch (action.type) {
      case SET_DEADLINE:
        this.#deadlines.set(action.params.id, action.params.delay, this.#now);
        break;
      case CLEAR_DEADLINE:
        this.#deadlines.clear(action.params.id);
        break;
      case 'write':
        this.#outputs.push({ type: 'write', bytes: this.#ownCommands[action.params.command] });
        break;
      case 'proceed': {
        const bytes = this.#underWay.commands.take();
        if (bytes !== undefined) this.#outputs.push({ type: 'write', bytes });
        break;
      }
      case 'announceGreeting':
        this.#announce({ type: 'greeting', reply: this.#answer });
        break;
      case 'introduce':
        this.#offer = offerOf(from === 'session.identifying' ? 'EHLO' : 'HELO', this.#answer);
        this.#announce({ type: 'ready', offer: this.#offer });
        break;
      case 'answerRecipient': {
        const reply = this.#answer;
        const index = this.#underWay.verdicts.answerRecipient(reply);
        this.#announce({ type: 'recipient', index, reply });
        break;
      }
      case 'refuse':
        this.#underWay.commands.stop();
        this.#underWay.verdicts.refuse(awaited[from].phase, this.#answer);
        break;
      case 'deliver':
        this.#underWay.verdicts.deliver(this.#answer);
        break;
      case 'wantMailData':
        this.#announce({ type: 'mailDataWanted' });
        break;
      case 'writeEndOfMailData':
        this.#outputs.push({ type: 'write', bytes: this.#underWay.encoder.end() });
        break;
      case 'settle':
        this.#settle();
        break;
      case 'fail':
        this.#fail(action.params.kind, from);
        break;
      case 'close':
        this.#inbound.clear();
        this.#outputs.push({ type: 'close' });
        break;
      case 'closed':
        this.#outputs.push({ type: 'closed' });
    }
  }

  #announce(event: ClientEvent): void {
    this.#outputs.push({ type: 'event', event });
  }

  #settle(): void {
    const verdicts = this.#underWay.verdicts.all();
    this.#transaction = undefined;
    this.#announce({ type: 'done', verdicts });
  }

  #fail(kind: SessionFailure['kind'], from: ClientState): void {
    const failure = this.#failureOf(kind, from);
    const verdicts = this.#transaction?.verdicts;
    if (verdicts !== undefined) {
      if (failure.kind === 'refused') verdicts.refuse(failure.phase, failure.reply);
      else if (from === 'session.transaction.terminating') verdicts.loseSight(failure);
      else verdicts.defer(failure);
      this.#settle();
    }
    this.#announce({ type: 'failed', failure });
  }

  #failureOf(kind: SessionFailure['kind'], from: ClientState): SessionFailure {
    const { phase, replies } = awaited[from];
    switch (kind) {
      case 'refused':
        return { kind, phase, reply: this.#answer };
      case 'protocol': {
        if (this.#error !== undefined) return { kind, phase, error: this.#error };
        const { code, lines } = this.#answer;
        const said = JSON.stringify(lines.join(' ').slice(0, 80));
        return {
          kind,
          phase,
          error: new RemoteProtocolError(`The server replied ${code} ${said}: ${replies}`),
        };
      }
      default:
        return { kind, phase };
    }
  }

  /** The reply of which the chart speaks; it speaks of one only after one came. */
  get #answer(): Reply {
    if (this.#reply === undefined) throw new Error('The client chart speaks of a reply before there was one');
    return this.#reply;
  }

  get #underWay(): Transaction {
    if (this.#transaction === undefined) {
      throw new Error('The client chart speaks of a mail transaction outside of one');
    }
    return this.#transaction;
  }
}

function offerOf(verb: ServerOffer['verb'], reply: Reply): ServerOffer {
  const { domain: name, keywords } = parseEhloReply(reply);
  // A reply to HELO is greeting text, however many lines it has (RFC 5321 §4.1.1.1).
  return { verb, name, keywords: verb === 'EHLO' ? keywords : new Map() };
}
