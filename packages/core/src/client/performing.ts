/**
 * Performs what the chart asks for: its effects become outputs, deadlines, verdicts and failures.
 *
 * - The session (`session.ts`) takes in what happens, and steps the chart; what that leads to is done here. What an effect
 *   is performed with, such as the chunk to be written, the session has put here before the step.
 * - Nothing in here decides about the order of things, which is the chart's.
 * - Every mail transaction is settled once, with a verdict for each recipient; where the session fails, before `failed`.
 */
import { CLEAR_DEADLINE, type DeadlineEffect, type Effect, SET_DEADLINE } from '../chart/table/operations.js';
import { Deadlines } from '../deadlines.js';
import { formatCommand } from '../wire/commands/format-command.js';
import { concatenate, encodeText } from '../wire/octets.js';
import type { Reply } from '../wire/replies/reply.js';
import type {
  ClientAction,
  ClientChartEvent,
  ClientState,
  FailParameters,
  FixedLine,
} from './chart/chart-events.js';
import type { ClientEvent, ClientOutput, ServerOffer } from './contract/messages.js';
import type { ResolvedClientOptions } from './contract/options.js';
import type { SessionFailure } from './envelope/outcomes.js';
import { awaitsOutcome, type Evidence, failureOf, phaseOf } from './failures.js';
import type { Authentication } from './negotiation/authentication.js';
import { Negotiating } from './negotiation/negotiating.js';
import { attributesCommand, unfitMechanisms } from './negotiation/negotiation.js';
import { Observing } from './observing/observing.js';
import { type IsSecretLine, ReplyReader } from './replies/reply-reader.js';
import type { MailTransaction } from './transaction/mail-transaction.js';

export class Performing {
  readonly #options: ResolvedClientOptions;
  readonly #fixedLines: Readonly<Record<FixedLine, Uint8Array>>;
  readonly #isSecret: IsSecretLine;
  /** The time of the last input. */
  now: number;
  /** Outputs that steps of the chart gave, and that `poll()` has yet to give. */
  readonly outputs: ClientOutput[] = [];
  readonly deadlines = new Deadlines();
  replies: ReplyReader;
  readonly negotiating: Negotiating;
  /** Undefined: nobody observes. */
  readonly observing: Observing | undefined;
  /** What a failure may be due to. */
  readonly evidence: Evidence = {};
  /** When the connection was made, until an octet comes. */
  silentSince: number | undefined;
  /** What the SASL exchange came to, of which the chart is yet to be told. */
  prepared: ClientChartEvent | undefined;
  /** The inquiry to be written. */
  inquiry: Uint8Array | undefined;
  /** The mail transaction under way. */
  transaction: MailTransaction | undefined;

