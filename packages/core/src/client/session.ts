/**
 * A client session: the chart joined to the wire.
 *
 * How it works
 * - `handle()` takes in what happened. `poll()` then works through it one reply at a time and gives back one
 *   output at a time, until it has none; only then comes the next `handle()`.
 * - The chart says whose reply is awaited. What was written ahead of it stands in the `CommandPipeline`, what
 *   the replies mean for each recipient in the `Verdicts`, what is said in a SASL exchange in the `Authentication`.
 *
 * Invariants
 * - Whatever the chunks in which the server's bytes come, the outputs are the same, limits included; but that
 *   `upgradeTls` is not asked for any more where plaintext is known to stand behind the reply to STARTTLS.
 * - What was heard before a TLS handshake is forgotten with it: the offer, and all octets (RFC 3207 §4.2, §6).
 * - No secret stands in an output but in the octets to be written, and beside those stands what may be recorded.
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
import { formatClientAttributes } from '../extensions/client-attributes.js';
import { type Limits, parseLimits } from '../extensions/limits.js';
import { ExtensionNotOfferedError } from '../extensions/not-offered.js';
import { writeMailParameters, writeRcptParameters } from '../extensions/table.js';
import type { ClientMechanism, MechanismName } from '../sasl/exchange.js';
import { strongestMechanism } from '../sasl/mechanisms.js';
import type { TlsInformation } from '../tls.js';
import { formatCommand, MAXIMUM_AUTHENTICATION_OCTETS } from '../wire/command.js';
import { parseEhloReply } from '../wire/ehlo-reply.js';
import { InboundBuffer, type InboundLine } from '../wire/inbound.js';
import { type MailDataCoding, MailDataEncoder, VERBATIM } from '../wire/mail-data-encoder.js';
import { encodeText } from '../wire/octets.js';
import type { ReversePath } from '../wire/path.js';
import { type Reply, ReplyParser, type Severity, severity } from '../wire/reply.js';
import { Authentication } from './authentication.js';
import type {
  ClientAction,
  ClientChartEvent,
  ClientChartInput,
  ClientContext,
  ClientState,
  FailParameters,
  Finding,
  Outlook,
  OwnCommand,
  ReplyEvent,
} from './chart.js';
import { clientMachine } from './chart.js';
import { CommandPipeline } from './command-pipeline.js';
import type {
  ClientEnvelope,
  ClientEvent,
  ClientInput,
  ClientInquiry,
  ClientOutput,
  Phase,
  RecipientLimit,
  ServerOffer,
  SessionFailure,
} from './messages.js';
import { type ClientSessionOptions, type ResolvedClientOptions, resolveClientOptions } from './options.js';
import { withheldRecipients } from './recipient-limits.js';
import { Verdicts } from './verdicts.js';

export const clientTable = compile<ClientContext, ClientChartEvent, ClientChartInput>(shapeOf(clientMachine));

/** A mail transaction under way. */
interface Transaction {
  readonly commands: CommandPipeline;
  readonly verdicts: Verdicts;
  readonly encoder: MailDataCoding;
  /** The message goes by BDAT. */
  readonly chunked: boolean;
}

/**
 * Chunks that may be in flight at once, to a server that offers PIPELINING. More would not be faster, and all that
 * are in flight when one is refused were sent in vain.
 */
const MAXIMUM_CHUNKS_IN_FLIGHT = 64;

/** Gives up a SASL exchange (RFC 4954 §4). */
const CANCEL = encodeText('*\r\n');

const NO_KEYWORDS: ReadonlyMap<string, string> = new Map();
const NONE_WITHHELD: ReadonlyMap<number, RecipientLimit> = new Map();

const WITHHELD =
  'Without TLS, whoever listens could learn the password or token (RFC 4954 §9): use TLS or STARTTLS, or set ' +
  'authentication.allowInsecure';

const PLAINTEXT_BEHIND =
  'The server, or somebody on the way, sent something between the reply to STARTTLS and the TLS handshake ' +
  '(RFC 3207 §6)';

/** What a server did wrong, where the chart is told so by a finding. */
const findings: Readonly<Record<Exclude<Finding, 'initialResponseAwaited'>, string>> = {
  plaintextBehind: PLAINTEXT_BEHIND,
  malformedChallenge:
    'A challenge of the SASL exchange is no base64 on one line, or came unasked (RFC 4954 §4)',
  unproven:
    'The server says that we are authenticated, but has not proven that it knows the password: it need not be ' +
    'who it says it is (RFC 5802 §3)',
};

