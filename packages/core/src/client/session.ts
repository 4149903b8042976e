/**
 * A client session: the chart joined to the wire.
 *
 * How it works
 * - `handle()` takes in what happened. `poll()` then works through it one reply at a time and gives back one
 *   output at a time, until it has none; only then comes the next `handle()`.
 * - The chart says whose reply is awaited. What was written ahead of it stands in the `CommandPipeline`, what
 *   the replies mean for each recipient in the `Verdicts`, what is said in a SASL exchange in the `Authentication`.
 * - What is made of an envelope, of an inquiry, of the server's offer and of a failure are functions in files of their
 *   own; they know of the session what they are given.
 *
 * Invariants
 * - Whatever the chunks in which the server's bytes come, the outputs are the same, limits included; but that
 *   `upgradeTls` is not asked for any more where plaintext is known to stand behind the reply to STARTTLS.
 * - What was heard before a TLS handshake is forgotten with it: the offer, and all octets (RFC 3207 §4.2, §6).
 * - No secret stands in an output but in the octets to be written, and beside those stands what may be recorded; of
 *   what the server says, which may quote it at any time, `recordable` says that.
 * - Every `send` that was taken is followed by one `done`, with a verdict for each recipient; `failed` comes
 *   once at most, and behind it.
 * - What the application does wrong is thrown before anything has changed, but for a message that cannot be
 *   sent: half of it may be on its way, so that the session can only end.
 */

import type { ChartEvent } from '../chart/machine/machine-shape.js';
import { CLEAR_DEADLINE, type DeadlineEffect, type Effect, SET_DEADLINE } from '../chart/table/operations.js';
import type { ChartRunner } from '../chart/table/runner.js';
import { changesBetween, type SessionEnding } from '../chart/table/transition-record.js';
import { Deadlines } from '../deadlines.js';
import { LocalProtocolError, RemoteProtocolError } from '../errors.js';
import { type Limits, parseLimits } from '../extensions/session/limits.js';
import { checkNow } from '../option-checks.js';
import type { TlsInformation } from '../tls.js';
import { MAXIMUM_AUTHENTICATION_OCTETS } from '../wire/commands/command.js';
import { formatCommand } from '../wire/commands/format-command.js';
import type { MailDataCoding } from '../wire/mail-data/mail-data-encoder.js';
import { concatenate, encodeText } from '../wire/octets.js';
import { type Reply, type Severity, severity } from '../wire/replies/reply.js';
import type { ClientContext } from './chart/chart-context.js';
import type {
  ClientAction,
  ClientChartEvent,
  ClientState,
  FailParameters,
  Finding,
  FixedLine,
  ReplyEvent,
} from './chart/chart-events.js';
import { clientTable } from './client-table.js';
import { notAllowed } from './contract/allowed-inputs.js';
import type {
  ClientEvent,
  ClientInput,
  ClientInquiry,
  ClientOutput,
  ServerOffer,
} from './contract/messages.js';
import {
  type ClientSessionOptions,
  type ResolvedClientOptions,
  resolveClientOptions,
} from './contract/options.js';
import { type ClientEnvelope, type EnvelopeInput, readEnvelope } from './envelope/envelope.js';
import type { SessionFailure } from './envelope/outcomes.js';
import { awaitsOutcome, failureOf, noEvidence, phaseOf, replyIn, violations } from './failures.js';
import type { Authentication } from './negotiation/authentication.js';
import { formatInquiry } from './negotiation/inquiries.js';
import {
  attributesCommand,
  beginAuthentication,
  NO_KEYWORDS,
  negotiableWith,
  offerIn,
  unfitMechanisms,
} from './negotiation/negotiation.js';
import { commandsIn, withheldReply } from './observing/observing.js';
import type { ClientProtocolEvent } from './observing/protocol-events.js';
import { ReplyRecord } from './observing/reply-record.js';
import type { Discretion } from './replies/discretion.js';
import { type IsSecretLine, ReplyReader } from './replies/reply-reader.js';
import { type MailTransaction, makeMailTransaction } from './transaction/mail-transaction.js';

/** Written out: a name put together at each reply would be hashed anew to be looked up in the table. */
const replyEvents = {
  success: 'reply.success',
  intermediate: 'reply.intermediate',
  transient: 'reply.transient',
  permanent: 'reply.permanent',
} as const satisfies Record<Severity, ReplyEvent['type']>;

