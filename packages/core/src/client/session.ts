/**
 * A client session: the chart joined to the wire.
 *
 * How it works
 * - `handle()` takes in what happened. `poll()` then works through it one reply at a time and gives back one
 *   output at a time, until it has none; only then comes the next `handle()`.
 * - The chart says whose reply is awaited. What its effects lead to is done in `performing.ts`: here stands what comes in,
 *   there what goes out.
 * - What was written ahead of a reply stands in the `CommandPipeline`, what the replies mean for each recipient in the
 *   `Verdicts`, what was negotiated in `Negotiating`, and what observers are told in `Observing`.
 *
 * Invariants
 * - Whatever the chunks in which the server's bytes come, the outputs are the same, limits included. There is one exception:
 *   `upgradeTls` is no longer asked for where plaintext is known to follow the reply to STARTTLS.
 * - What was heard before a TLS handshake is forgotten with it: the offer, and all octets (RFC 3207 §4.2, §6).
 * - A secret stands in the octets to be written and in no other output; beside those stands what may be recorded. The
 *   server may quote it at any time: of what it says, `recordable` gives what may be shown.
 * - Every `send` that was taken is followed by one `done`, with a verdict for each recipient; `failed` comes
 *   once at most, and after it.
 * - What the application does wrong is thrown before anything has changed. One exception: half of a message that cannot
 *   be sent may be on its way, so the session can only end.
 */
import type { ChartEvent } from '../chart/machine/machine-shape.js';
import type { Effect } from '../chart/table/operations.js';
import type { ChartRunner } from '../chart/table/runner.js';
import { changesBetween, type SessionEnding } from '../chart/table/transition-record.js';
import { LocalProtocolError, RemoteProtocolError } from '../errors.js';
import { checkNow } from '../option-checks.js';
import { MAXIMUM_AUTHENTICATION_OCTETS } from '../wire/commands/command.js';
import { type Reply, type Severity, severity } from '../wire/replies/reply.js';
import type { ClientContext } from './chart/chart-context.js';
import type { ClientChartEvent, ClientState, ReplyEvent } from './chart/chart-events.js';
import { clientTable } from './client-table.js';
import { notAllowed } from './contract/allowed-inputs.js';
import type { ClientInput, ClientInquiry, ClientOutput, ServerOffer } from './contract/messages.js';
import {
  type ClientSessionOptions,
  type ResolvedClientOptions,
  resolveClientOptions,
} from './contract/options.js';
import { type EnvelopeInput, readEnvelope } from './envelope/envelope.js';
import { violations } from './failures.js';
import { formatInquiry } from './negotiation/inquiries.js';
import { isExchange } from './negotiation/negotiating.js';
import { withheldReply } from './observing/observing.js';
import { ReplyRecord } from './observing/reply-record.js';
import { Performing } from './performing.js';
import type { IsSecretLine } from './replies/reply-reader.js';
import { type MailTransaction, makeMailTransaction } from './transaction/mail-transaction.js';

/** Written out: a name put together at each reply would be hashed anew to be looked up in the table. */
const replyEvents = {
  success: 'reply.success',
  intermediate: 'reply.intermediate',
  transient: 'reply.transient',
  permanent: 'reply.permanent',
} as const satisfies Record<Severity, ReplyEvent['type']>;