/** In which phase something is negotiated. */
const negotiations = { STARTTLS: 'startTls', AUTH: 'auth', XCLIENT: 'xclient' } as const;

/** What is awaited in each state: the phase, and the first digits of the replies that make sense there. */
const awaited: Readonly<Record<ClientState, { readonly phase: Phase; readonly replies: string }>> = {
  'session.greeting': { phase: 'greeting', replies: 'the greeting is 2yz, 4yz or 5yz' },
  'session.identifying': { phase: 'hello', replies: 'EHLO takes 2yz, 4yz or 5yz' },
  'session.fallingBack': { phase: 'hello', replies: 'HELO takes 2yz, 4yz or 5yz' },
  'session.startingTls': { phase: 'startTls', replies: 'STARTTLS takes 2yz, 4yz or 5yz' },
  'session.securing': { phase: 'startTls', replies: 'nothing may come before the TLS handshake' },
  'session.authentication.preparing': { phase: 'auth', replies: 'nothing was asked of it' },
  'session.authentication.responding': { phase: 'auth', replies: 'AUTH takes 2yz, 3yz, 4yz or 5yz' },
  'session.substituting': { phase: 'xclient', replies: 'XCLIENT takes 2yz, 4yz or 5yz' },
  'session.forwarding': { phase: 'xforward', replies: 'XFORWARD takes 2yz, 4yz or 5yz' },
  'session.inquiring': { phase: 'inquiry', replies: 'an inquiry takes 2yz, 4yz or 5yz' },
  'session.ready': { phase: 'ready', replies: 'nothing was asked of it' },
  'session.transaction.mailing': { phase: 'mail', replies: 'MAIL takes 2yz, 4yz or 5yz' },
  'session.transaction.addressing': { phase: 'rcpt', replies: 'RCPT takes 2yz, 4yz or 5yz' },
  'session.transaction.initiating': { phase: 'data', replies: 'DATA takes 3yz, 4yz or 5yz' },
  'session.transaction.sending': { phase: 'message', replies: 'a message under way takes 4yz or 5yz' },
  'session.transaction.chunking': { phase: 'message', replies: 'BDAT takes 2yz, 4yz or 5yz, one for each' },
  'session.transaction.holding': { phase: 'message', replies: 'BDAT takes 2yz, 4yz or 5yz' },
  'session.transaction.draining': { phase: 'message', replies: 'BDAT takes 2yz, 4yz or 5yz' },
  'session.transaction.abandoned': { phase: 'message', replies: 'a message under way takes 4yz or 5yz' },
  'session.transaction.terminating': { phase: 'message', replies: 'the final dot takes 2yz, 4yz or 5yz' },
  'session.transaction.delivering': {
    phase: 'message',
    replies: 'a message takes 2yz, 4yz or 5yz, one for each recipient',
  },
  'session.resetting': { phase: 'reset', replies: 'RSET takes 2yz, 4yz or 5yz' },
  'session.quitting': { phase: 'quit', replies: 'QUIT takes 2yz, 4yz or 5yz' },
  cancelled: { phase: 'auth', replies: '"*" takes 4yz or 5yz' },
  refused: { phase: 'quit', replies: 'QUIT takes 2yz, 4yz or 5yz' },
  closing: { phase: 'quit', replies: 'the session is over' },
  closed: { phase: 'quit', replies: 'the session is over' },
};