/** An event without its time. */
type Happening = ClientProtocolEvent extends infer Event
  ? Event extends ClientProtocolEvent
    ? Omit<Event, 'time'>
    : never
  : never;

/** The states in which a reply leads on in the negotiation before `ready`. */
const negotiating: ReadonlySet<ClientState> = new Set<ClientState>([
  'session.identifying',
  'session.fallingBack',
  'session.startingTls',
  'session.authentication.responding',
]);

/**
 * The client's end of one SMTP connection (RFC 5321), without I/O.
 *
 * Drive it so: hand in what happens by `handle()`, then call `poll()` until it returns undefined and do what
 * each output says; call `handle({ type: 'timeout' })` when `nextDeadline()` has passed. The server speaks
 * first; TLS, authentication and what else the options want is negotiated before the event `ready` comes. Then
 * `send` begins a mail transaction, and once `done` has come, the next one or `quit`.
 *
 * For the outputs `upgradeTls` and `compute` the host has work to do, and hands in what became of it.
 *
 * Read from the connection all the while, also while writing to it: a server that cannot get rid of its
 * replies stops reading. To give up, close the connection and hand in `lost`: the verdicts follow.
 */
export class ClientSession {
  readonly #options: ResolvedClientOptions;
  readonly #fixedLines: Readonly<Record<FixedLine, Uint8Array>>;
  readonly #replies: ReplyReader;
  readonly #deadlines = new Deadlines();
  readonly #position: ChartRunner<ClientContext, ClientChartEvent>;
  #now: number;

  /** Outputs that one step gave, and that `poll()` has yet to give. */
  readonly #outputs: ClientOutput[] = [];

  /** When the connection was made. */
  readonly #begin: number;
  /** An octet has come. */
  #heard = false;
  #ended = false;
  #tls: TlsInformation | undefined;
  #offer: ServerOffer | undefined;
  #authentication: Authentication | undefined;
  #authenticatedBy: string | undefined;
  /** Of what was said in the SASL exchange; undefined before there was one. */
  #discretion: Discretion | undefined;
  readonly #record = new ReplyRecord();
  /** What the SASL exchange came to, of which the chart is yet to be told. */
  #prepared: ClientChartEvent | undefined;
  /** The inquiry to be written. */
  #inquiry: Uint8Array | undefined;
  /** Mail transactions that were begun. */
  #transactions = 0;
  /** Domains of the recipients that were sent, where the server limits them. */
  #recipientDomains: ReadonlySet<string> = new Set();
  /** The octets of the chunk to be written. */
  #chunk: Uint8Array | undefined;
  #transaction: MailTransaction | undefined;
  /** Of the mail transaction under way, for whoever observes. */
  #observed: { readonly envelope: ClientEnvelope; size: number } | undefined;
  readonly #evidence = noEvidence();
  #ending: SessionEnding | undefined;

  /**
   * @param options.now the time at which the connection was made, in monotonic milliseconds
   * @throws {RangeError} an option is out of its range; the message names both
   * @throws {TypeError} the credentials are of the wrong shape; the message names the field and what it takes
   */
  constructor(options: ClientSessionOptions & { readonly now: number }) {
    this.#options = resolveClientOptions(options);
    const { hostname: name, maximumReplyLines, protocol } = this.#options;
    this.#tls = this.#options.tls;
    this.#fixedLines = {
      hello: formatCommand({ verb: protocol === 'lmtp' ? 'LHLO' : 'EHLO', name }),
      HELO: formatCommand({ verb: 'HELO', name }),
      STARTTLS: formatCommand({ verb: 'STARTTLS' }),
      cancel: encodeText('*\r\n'), // RFC 4954 §4
      RSET: formatCommand({ verb: 'RSET' }),
      QUIT: formatCommand({ verb: 'QUIT' }),
    };
    this.#replies = new ReplyReader(maximumReplyLines);
    this.#now = checkNow(options.now);
    this.#begin = options.now;
    const effects: Effect[] = [];
    this.#position = clientTable.run(clientTable.start(this.#options, effects));
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