  /**
   * @param options that were resolved: `now` is checked
   * @param isSecret whether no error may quote a line of the server
   */
  constructor(options: ResolvedClientOptions, now: number, isSecret: IsSecretLine) {
    const { hostname: name, maximumReplyLines, protocol, observe } = options;
    this.#options = options;
    this.#isSecret = isSecret;
    this.silentSince = now;
    this.now = now;
    this.#fixedLines = {
      hello: formatCommand({ verb: protocol === 'lmtp' ? 'LHLO' : 'EHLO', name }),
      HELO: formatCommand({ verb: 'HELO', name }),
      STARTTLS: formatCommand({ verb: 'STARTTLS' }),
      cancel: encodeText('*\r\n'), // RFC 4954 §4
      RSET: formatCommand({ verb: 'RSET' }),
      QUIT: formatCommand({ verb: 'QUIT' }),
    };
    this.replies = new ReplyReader(maximumReplyLines);
    this.negotiating = new Negotiating(options);
    this.observing = observe.size === 0 ? undefined : new Observing(observe, this);
  }

  /** @param from the state that the step left */
  perform(effect: Effect, from: ClientState): void {
    const action = effect as ClientAction | DeadlineEffect;
    // The chart speaks of either only where there is one.
    const reply = this.evidence.reply as Reply;
    const underWay = this.transaction as MailTransaction;
    switch (action.type) {
      case SET_DEADLINE:
        this.deadlines.set(action.params.id, action.params.delay, this.now);
        this.observing?.tell({ type: 'timerSet', ...action.params });
        break;
      case CLEAR_DEADLINE:
        if (this.deadlines.clear(action.params.id)) {
          this.observing?.tell({ type: 'timerCleared', ...action.params });
        }
        break;
      case 'write':
        if (action.params.command === 'hello') this.negotiating.forgetOffer();
        this.#writeCommands(this.#fixedLines[action.params.command], action.params.command === 'cancel');
        break;
      case 'proceed': {
        const bytes = underWay.commands.take();
        if (bytes !== undefined) this.#writeCommands(bytes);
        break;
      }
      case 'announceGreeting':
        this.#announce({ type: 'greeting', reply });
        break;
      case 'upgradeTls':
        this.negotiating.forgetOffer();
        this.outputs.push({ type: 'upgradeTls' });
        break;
      case 'prepareResponse':
        this.#prepareResponse();
        break;
      case 'writeResponse': {
        const line = (this.negotiating.authentication as Authentication).nextLine();
        this.outputs.push({ type: 'write', ...line });
        this.observing?.commands(line.redacted ?? line.bytes, true, line.bytes.length);
        break;
      }
      case 'acknowledge':
        this.#observeAuthentication('accepted');
        this.negotiating.acknowledge();
        break;
      case 'writeXclient':
      case 'writeXforward': {
        const verb = action.type === 'writeXclient' ? 'XCLIENT' : 'XFORWARD';
        this.#writeCommands(attributesCommand(verb, this.#options, this.negotiating.keywords));
        break;
      }
      case 'introduce':
        this.#announce({ type: 'ready', offer: this.negotiating.offer as ServerOffer });
        break;
      case 'writeInquiry':
        this.#writeCommands(this.inquiry as Uint8Array);
        break;
      case 'announceAnswer':
        this.#announce({ type: 'answered', reply });
        break;
      case 'answerRecipient': {
        const index = underWay.verdicts.answerRecipient(reply);
        this.#announce({ type: 'recipient', index, reply });
        break;
      }
      case 'refuse':
        underWay.commands.stop();
        underWay.verdicts.refuse(phaseOf(from), reply);
        break;
      case 'deliver':
        underWay.verdicts.deliver(reply);
        break;
      case 'decideRecipient':
        underWay.verdicts.decideRecipient(reply);
        break;
      case 'wantMailData':
        this.#announce({ type: 'mailDataWanted' });
        break;
      case 'writeChunk':
        this.#writeChunk(underWay.chunk as Uint8Array, false);
        break;
      case 'writeEndOfMailData': {
        const { encoder, chunks, gathering } = underWay;
        if (chunks > 0) this.#writeChunk(gathering.end(encoder.end()), true);
        else this.write(encoder.end());
        break;
      }
      case 'settle':
        this.#settle();
        break;
      case 'fail':
        this.#fail(action.params, from);
        break;
      case 'close':
      case 'closed':
        this.forgetReplies();
        this.outputs.push({ type: action.type });
    }
  }

  /** Nothing that was heard so far holds any more. */
  forgetReplies(): void {
    this.replies = new ReplyReader(this.#options.maximumReplyLines);
  }

  write(bytes: Uint8Array): void {
    this.outputs.push({ type: 'write', bytes });
  }

  /** @param isExchange it is a line of a SASL exchange */
  #writeCommands(bytes: Uint8Array, isExchange = false): void {
    this.write(bytes);
    this.observing?.commands(bytes, isExchange);
  }

  #writeChunk(octets: Uint8Array, last: boolean): void {
    const command = formatCommand({ verb: 'BDAT', size: octets.length, last });
    this.observing?.commands(command, false);
    // To copy the octets costs less than a write of their own, unless they are many.
    if (last) {
      this.write(concatenate([command, octets]));
    } else {
      this.write(command);
      this.write(octets);
    }
  }

  #announce(event: ClientEvent): void {
    this.outputs.push({ type: 'event', event });
  }

  /** Begins the SASL exchange, or takes it on. The chart is told what it came to once it has taken its step. */
  #prepareResponse(): void {
    const preparation = this.negotiating.prepareResponse();
    this.evidence.mechanism = this.negotiating.authentication?.mechanism;
    if (preparation.type === 'compute') {
      this.outputs.push(preparation);
      return;
    }
    if (preparation.type === 'cancel') this.evidence.cancelReason = preparation.reason;
    this.prepared = preparation;
  }

  #observeAuthentication(outcome: 'accepted' | ReturnType<typeof outcomeOf>): void {
    const { authentication: wanted } = this.#options;
    const { authentication } = this.negotiating;
    if (wanted === undefined || authentication === undefined) return;
    const { credentials } = wanted;
    const username = 'username' in credentials && { username: credentials.username };
    this.observing?.tell({
      type: 'authentication',
      mechanism: authentication.mechanism,
      ...username,
      outcome,
    });
  }

  #settle(): void {
    const { envelope, octets: size, verdicts: reached } = this.transaction as MailTransaction;
    const verdicts = reached.all();
    this.transaction = undefined;
    this.observing?.tell({ type: 'message', envelope, size, verdicts });
    this.#announce({ type: 'done', verdicts });
  }

  #fail(parameters: FailParameters, from: ClientState): void {
    const { evidence, negotiating } = this;
    if (parameters.kind === 'notOffered' && this.#options.authentication !== undefined) {
      evidence.mechanisms = unfitMechanisms(this.#options.authentication, negotiating.keywords);
    }
    if (this.silentSince !== undefined && negotiating.tls === undefined) {
      evidence.silentFor = this.now - this.silentSince;
    }
    if (from !== 'session.securing') evidence.unfinished = this.replies.unfinished(this.#isSecret);
    const failure = failureOf(parameters, from, evidence);
    const verdicts = this.transaction?.verdicts;
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
    this.observing?.tell({ type: 'failed', failure });
    this.#announce({ type: 'failed', failure });
  }
}

/** What became of an AUTH exchange that ends the session. */
function outcomeOf(failure: SessionFailure): 'refused' | 'unavailable' | 'abandoned' {
  if (failure.kind !== 'refused' || failure.phase !== 'auth') return 'abandoned';
  return failure.reply.code < 500 ? 'unavailable' : 'refused';
}