/** The inputs by which the application acts; the chart says where. */
const applicationInputs: readonly { readonly inputs: string; readonly event: ClientChartEvent }[] = [
  { inputs: 'send', event: { type: 'send', recipients: 1, chunks: 0 } },
  { inputs: 'inquire', event: { type: 'inquire' } },
  { inputs: 'mailData, endOfMailData', event: { type: 'endOfMailData' } },
  { inputs: 'quit', event: { type: 'quit' } },
  { inputs: 'tlsEstablished, tlsFailed', event: { type: 'tlsEstablished' } },
  { inputs: 'computed', event: { type: 'computed' } },
];

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
  readonly #ownCommands: Readonly<Record<OwnCommand, Uint8Array>>;
  readonly #inbound = new InboundBuffer('reject');
  #replies: ReplyParser;
  readonly #deadlines = new Deadlines();
  #position: ChartState<ClientContext>;
  #now: number;

  /** Outputs that one step gave, and that `poll()` has yet to give. */
  readonly #outputs: ClientOutput[] = [];

  #ended = false;
  #tls: TlsInformation | undefined;
  #tlsError: Error | undefined;
  #offer: ServerOffer | undefined;
  #limits: Limits | undefined;
  #authentication: Authentication | undefined;
  #authenticatedBy: MechanismName | undefined;
  /** What the SASL exchange came to, of which the chart is yet to be told. */
  #prepared: ClientChartEvent | undefined;
  /** Why the SASL exchange was given up. */
  #cancelReason = '';
  /** The inquiry to be written. */
  #inquiry: Uint8Array | undefined;
  /** Mail transactions that were begun. */
  #transactions = 0;
  /** Domains of the recipients that were sent, where the server limits them. */
  #recipientDomains: ReadonlySet<string> = new Set();
  /** The octets of the chunk to be written. */
  #chunk: Uint8Array | undefined;
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
    const { hostname: name, maximumReplyLines: maximumLines, protocol } = this.#options;
    this.#tls = this.#options.tls;
    this.#ownCommands = {
      hello: formatCommand({ verb: protocol === 'lmtp' ? 'LHLO' : 'EHLO', name }),
      HELO: formatCommand({ verb: 'HELO', name }),
      STARTTLS: formatCommand({ verb: 'STARTTLS' }),
      cancel: CANCEL,
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

  /** The result of the last `compute` is awaited: `computed` is allowed. */
  get wantsComputed(): boolean {
    return this.#authentication?.computing === true;
  }

  /**
   * What the server says now belongs to a SASL exchange, and no more than its length may be recorded. Of what is
   * written, the output `write` says what may.
   */
  get inSecretExchange(): boolean {
    return this.state.startsWith('session.authentication') || this.state === 'cancelled';
  }

  /** Mail transactions that the server still takes in this session (MAILMAX, RFC 9422 §4.1); Infinity for no limit. */
  get transactionsLeft(): number {
    return (this.#limits?.mailMaximum ?? Number.POSITIVE_INFINITY) - this.#transactions;
  }

  /** When to call `handle({ type: 'timeout' })` at the latest, in monotonic milliseconds. */
  nextDeadline(): number | undefined {
    return this.#deadlines.next();
  }

  /**
   * Takes in what happened; call `poll()` next. Once the session is closed, nothing is taken in.
   * @throws {LocalProtocolError} the input is not allowed in this state, an envelope or an inquiry cannot be
   *   written or has no recipient, or the server takes no more mail transactions (see `transactionsLeft`); the
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
      case 'inquire':
        this.#inquire(input.command);
        return;
      case 'quit':
        this.#require({ type: 'quit' }, 'quit');
        this.#step({ type: 'quit' });
        return;
      case 'tlsEstablished':
        this.#require({ type: 'tlsEstablished' }, 'tlsEstablished');
        this.#secure(input.tls);
        return;
      case 'tlsFailed':
        this.#require({ type: 'tlsFailed' }, 'tlsFailed');
        this.#tlsError = input.error;
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

  #send(envelope: ClientEnvelope): void {
    this.#require({ type: 'send', recipients: 1, chunks: 0 }, 'send');
    if (envelope.recipients.length === 0) {
      throw new LocalProtocolError(
        this.state,
        'send came without a recipient',
        'an envelope with recipients',
      );
    }
    if (this.transactionsLeft <= 0) {
      const problem = `send came behind the ${this.#transactions} mail transactions that the server takes (MAILMAX)`;
      throw new LocalProtocolError(this.state, problem, 'inquire, quit');
    }
    const keywords = this.#offer?.keywords ?? NO_KEYWORDS;
    const domains = this.#limits && new Set(this.#recipientDomains);
    const withheld =
      this.#limits === undefined || domains === undefined
        ? NONE_WITHHELD
        : withheldRecipients(envelope.recipients, this.#limits, domains);
    const verbatim = envelope.parameters?.body === 'BINARYMIME';
    const chunked = verbatim || (this.#options.mailDataBy === 'bdat' && keywords.has('CHUNKING'));
    const commands = new CommandPipeline(
      this.#commandsFor(envelope, withheld, chunked, keywords),
      keywords.has('PIPELINING') ? this.#options.maximumOctetsInFlight : 0,
    );

    const { newlines } = this.#options;
    this.#transaction = {
      commands,
      verdicts: new Verdicts(envelope.recipients.length, withheld),
      encoder: verbatim ? VERBATIM : new MailDataEncoder({ newlines, transparency: !chunked }),
      chunked,
    };
    if (domains !== undefined) this.#recipientDomains = domains;
    const recipients = envelope.recipients.length - withheld.size;
    if (recipients > 0) this.#transactions += 1;
    const atOnce = keywords.has('PIPELINING') ? MAXIMUM_CHUNKS_IN_FLIGHT : 1;
    this.#step({ type: 'send', recipients, chunks: chunked ? atOnce : 0 });
  }

  /** All commands of a mail transaction: whether an envelope can be written is known before any of it is. */
  #commandsFor(
    { reversePath, parameters = {}, recipients }: ClientEnvelope,
    withheld: ReadonlyMap<number, RecipientLimit>,
    chunked: boolean,
    keywords: ReadonlyMap<string, string>,
  ): Uint8Array[] {
    const { extensions } = this.#options;
    const sent = withheld.size === 0 ? recipients : recipients.filter((_, index) => !withheld.has(index));
    const utf8 = parameters.smtpUtf8 === true || isInternational(reversePath) || sent.some(isInternational);
    return this.#written(
      'send came with an envelope',
      'addresses of RFC 5321 §4.1.2 and valid parameters',
      () => {
        // What is essential and not offered, or left out of the options, is thrown here (RFC 6531 §3.2, RFC 3030 §3).
        const mailParameters = writeMailParameters(
          utf8 ? { ...parameters, smtpUtf8: true } : parameters,
          extensions,
          keywords,
        );
        return [
          formatCommand({ verb: 'MAIL', reversePath, parameters: mailParameters }, { utf8 }),
          ...sent.map((recipient) =>
            formatCommand(
              {
                verb: 'RCPT',
                forwardPath: recipient,
                parameters:
                  recipient.parameters === undefined
                    ? []
                    : writeRcptParameters(recipient.parameters, extensions, keywords),
              },
              { utf8 },
            ),
          ),
          ...(chunked ? [] : [formatCommand({ verb: 'DATA' })]),
        ];
      },
    );
  }

  #inquire(command: ClientInquiry): void {
    this.#require({ type: 'inquire' }, 'inquire');
    const needed = this.#extensionFor(command);
    if (needed !== undefined && !this.#offer?.keywords.has(needed))
      throw new ExtensionNotOfferedError(needed);
    const utf8 = 'utf8' in command && command.utf8 === true;
    this.#inquiry = this.#written('inquire came with a command', 'an argument of printable ASCII', () =>
      formatCommand(command, { utf8 }),
    );
    this.#step({ type: 'inquire' });
  }

  /** The keyword of the service extension that an inquiry needs. */
  #extensionFor(command: ClientInquiry): string | undefined {
    switch (command.verb) {
      case 'VRFY':
      case 'EXPN':
        return command.utf8 ? 'SMTPUTF8' : undefined; // RFC 6531 §3.7.4
      case 'ETRN':
        return 'ETRN'; // RFC 1985 §5
      case 'extension': {
        const name = command.name.toUpperCase();
        const extension = this.#options.extensions.find(({ verbs = [] }) => verbs.includes(name));
        if (extension !== undefined) return extension.keyword;
        throw new LocalProtocolError(
          this.state,
          `inquire came with ${JSON.stringify(name)}, a verb of none of the option extensions`,
          'VRFY, EXPN, HELP, NOOP, ETRN, and verbs of the option extensions',
        );
      }
      default:
        return undefined;
    }
  }

  /** The connection is protected: nothing that was heard before holds any more (RFC 3207 §4.2). */
  #secure(tls: TlsInformation): void {
    this.#tls = tls;
    this.#inbound.clear();
    this.#replies = new ReplyParser({ maximumLines: this.#options.maximumReplyLines });
    this.#step({ type: 'tlsEstablished' });
  }

  #takeResult(result: Uint8Array): void {
    // A host that computes meanwhile cannot know that the session has given up.
    if (!this.state.startsWith('session.')) return;
    if (!this.#authentication?.computing) this.#refuse('computed');
    this.#authentication?.computed(result);
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
    const encoded = this.#encode((encoder) => encoder.encode(bytes));
    if (encoded.length > 0 && this.#underWay.chunked) {
      this.#chunk = encoded;
      this.#step({ type: 'chunk' });
      return;
    }
    this.#deadlines.restart(this.#now);
    if (encoded.length > 0) this.#outputs.push({ type: 'write', bytes: encoded });
  }

  #writeChunk(octets: Uint8Array, last: boolean): void {
    const bytes = formatCommand({ verb: 'BDAT', size: octets.length, last });
    this.#outputs.push({ type: 'write', bytes });
    if (octets.length > 0) this.#outputs.push({ type: 'write', bytes: octets });
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
    if (!this.#allows(event)) this.#refuse(input);
  }

  #refuse(input: ClientInput['type']): never {
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
    const prepared = this.#prepared;
    if (prepared !== undefined) {
      this.#prepared = undefined;
      this.#step(prepared);
      return true;
    }
    if (this.state === 'session.securing' && this.#inbound.length > 0) {
      this.#error = new RemoteProtocolError(PLAINTEXT_BEHIND);
      this.#step({ type: 'protocolError' });
      return true;
    }
    const line = this.#inbound.nextLine(this.#maximumLineLength);
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

  get #maximumLineLength(): number {
    const { maximumReplyLineLength } = this.#options;
    if (this.#authentication === undefined) return maximumReplyLineLength;
    return Math.max(maximumReplyLineLength, MAXIMUM_AUTHENTICATION_OCTETS);
  }

  #readLine(line: InboundLine): Reply | RemoteProtocolError | undefined {
    switch (line.kind) {
      case 'line': {
        const read = this.#replies.push(line.octets);
        // The error quotes the line.
        return read instanceof RemoteProtocolError && this.inSecretExchange
          ? new RemoteProtocolError('A line in the SASL exchange is none of a reply (RFC 5321 §4.2)')
          : read;
      }
      case 'malformed':
        return new RemoteProtocolError('A reply line holds a bare CR, a bare LF or a NUL (RFC 5321 §2.3.8)');
      case 'tooLong': {
        const limit = this.#maximumLineLength;
        return new RemoteProtocolError(`A reply line exceeds ${limit} octets (maximumReplyLineLength)`);
      }
    }
  }

  #eventOf(reply: Reply): ReplyEvent {
    const { code } = reply;
    const type = `reply.${code === 421 ? code : severity(code)}` as const;
    const commands = this.#transaction?.commands;
    if (commands === undefined && negotiating.has(this.state)) {
      const finding = this.#findingIn(reply);
      return { type, code, writtenAhead: false, outlook: this.#outlook(), finding };
    }
    if (commands?.inFlight) commands.answer();
    return { type, code, writtenAhead: commands?.inFlight ?? false };
  }

  /** What is special with a reply of the negotiation; what it says of the server is taken in. */
  #findingIn(reply: Reply): Finding | undefined {
    const finding = this.#takeIn(reply, severity(reply.code));
    if (finding !== undefined && finding !== 'initialResponseAwaited') {
      this.#error = new RemoteProtocolError(findings[finding]);
    }
    return finding;
  }

  #takeIn(reply: Reply, kind: Severity): Finding | undefined {
    switch (this.state) {
      case 'session.identifying':
      case 'session.fallingBack':
        if (kind === 'success') this.#offer = this.#offerIn(reply);
        return undefined;
      case 'session.startingTls':
        return kind === 'success' && this.#inbound.length > 0 ? 'plaintextBehind' : undefined;
      default:
        if (kind === 'intermediate') return this.#authentication?.challenge(reply);
        return kind === 'success' ? this.#authentication?.accepted() : undefined;
    }
  }

  #offerIn(reply: Reply): ServerOffer {
    const { domain: name, keywords: listed } = parseEhloReply(reply);
    const hello = this.#options.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
    const verb = this.state === 'session.identifying' ? hello : 'HELO';
    // A reply to HELO is greeting text, however many lines it has (RFC 5321 §4.1.1.1).
    const keywords = verb === 'HELO' ? NO_KEYWORDS : listed;
    const limits = keywords.get('LIMITS');
    this.#limits = limits === undefined ? undefined : parseLimits(limits);
    return { verb, name, keywords, tls: this.#tls, authenticatedBy: this.#authenticatedBy };
  }

  #outlook(): Outlook {
    const keywords = this.#offer?.keywords ?? NO_KEYWORDS;
    return {
      tls: this.#tls !== undefined ? 'established' : keywords.has('STARTTLS') ? 'offered' : 'notOffered',
      authentication: this.#authenticationOutlook(),
      xclient: this.#attributesOutlook('XCLIENT'),
      xforward: this.#attributesOutlook('XFORWARD'),
    };
  }

  #authenticationOutlook(): Outlook['authentication'] {
    const { authentication } = this.#options;
    if (authentication === undefined) return 'unwanted';
    if (this.#tls === undefined && !authentication.allowInsecure) return 'withheld';
    return this.#mechanism() === undefined ? 'notOffered' : 'possible';
  }

  get #offeredMechanisms(): ReadonlySet<string> {
    const mechanisms = this.#offer?.keywords.get('AUTH') ?? '';
    return new Set(mechanisms.toUpperCase().split(' ')); // RFC 4954 §3
  }

  /** The mechanism by which to authenticate. */
  #mechanism(): ClientMechanism | undefined {
    const { authentication } = this.#options;
    if (authentication === undefined) return undefined;
    const { credentials, mechanisms } = authentication;
    return strongestMechanism(credentials, this.#offeredMechanisms, mechanisms, this.#tls);
  }

  #attributesOutlook(verb: 'XCLIENT' | 'XFORWARD'): Outlook['xclient'] {
    if (this.#attributesOf(verb) === undefined) return 'unwanted';
    return this.#attributesFor(verb) === '' ? 'notOffered' : 'possible';
  }

  #attributesOf(verb: 'XCLIENT' | 'XFORWARD') {
    return verb === 'XCLIENT' ? this.#options.xclient : this.#options.xforward;
  }

  /** The argument of XCLIENT or XFORWARD; empty where the server takes nothing of what is to be said. */
  #attributesFor(verb: 'XCLIENT' | 'XFORWARD'): string {
    return formatClientAttributes(
      this.#attributesOf(verb) ?? {},
      verb,
      this.#offer?.keywords.get(verb) ?? '',
    );
  }

  /** Begins the SASL exchange, or takes it on. The chart is told what it came to once it has taken its step. */
  #prepareResponse(): void {
    this.#authentication ??= this.#beginAuthentication();
    const preparation = this.#authentication.prepare();
    switch (preparation.type) {
      case 'compute':
        this.#outputs.push(preparation);
        return;
      case 'respond':
        this.#prepared = preparation;
        return;
      case 'cancel':
        this.#cancelReason = preparation.reason;
        this.#prepared = { type: 'cancel', begun: preparation.begun };
    }
  }

  #beginAuthentication(): Authentication {
    const { authentication } = this.#options;
    const mechanism = this.#mechanism();
    if (authentication === undefined || mechanism === undefined) {
      throw new Error('The client chart authenticates where that is not possible');
    }
    const { credentials, host, port, maximumIterations } = authentication;
    const offered = this.#offeredMechanisms;
    return new Authentication(mechanism, credentials, {
      tls: this.#tls,
      offered,
      host,
      port,
      maximumIterations,
    });
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
        if (action.params.command === 'hello') this.#forgetOffer();
        this.#write(this.#ownCommands[action.params.command]);
        break;
      case 'proceed': {
        const bytes = this.#underWay.commands.take();
        if (bytes !== undefined) this.#outputs.push({ type: 'write', bytes });
        break;
      }
      case 'announceGreeting':
        this.#announce({ type: 'greeting', reply: this.#answer });
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
          this.#outputs.push({ type: 'write', ...this.#authentication.nextLine() });
        }
        break;
      case 'acknowledge':
        this.#authenticatedBy = this.#authentication?.mechanism;
        this.#authentication = undefined;
        if (this.#offer !== undefined) {
          this.#offer = { ...this.#offer, authenticatedBy: this.#authenticatedBy };
        }
        break;
      case 'writeXclient':
        this.#write(formatCommand({ verb: 'XCLIENT', argument: this.#attributesFor('XCLIENT') }));
        break;
      case 'writeXforward':
        this.#write(formatCommand({ verb: 'XFORWARD', argument: this.#attributesFor('XFORWARD') }));
        break;
      case 'introduce':
        if (this.#offer !== undefined) this.#announce({ type: 'ready', offer: this.#offer });
        break;
      case 'writeInquiry':
        if (this.#inquiry !== undefined) this.#write(this.#inquiry);
        break;
      case 'announceAnswer':
        this.#announce({ type: 'answered', reply: this.#answer });
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
      case 'decideRecipient':
        this.#underWay.verdicts.decideRecipient(this.#answer);
        break;
      case 'wantMailData':
        this.#announce({ type: 'mailDataWanted' });
        break;
      case 'writeChunk':
        if (this.#chunk !== undefined) this.#writeChunk(this.#chunk, false);
        this.#chunk = undefined;
        break;
      case 'writeEndOfMailData': {
        const { encoder, chunked } = this.#underWay;
        if (chunked) this.#writeChunk(encoder.end(), true);
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
        this.#inbound.clear();
        this.#outputs.push({ type: 'close' });
        break;
      case 'closed':
        this.#outputs.push({ type: 'closed' });
    }
  }

  #write(bytes: Uint8Array): void {
    this.#outputs.push({ type: 'write', bytes });
  }

  /** What the server offered is void, and so is what it knew of us (RFC 3207 §4.2). */
  #forgetOffer(): void {
    this.#offer = undefined;
    this.#authenticatedBy = undefined;
  }

  #announce(event: ClientEvent): void {
    this.#outputs.push({ type: 'event', event });
  }

  #settle(): void {
    const verdicts = this.#underWay.verdicts.all();
    this.#transaction = undefined;
    this.#announce({ type: 'done', verdicts });
  }

  #fail(parameters: FailParameters, from: ClientState): void {
    const failure = this.#failureOf(parameters, from);
    const verdicts = this.#transaction?.verdicts;
    if (verdicts !== undefined) {
      if (failure.kind === 'refused') verdicts.refuse(failure.phase, failure.reply);
      else if (endWasSent(from)) verdicts.loseSight(failure);
      else verdicts.defer(failure);
      this.#settle();
    }
    this.#announce({ type: 'failed', failure });
  }

  #failureOf(parameters: FailParameters, from: ClientState): SessionFailure {
    const { kind } = parameters;
    const { phase, replies } = awaited[from];
    switch (kind) {
      case 'refused':
        return { kind, phase, reply: this.#answer };
      case 'tls': {
        const unexplained =
          'The TLS handshake did not come to its end: the connection was lost, or time was up';
        return { kind, phase: 'startTls', error: this.#tlsError ?? new Error(unexplained) };
      }
      case 'notOffered':
        return { kind, phase: negotiations[parameters.keyword], keyword: parameters.keyword };
      case 'withheld':
        return { kind, phase: 'auth', reason: WITHHELD };
      case 'authentication':
        return { kind, phase: 'auth', reason: this.#cancelReason };
      case 'protocol': {
        if (this.#error !== undefined) return { kind, phase, error: this.#error };
        const { code, lines } = this.#answer;
        // The text of a challenge is nobody else's business.
        const said = phase === 'auth' ? '' : ` ${JSON.stringify(lines.join(' ').slice(0, 80))}`;
        return {
          kind,
          phase,
          error: new RemoteProtocolError(`The server replied ${code}${said}: ${replies}`),
        };
      }
      case 'timeout':
        return { kind, phase };
      case 'lost':
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

/** The message's end was sent, and not all replies to it have come. */
function endWasSent(state: ClientState): boolean {
  return state === 'session.transaction.terminating' || state === 'session.transaction.delivering';
}

/** By code units: `\P{ASCII}` would have to look at code points, and takes longer. */
const NON_ASCII = /[\u0080-\uffff]/;

/** Whether an address needs SMTPUTF8 (RFC 6531 §3.3). */
function isInternational(path: ReversePath): boolean {
  return path !== null && (NON_ASCII.test(path.localPart) || NON_ASCII.test(path.domain));
}