const END_OF_MAIL_DATA = { type: 'endOfMailData' } as const;

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
  readonly #position: ChartRunner<ClientContext, ClientChartEvent>;
  readonly #performing: Performing;
  /** The server will send nothing more. */
  #ended = false;
  readonly #record = new ReplyRecord();
  /** Mail transactions that were begun. */
  #transactions = 0;
  /** Domains of the recipients that were sent, where the server limits them. */
  #recipientDomains: ReadonlySet<string> = new Set();
  #ending: SessionEnding | undefined;

  /**
   * @param options.now the time at which the connection was made, in monotonic milliseconds
   * @throws {RangeError} an option is out of its range; the message names both
   * @throws {TypeError} the credentials are of the wrong shape; the message names the field and what it takes
   */
  constructor(options: ClientSessionOptions & { readonly now: number }) {
    this.#options = resolveClientOptions(options);
    this.#performing = new Performing(this.#options, checkNow(options.now), this.#isSecret);
    const effects: Effect[] = [];
    this.#position = clientTable.run(clientTable.start(this.#options, effects));
    for (const effect of effects) this.#performing.perform(effect, this.state);
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
    return this.#performing.negotiating.offer;
  }

  /** The result of the last `compute` is awaited: `computed` is allowed. A session that has given up awaits none. */
  get wantsComputed(): boolean {
    return this.#performing.negotiating.authentication?.computing === true && this.#isOpen;
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
    const { discretion } = this.#performing.negotiating;
    return discretion === undefined ? bytes : this.#record.take(bytes, this.#isSecret);
  }

  /** What may be recorded after the last chunk: that the server has begun a line, and how long it was. */
  recordableRest(): Uint8Array {
    return this.#record.end();
  }

  /** Mail transactions that the server still takes in this session (MAILMAX, RFC 9422 §4.1); Infinity for no limit. */
  get transactionsLeft(): number {
    return (
      (this.#performing.negotiating.limits?.mailMaximum ?? Number.POSITIVE_INFINITY) - this.#transactions
    );
  }

  /**
   * Recipients of the mail transaction under way without a verdict, counted from 0. While the session wants mail data, the
   * message may go to these with its end, and to no other.
   */
  get undecided(): readonly number[] {
    return this.#performing.transaction?.verdicts.undecided() ?? [];
  }

  /** How the session began to end; undefined while it goes on. */
  get ending(): SessionEnding | undefined {
    return this.#ending;
  }

  /** When to call `handle({ type: 'timeout' })` at the latest, in monotonic milliseconds. */
  nextDeadline(): number | undefined {
    return this.#performing.deadlines.next();
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
    const performing = this.#performing;
    performing.now = input.now;
    switch (input.type) {
      case 'bytes':
        performing.silentSince = undefined;
        if (this.state !== 'closing') performing.replies.push(input.bytes);
        return;
      case 'eof':
        this.#ended = true;
        return;
      case 'lost':
        performing.evidence.tlsError = input.error;
        this.#step({ type: 'connectionLost' });
        return;
      case 'timeout':
        for (const id of performing.deadlines.takeAllDue(input.now)) this.#step({ type: id });
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
      case 'computed':
        this.#takeResult(input.result);
        return;
      case 'quit':
      case 'tlsEstablished':
      case 'tlsFailed': {
        const event = { type: input.type };
        this.#require(event);
        if (input.type === 'tlsEstablished') {
          performing.negotiating.tls = input.tls;
          performing.forgetReplies(); // RFC 3207 §4.2
        } else if (input.type === 'tlsFailed') performing.evidence.tlsError = input.error;
        this.#step(event);
      }
    }
  }

  /** The next thing to do, or undefined when there is nothing left until the next `handle()`. */
  poll(): ClientOutput | undefined {
    for (;;) {
      const output = this.#performing.outputs.shift();
      if (output !== undefined || !this.#advance()) return output;
    }
  }

  #send(given: EnvelopeInput): void {
    this.#require({ type: 'send', recipients: 1, chunks: 0 });
    if (this.transactionsLeft <= 0) {
      const problem = `send came after the ${this.#transactions} mail transactions that the server takes (MAILMAX)`;
      throw new LocalProtocolError(this.state, problem, 'inquire, quit');
    }
    const { keywords, limits } = this.#performing.negotiating;
    const transaction = this.#written(
      'send came with an envelope',
      'addresses of RFC 5321 §4.1.2 and valid parameters',
      () => makeMailTransaction(readEnvelope(given), keywords, limits, this.#recipientDomains, this.#options),
    );
    const { recipients, chunks, recipientDomains } = transaction;
    this.#performing.transaction = transaction;
    this.#recipientDomains = recipientDomains;
    if (recipients > 0) this.#transactions += 1;
    this.#step({ type: 'send', recipients, chunks });
  }

  #inquire(command: ClientInquiry): void {
    this.#require({ type: 'inquire' });
    const { keywords } = this.#performing.negotiating;
    this.#performing.inquiry = this.#written(
      'inquire came with a command',
      'an argument of printable ASCII',
      () => formatInquiry(command, this.state, this.#options.extensions, keywords),
    );
    this.#step({ type: 'inquire' });
  }

  #takeResult(result: Uint8Array): void {
    // A host that computes meanwhile cannot know that the session has given up.
    if (!this.#isOpen) return;
    const { authentication } = this.#performing.negotiating;
    if (!authentication?.computing) throw this.#notAllowed('computed');
    authentication.computed(result);
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
    this.#require(END_OF_MAIL_DATA, 'mailData');
    const { deadlines, now } = this.#performing;
    const underWay = this.#performing.transaction as MailTransaction;
    underWay.octets += bytes.length;
    const encoded = this.#encode(bytes);
    if (underWay.chunks === 0) {
      deadlines.restart(now);
      if (encoded.length > 0) this.#performing.write(encoded);
      return;
    }
    underWay.chunk = encoded.length === 0 ? undefined : underWay.gathering.add(encoded);
    if (underWay.chunk === undefined) deadlines.restart(now);
    else this.#step({ type: 'chunk' });
  }

  #endMailData(): void {
    this.#require(END_OF_MAIL_DATA);
    this.#encode();
    this.#step(END_OF_MAIL_DATA);
  }

  /**
   * Leaves a message alone that the encoder refuses, and throws what it threw.
   * @param bytes the next of the message; undefined: that was all
   */
  #encode(bytes?: Uint8Array): Uint8Array {
    const { encoder } = this.#performing.transaction as MailTransaction;
    try {
      return bytes === undefined ? encoder.end() : encoder.encode(bytes);
    } catch (error) {
      this.#step({ type: 'abandon' });
      throw error;
    }
  }

  /** Throws unless the chart has a transition for what the application does. */
  #require(event: ClientChartEvent, input: ClientInput['type'] = event.type as ClientInput['type']): void {
    if (!this.#position.takes(event)) throw this.#notAllowed(input);
  }

  #notAllowed(input: ClientInput['type']): LocalProtocolError {
    return notAllowed(input, this.state, (event) => this.#position.takes(event));
  }

  /** Does one thing with what is held; false if nothing can be done before the next `handle()`. */
  #advance(): boolean {
    if (this.state === 'closed') return false;
    const performing = this.#performing;
    const { prepared } = performing;
    if (prepared !== undefined) {
      performing.prepared = undefined;
      this.#step(prepared);
      return true;
    }
    const read = this.#nextReply();
    if (read instanceof RemoteProtocolError) {
      performing.evidence.protocolError = read;
      this.#step({ type: 'protocolError' });
    } else if (read !== undefined) {
      const shown = performing.negotiating.discretion?.reply(read) ?? read;
      performing.evidence.reply = shown;
      const { state } = this;
      const reply = isExchange(state) ? withheldReply(read) : shown;
      performing.observing?.tell({ type: 'reply', reply, state });
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
    const { replies } = this.#performing;
    if (this.state === 'session.securing') {
      return replies.holdsOctets ? new RemoteProtocolError(violations.plaintextBehind) : undefined;
    }
    const least = isExchange(this.state) ? MAXIMUM_AUTHENTICATION_OCTETS : 0;
    return replies.next(Math.max(this.#options.maximumReplyLineLength, least), this.#isSecret);
  }

  /** No more of the line than its length may be shown. A line that is cut may quote the beginning of a secret. */
  readonly #isSecret: IsSecretLine = (line, cut) => {
    if (isExchange(this.state)) return true;
    const { discretion } = this.#performing.negotiating;
    return discretion !== undefined && (cut === 'cut' || discretion.isQuotedIn(line));
  };

  #eventOf(reply: Reply): ReplyEvent {
    const { code } = reply;
    const { evidence, negotiating, replies, transaction } = this.#performing;
    const type = code === 421 ? 'reply.421' : code === 221 ? 'reply.221' : replyEvents[severity(code)];
    const commands = transaction?.commands;
    if (commands === undefined && type !== 'reply.221') {
      const finding = negotiating.takeIn(reply, this.state, replies.holdsOctets);
      if (finding !== undefined && finding !== 'initialResponseAwaited') {
        evidence.protocolError = new RemoteProtocolError(violations[finding]);
      }
      return { type, code, writtenAhead: false, negotiable: negotiating.negotiable, finding };
    }
    if (commands?.inFlight) commands.answer();
    return { type, code, writtenAhead: commands?.inFlight ?? false };
  }

  /** Takes the chart one step on and has its effects performed. */
  #step(event: ClientChartEvent | ChartEvent): void {
    const from = this.state;
    const performing = this.#performing;
    const before = performing.observing?.wants('transition') ? this.#position.position() : undefined;
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
      const changes = changesBetween(before.context, this.#position.position().context);
      const names = effects.map(({ type }) => type);
      performing.observing?.tell({
        type: 'transition',
        event: event.type,
        from,
        to,
        effects: names,
        changes,
        ...explanation,
      });
    }
    for (const effect of effects) performing.perform(effect, from);
  }
}