  /**
   * The message is to be handed in: `mailData` and `endOfMailData` are allowed. Ask before each of them: where the
   * message goes in chunks this may become false, until `mailDataWanted` comes again.
   */
  get wantsMailData(): boolean {
    return this.state === 'session.transaction.sending' || this.state === 'session.transaction.chunking';
  }

  /** What the server offered in reply to the last EHLO or HELO; undefined while that has none. */
  get offer(): ServerOffer | undefined {
    return this.#offer;
  }

  /** The result of the last `compute` is awaited: `computed` is allowed. A session that has given up awaits none. */
  get wantsComputed(): boolean {
    return this.#authentication?.computing === true && this.#isOpen;
  }

  get #isOpen(): boolean {
    return this.state.startsWith('session.');
  }

  /**
   * What may be recorded of what the server says: ask once with each chunk, before it goes in as `bytes`, and append.
   * It is all, until credentials are sent. From then on it is whole lines: of those in the SASL exchange, and of all
   * that quote the credentials later, the code and the length only. Of what is written, the output `write` says what may.
   */
  recordable(bytes: Uint8Array): Uint8Array {
    return this.#discretion === undefined ? bytes : this.#record.take(bytes, this.#isSecret);
  }

  /** What may be recorded behind the last chunk: that the server has begun a line, and how long it was. */
  recordableRest(): Uint8Array {
    return this.#record.end();
  }

  /** Mail transactions that the server still takes in this session (MAILMAX, RFC 9422 §4.1); Infinity for no limit. */
  get transactionsLeft(): number {
    return (this.#limits?.mailMaximum ?? Number.POSITIVE_INFINITY) - this.#transactions;
  }

  /**
   * Recipients of the mail transaction under way without a verdict, counted from 0. While the session wants mail data, the
   * message may go to these with its end, and to no other.
   */
  get undecided(): readonly number[] {
    return this.#transaction?.verdicts.undecided() ?? [];
  }

  /** How the session began to end; undefined while it goes on. */
  get ending(): SessionEnding | undefined {
    return this.#ending;
  }

  /** When to call `handle({ type: 'timeout' })` at the latest, in monotonic milliseconds. */
  nextDeadline(): number | undefined {
    return this.#deadlines.next();
  }

  /**
   * Takes in what happened; call `poll()` next. Once the session is closed, nothing is taken in.
   * @throws {LocalProtocolError} the input is not allowed in this state, an envelope or an inquiry cannot be
   *   read or written, or has no recipient, or the server takes no more mail transactions (see `transactionsLeft`); the
   *   session is as it was
   * @throws {ExtensionNotOfferedError} the envelope or the inquiry needs a service extension that the server does not
   *   offer; the session is as it was, and may be used for others
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
        this.#heard = true;
        if (this.state !== 'closing') this.#replies.push(input.bytes);
        return;
      case 'eof':
        this.#ended = true;
        return;
      case 'lost':
        this.#evidence.tlsError = input.error;
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
      case 'inquire':
        this.#inquire(input.command);
        return;
      case 'quit':
        this.#require({ type: 'quit' }, 'quit');
        this.#step({ type: 'quit' });
        return;
      case 'tlsEstablished':
        this.#require({ type: 'tlsEstablished' }, 'tlsEstablished');
        this.#tls = input.tls;
        this.#replies.clear(); // nothing that was heard before holds any more (RFC 3207 §4.2)
        this.#step({ type: 'tlsEstablished' });
        return;
      case 'tlsFailed':
        this.#require({ type: 'tlsFailed' }, 'tlsFailed');
        this.#evidence.tlsError = input.error;
        this.#step({ type: 'tlsFailed' });
        return;
      case 'computed':
        this.#takeResult(input.result);
    }
  }

  /** The next thing to do, or undefined when there is nothing left until the next `handle()`. */
  poll(): ClientOutput | undefined {
    for (;;) {
      const output = this.#outputs.shift();
      if (output !== undefined || !this.#advance()) return output;
    }
  }

  #send(given: EnvelopeInput): void {
    this.#require({ type: 'send', recipients: 1, chunks: 0 }, 'send');
    if (this.transactionsLeft <= 0) {
      const problem = `send came behind the ${this.#transactions} mail transactions that the server takes (MAILMAX)`;
      throw new LocalProtocolError(this.state, problem, 'inquire, quit');
    }
    const transaction = this.#written(
      'send came with an envelope',
      'addresses of RFC 5321 §4.1.2 and valid parameters',
      () => {
        const envelope = readEnvelope(given);
        if (this.#wants('message')) this.#observed = { envelope, size: 0 };
        return makeMailTransaction(
          envelope,
          this.#keywords,
          this.#limits,
          this.#recipientDomains,
          this.#options,
        );
      },
    );
    const { recipients, chunks, recipientDomains } = transaction;
    this.#transaction = transaction;
    this.#recipientDomains = recipientDomains;
    if (recipients > 0) this.#transactions += 1;
    this.#step({ type: 'send', recipients, chunks });
  }

  #inquire(command: ClientInquiry): void {
    this.#require({ type: 'inquire' }, 'inquire');
    this.#inquiry = this.#written('inquire came with a command', 'an argument of printable ASCII', () =>
      formatInquiry(command, this.state, this.#options.extensions, this.#keywords),
    );
    this.#step({ type: 'inquire' });
  }

  #takeResult(result: Uint8Array): void {
    // A host that computes meanwhile cannot know that the session has given up.
    if (!this.#isOpen) return;
    if (!this.#authentication?.computing) throw this.#notAllowed('computed');
    this.#authentication.computed(result);
    this.#step({ type: 'computed' });
  }

  /** What `write` gives; of what cannot be written, the caller learns what could be. */
  #written<Written>(came: string, allowed: string, write: () => Written): Written {
    try {
      return write();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const problem = `${came} that cannot be written (${error.message})`;
      throw new LocalProtocolError(this.state, problem, allowed);
    }
  }

  #takeMailData(bytes: Uint8Array): void {
    this.#require({ type: 'endOfMailData' }, 'mailData');
    if (this.#observed !== undefined) this.#observed.size += bytes.length;
    const encoded = this.#encode((encoder) => encoder.encode(bytes));
    const { chunks, gathering } = this.#underWay;
    if (chunks > 0) {
      this.#chunk = encoded.length === 0 ? undefined : gathering.add(encoded);
      if (this.#chunk === undefined) this.#deadlines.restart(this.#now);
      else this.#step({ type: 'chunk' });
      return;
    }
    this.#deadlines.restart(this.#now);
    if (encoded.length > 0) this.#write(encoded);
  }

  #endMailData(): void {
    this.#require({ type: 'endOfMailData' }, 'endOfMailData');
    this.#encode((encoder) => encoder.end());
    this.#step({ type: 'endOfMailData' });
  }

  /** Leaves a message alone that the encoder refuses, and throws what it threw. */
  #encode(encode: (encoder: MailDataCoding) => Uint8Array): Uint8Array {
    try {
      return encode(this.#underWay.encoder);
    } catch (error) {
      this.#step({ type: 'abandon' });
      throw error;
    }
  }

  /** Throws unless the chart has a transition for what the application does. */
  #require(event: ClientChartEvent, input: ClientInput['type']): void {
    if (!this.#takes(event)) throw this.#notAllowed(input);
  }

  #takes(event: ClientChartEvent): boolean {
    return this.#position.takes(event);
  }

  #notAllowed(input: ClientInput['type']): LocalProtocolError {
    return notAllowed(input, this.state, (event) => this.#takes(event));
  }

  /** Does one thing with what is held; false if nothing can be done before the next `handle()`. */
  #advance(): boolean {
    if (this.state === 'closed') return false;
    const prepared = this.#prepared;
    if (prepared !== undefined) {
      this.#prepared = undefined;
      this.#step(prepared);
      return true;
    }
    const read = this.#nextReply();
    if (read instanceof RemoteProtocolError) {
      this.#evidence.protocolError = read;
      this.#step({ type: 'protocolError' });
    } else if (read !== undefined) {
      const shown = this.#discretion?.reply(read) ?? read;
      this.#evidence.reply = shown;
      if (this.#wants('reply')) {
        const { state } = this;
        this.#observe({ type: 'reply', reply: this.#inExchange ? withheldReply(read) : shown, state });
      }
      this.#step(this.#eventOf(read));
    } else if (this.#ended) {
      this.#step({ type: 'peerClosed' });
    } else {
      return false;
    }
    return true;
  }

  /** What the server said next, or why nothing that it says can be believed. */
  #nextReply(): Reply | RemoteProtocolError | undefined {
    if (this.state === 'session.securing') {
      return this.#replies.holdsOctets ? new RemoteProtocolError(violations.plaintextBehind) : undefined;
    }
    const { maximumReplyLineLength } = this.#options;
    const longest = this.#inExchange
      ? Math.max(maximumReplyLineLength, MAXIMUM_AUTHENTICATION_OCTETS)
      : maximumReplyLineLength;
    return this.#replies.next(longest, this.#isSecret);
  }

  /** What the server says now belongs to a SASL exchange. */
  get #inExchange(): boolean {
    return this.state.startsWith('session.authentication') || this.state === 'cancelled';
  }

  /** No more of the line than its length may be shown. A line that is cut may quote the beginning of a secret. */
  readonly #isSecret: IsSecretLine = (line, cut) =>
    this.#inExchange ||
    (this.#discretion !== undefined && (cut === 'cut' || this.#discretion.isQuotedIn(line)));

  #eventOf(reply: Reply): ReplyEvent {
    const { code } = reply;
    const type = code === 421 ? 'reply.421' : code === 221 ? 'reply.221' : replyEvents[severity(code)];
    const commands = this.#transaction?.commands;
    if (commands === undefined && negotiating.has(this.state) && type !== 'reply.221') {
      const finding = this.#takeIn(reply, severity(code));
      if (finding !== undefined && finding !== 'initialResponseAwaited') {
        this.#evidence.protocolError = new RemoteProtocolError(violations[finding]);
      }
      const negotiable = negotiableWith(this.#options, this.#keywords, this.#tls);
      return { type, code, writtenAhead: false, negotiable, finding };
    }
    if (commands?.inFlight) commands.answer();
    return { type, code, writtenAhead: commands?.inFlight ?? false };
  }

  /** Takes in what a reply of the negotiation says of the server; what is wrong or special with it. */
  #takeIn(reply: Reply, kind: Severity): Finding | undefined {
    switch (this.state) {
      case 'session.identifying':
      case 'session.fallingBack':
        if (kind === 'success') this.#takeOffer(reply);
        return undefined;
      case 'session.startingTls':
        return kind === 'success' && this.#replies.holdsOctets ? 'plaintextBehind' : undefined;
      default:
        if (kind === 'intermediate') return this.#authentication?.challenge(reply);
        return kind === 'success' ? this.#authentication?.accepted() : undefined;
    }
  }

  #takeOffer(reply: Reply): void {
    const hello = this.#options.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
    const verb = this.state === 'session.identifying' ? hello : 'HELO';
    this.#offer = offerIn(reply, verb, { tls: this.#tls, authenticatedBy: this.#authenticatedBy });
  }

  get #keywords(): ReadonlyMap<string, string> {
    return this.#offer?.keywords ?? NO_KEYWORDS;
  }

  get #limits(): Limits | undefined {
    const limits = this.#keywords.get('LIMITS');
    return limits === undefined ? undefined : parseLimits(limits);
  }

  /** Begins the SASL exchange, or takes it on. The chart is told what it came to once it has taken its step. */
  #prepareResponse(): void {
    this.#authentication ??= beginAuthentication(this.#options.authentication, this.#keywords, this.#tls);
    this.#discretion = this.#authentication.discretion;
    this.#evidence.mechanism = this.#authentication.mechanism;
    const preparation = this.#authentication.prepare();
    switch (preparation.type) {
      case 'compute':
        this.#outputs.push(preparation);
        return;
      case 'respond':
        this.#prepared = preparation;
        return;
      case 'cancel':
        this.#evidence.cancelReason = preparation.reason;
        this.#prepared = { type: 'cancel', begun: preparation.begun };
    }
  }

  /** Takes the chart one step on and performs its effects. */
  #step(event: ClientChartEvent | ChartEvent): void {
    const from = this.state;
    const before = this.#wants('transition') ? this.#position.position() : undefined;
    const effects = this.#position.step(event);
    if (effects === undefined) {
      throw new Error(`The client chart has no transition for ${event.type} in ${from}`);
    }
    const to = this.state;
    if (this.#ending === undefined && (to === 'closing' || to === 'closed')) {
      this.#ending = { event: event.type, from, to };
    }
    const explanation = before && clientTable.explain(before, event);
    if (before && explanation) {
      const names = effects.map(({ type }) => type);
      const changes = changesBetween(before.context, this.#position.position().context);
      this.#observe({
        type: 'transition',
        event: event.type,
        from,
        to,
        effects: names,
        changes,
        ...explanation,
      });
    }
    for (const effect of effects) this.#perform(effect, from);
  }

  /** @param from the state that the step left */
  #perform(effect: Effect, from: ClientState): void {
    const action = effect as ClientAction | DeadlineEffect;
    switch (action.type) {
      case SET_DEADLINE:
        this.#deadlines.set(action.params.id, action.params.delay, this.#now);
        if (this.#wants('timerSet')) this.#observe({ type: 'timerSet', ...action.params });
        break;
      case CLEAR_DEADLINE:
        if (this.#deadlines.clear(action.params.id) && this.#wants('timerCleared')) {
          this.#observe({ type: 'timerCleared', ...action.params });
        }
        break;
      case 'write':
        if (action.params.command === 'hello') this.#forgetOffer();
        this.#writeCommands(this.#fixedLines[action.params.command]);
        break;
      case 'proceed': {
        const bytes = this.#underWay.commands.take();
        if (bytes !== undefined) this.#writeCommands(bytes);
        break;
      }
      case 'announceGreeting':
        this.#announce({ type: 'greeting', reply: replyIn(this.#evidence) });
        break;
      case 'upgradeTls':
        this.#forgetOffer();
        this.#outputs.push({ type: 'upgradeTls' });
        break;
      case 'prepareResponse':
        this.#prepareResponse();
        break;
      case 'writeResponse':
        if (this.#authentication !== undefined) {
          const line = this.#authentication.nextLine();
          this.#outputs.push({ type: 'write', ...line });
          this.#observeCommands(line.redacted ?? line.bytes, line.bytes.length);
        }
        break;
      case 'acknowledge':
        this.#authenticatedBy = this.#authentication?.mechanism;
        this.#observeAuthentication('accepted');
        this.#authentication = undefined;
        if (this.#offer !== undefined) {
          this.#offer = { ...this.#offer, authenticatedBy: this.#authenticatedBy };
        }
        break;
      case 'writeXclient':
        this.#writeCommands(attributesCommand('XCLIENT', this.#options, this.#keywords));
        break;
      case 'writeXforward':
        this.#writeCommands(attributesCommand('XFORWARD', this.#options, this.#keywords));
        break;
      case 'introduce':
        if (this.#offer !== undefined) this.#announce({ type: 'ready', offer: this.#offer });
        break;
      case 'writeInquiry':
        if (this.#inquiry !== undefined) this.#writeCommands(this.#inquiry);
        break;
      case 'announceAnswer':
        this.#announce({ type: 'answered', reply: replyIn(this.#evidence) });
        break;
      case 'answerRecipient': {
        const reply = replyIn(this.#evidence);
        const index = this.#underWay.verdicts.answerRecipient(reply);
        this.#announce({ type: 'recipient', index, reply });
        break;
      }
      case 'refuse':
        this.#underWay.commands.stop();
        this.#underWay.verdicts.refuse(phaseOf(from), replyIn(this.#evidence));
        break;
      case 'deliver':
        this.#underWay.verdicts.deliver(replyIn(this.#evidence));
        break;
      case 'decideRecipient':
        this.#underWay.verdicts.decideRecipient(replyIn(this.#evidence));
        break;
      case 'wantMailData':
        this.#announce({ type: 'mailDataWanted' });
        break;
      case 'writeChunk':
        if (this.#chunk !== undefined) this.#writeChunk(this.#chunk, false);
        this.#chunk = undefined;
        break;
      case 'writeEndOfMailData': {
        const { encoder, chunks, gathering } = this.#underWay;
        if (chunks > 0) this.#writeChunk(gathering.end(encoder.end()), true);
        else this.#write(encoder.end());
        break;
      }
      case 'settle':
        this.#settle();
        break;
      case 'fail':
        this.#fail(action.params, from);
        break;
      case 'close':
        this.#replies.clear();
        this.#outputs.push({ type: 'close' });
        break;
      case 'closed':
        this.#outputs.push({ type: 'closed' });
    }
  }

  #write(bytes: Uint8Array): void {
    this.#outputs.push({ type: 'write', bytes });
  }

  #writeCommands(bytes: Uint8Array): void {
    this.#write(bytes);
    this.#observeCommands(bytes);
  }

  /** @param length octets as they were written, where something else is shown */
  #observeCommands(shown: Uint8Array, length?: number): void {
    if (!this.#wants('command') && !this.#wants('response')) return;
    for (const command of commandsIn(shown)) {
      const octets = length ?? command.length;
      // Within an AUTH exchange there are lines of it only, after the one that begins it.
      if (this.#inExchange && command.verb !== 'AUTH') {
        if (this.#wants('response')) this.#observe({ type: 'response', length: octets });
      } else if (this.#wants('command')) this.#observe({ type: 'command', ...command, length: octets });
    }
  }

  #observeAuthentication(outcome: Extract<Happening, { readonly type: 'authentication' }>['outcome']): void {
    if (!this.#wants('authentication') || this.#authentication === undefined) return;
    const { mechanism } = this.#authentication;
    const credentials = this.#options.authentication?.credentials;
    const username = credentials !== undefined &&
      'username' in credentials && { username: credentials.username };
    this.#observe({ type: 'authentication', mechanism, ...username, outcome });
  }

  #writeChunk(octets: Uint8Array, last: boolean): void {
    const command = formatCommand({ verb: 'BDAT', size: octets.length, last });
    this.#observeCommands(command);
    // To copy the octets costs less than a write of their own, unless they are many.
    if (last) {
      this.#write(concatenate([command, octets]));
    } else {
      this.#write(command);
      this.#write(octets);
    }
  }

  /** What the server offered is void, and so is what it knew of us (RFC 3207 §4.2). */
  #forgetOffer(): void {
    this.#offer = undefined;
    this.#authenticatedBy = undefined;
  }

  /** Somebody wants to know of such events. */
  #wants(kind: ClientProtocolEvent['type']): boolean {
    return this.#options.observe.has(kind);
  }

  #observe(happening: Happening): void {
    const event = { ...happening, time: this.#now } as ClientProtocolEvent;
    this.#outputs.push({ type: 'observed', event });
  }

  #announce(event: ClientEvent): void {
    this.#outputs.push({ type: 'event', event });
  }

  #settle(): void {
    const verdicts = this.#underWay.verdicts.all();
    this.#transaction = undefined;
    if (this.#observed !== undefined) this.#observe({ type: 'message', ...this.#observed, verdicts });
    this.#observed = undefined;
    this.#announce({ type: 'done', verdicts });
  }

  #fail(parameters: FailParameters, from: ClientState): void {
    if (parameters.kind === 'notOffered' && this.#options.authentication !== undefined) {
      this.#evidence.mechanisms = unfitMechanisms(this.#options.authentication, this.#keywords);
    }
    if (!this.#heard && this.#tls === undefined) this.#evidence.silentFor = this.#now - this.#begin;
    if (from !== 'session.securing') this.#evidence.unfinished = this.#replies.unfinished(this.#isSecret);
    const failure = failureOf(parameters, from, this.#evidence);
    const verdicts = this.#transaction?.verdicts;
    if (verdicts !== undefined) {
      const endSent = awaitsOutcome(from);
      // Before the end a 421 says nothing of the message, but that the session is over (RFC 5321 §3.8).
      if (failure.kind === 'refused' && (endSent || failure.reply.code !== 421)) {
        verdicts.refuse(failure.phase, failure.reply);
      } else if (endSent) verdicts.loseSight(failure);
      else verdicts.defer(failure);
      this.#settle();
    }
    this.#observeAuthentication(outcomeOf(failure));
    if (this.#wants('failed')) this.#observe({ type: 'failed', failure });
    this.#announce({ type: 'failed', failure });
  }

  get #underWay(): MailTransaction {
    if (this.#transaction === undefined) {
      throw new Error('The client chart speaks of a mail transaction outside of one');
    }
    return this.#transaction;
  }
}

/** What became of an AUTH exchange that ends the session. */
function outcomeOf(failure: SessionFailure): 'refused' | 'unavailable' | 'abandoned' {
  if (failure.kind !== 'refused' || failure.phase !== 'auth') return 'abandoned';
  return failure.reply.code < 500 ? 'unavailable' : 'refused';
}
