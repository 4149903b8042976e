/**
 * What a server session knows of its dialogue with a client: where the chart stands, which command and which message are
 * under way, who the client is. Others do something with it: `reading-on.ts` reads what the client sent, `answering.ts`
 * takes the application's answers, `stepping.ts` takes the chart on, and `performing.ts` does what the chart says.
 *
 * There is one for each connection, and most connections are silent: what only some sessions need is made for those, when it is
 * needed first, and what is the same for all sessions of a listener stands in `prepared-options.ts`.
 */
import type { ChartRunner } from '../chart/table/runner.js';
import type { SessionEnding } from '../chart/table/transition-record.js';
import type { ForeignProtocol } from '../wire/foreign-protocol.js';
import { InboundBuffer } from '../wire/inbound.js';
import type { Reply } from '../wire/replies/reply.js';
import type { ServerContext } from './chart/chart-context.js';
import type { ServerChartEvent, ServerState } from './chart/chart-events.js';
import type { Authentication } from './client/authentication.js';
import { type ClientIdentity, unknownClient } from './client/client-identity.js';
import { ClientWait } from './client/client-wait.js';
import { ClientTime } from './client-time.js';
import { CommandReading } from './commands/command-reading.js';
import type { CommandUnderWay } from './commands/command-under-way.js';
import { Junk } from './commands/junk.js';
import type { ResolvedServerOptions } from './contract/options.js';
import type { Answer, Envelope, Question, Recipient } from './decisions/questions.js';
import { replies } from './decisions/replies.js';
import type { Receiving } from './mail-data/receiving.js';
import { Observing } from './observing.js';
import type { PreparedServerOptions } from './prepared-options.js';
import { type Giver, Giving } from './replying/giving.js';
import type { Introductions, Offer } from './replying/introductions.js';
import { serverTable } from './server-table.js';

/** An open mail transaction; the application sees it as an `Envelope`. */
interface Transaction extends Envelope {
  readonly recipients: Recipient[];
}

export class Dialogue implements Giver {
  readonly prepared: PreparedServerOptions;
  readonly position: ChartRunner<ServerContext, ServerChartEvent>;
  readonly time: ClientTime;
  readonly giving: Giving;
  /** Undefined: nobody observes. */
  readonly observing: Observing | undefined;
  #inbound: InboundBuffer | undefined;
  #reading: CommandReading | undefined;
  #junk: Junk | undefined;
  /** The greeting or a refusal is delayed, or was. */
  #wait: ClientWait | undefined;

  client: ClientIdentity;
  commandCount = 0;
  foreignProtocol: ForeignProtocol | undefined;
  ending: SessionEnding | undefined;
  /** The last command line ended in LF alone. */
  afterBareLineFeed = false;
  /** The client has ended its side. */
  ended = false;
  shutdown = false;
  /** What to say at a shutdown. */
  farewell: Reply = replies.shuttingDown;

  /** The command that was read last, while anything is to be done about it. */
  command: CommandUnderWay | undefined;
  question: Question | undefined;
  answer: Answer | undefined;
  /** What goes with the acceptance of EHLO. */
  offer: Offer | undefined;
  transaction: Transaction | undefined;
  receiving: Receiving | undefined;

  constructor(prepared: PreparedServerOptions, now: number) {
    const { resolved, beginning } = prepared;
    this.prepared = prepared;
    this.position = serverTable.run(beginning.position);
    this.time = new ClientTime(resolved, now);
    this.client = unknownClient(resolved.tls);
    this.giving = new Giving(this);
    const { observe } = resolved;
    if (observe.size > 0) {
      const { extensionVerbs } = prepared.commandRules.grammar;
      this.observing = new Observing(observe, extensionVerbs, this.time, this.giving);
    }
  }

  get options(): ResolvedServerOptions {
    return this.prepared.resolved;
  }

  get introductions(): Introductions {
    return this.prepared.introductions;
  }

  get state(): ServerState {
    return this.position.value as ServerState;
  }

  /** What the peer sent and nobody has read yet. */
  get inbound(): InboundBuffer {
    this.#inbound ??= new InboundBuffer(this.options.bareNewline);
    return this.#inbound;
  }

  /** How many octets these are. */
  get heldOctets(): number {
    return this.#inbound === undefined ? 0 : this.#inbound.length;
  }

  forgetInbound(): void {
    this.#inbound = undefined;
  }

  get reading(): CommandReading {
    this.#reading ??= new CommandReading(this.options, this.introductions, this.prepared.commandRules);
    return this.#reading;
  }

  get junk(): Junk {
    this.#junk ??= new Junk(this.options);
    return this.#junk;
  }

  get wait(): ClientWait {
    this.#wait ??= new ClientWait();
    return this.#wait;
  }

  /** The client is made to wait. */
  get isWaiting(): boolean {
    return this.#wait?.isOn === true;
  }

  /** The result of the last `compute` is awaited. */
  get wantsComputed(): boolean {
    return this.position.value === 'session.authenticating.computing';
  }

  /** What the peer sends can be looked at. */
  get wantsInput(): boolean {
    if (this.question !== undefined || this.wantsComputed || this.isWaiting) return false;
    return this.position.value !== 'closed';
  }

  /** It waits for the client, and no mail transaction is open. */
  get isBetweenTransactions(): boolean {
    const { value } = this.position;
    return value === 'session.ready' || value === 'session.greeted' || value === 'refused';
  }

  /** It waits for mail data, for the next chunk of it, or for the octets of one that is refused. */
  get isReceiving(): boolean {
    const { value } = this.position;
    return (
      this.giving.replying.isHeld ||
      value === 'session.transaction.receiving' ||
      value === 'session.transaction.receivingChunk' ||
      value === 'session.transaction.chunked'
    );
  }

  /** The mail transaction takes no more recipients. */
  get isFull(): boolean {
    if (this.position.value !== 'session.transaction.addressed') return false;
    return this.envelope.recipients.length >= this.options.maximumRecipients;
  }

  get exchange(): Authentication {
    return present(this.command?.exchange, 'an AUTH exchange');
  }

  get envelope(): Envelope {
    return present(this.transaction, 'a mail transaction');
  }

  /** Something was told of the client. */
  know(told: Partial<ClientIdentity>): void {
    this.client = { ...this.client, ...told };
  }

  /** The octets that it waits for may come no more slowly than those of a message. */
  replyHeld(): void {
    if (this.receiving === undefined) this.time.watchRate();
  }

  delayRefusal(): void {
    this.wait.begin(this.time.now + this.options.refusalDelay, 'refusal', () => {
      // The client has waited for it, and has its time for the next command from now on.
      this.restartDeadlines();
      this.giving.flush();
    });
  }

  /** The peer did something: what it has time for begins anew. */
  restartDeadlines(): void {
    const { deadlines, now } = this.time;
    deadlines.restart(now);
    if (!this.observing?.wants('timerSet')) return;
    for (const deadline of deadlines.running) this.observing.timerSet(deadline);
  }

  /** The command was decided on, or never will be. */
  settle(): void {
    this.command = undefined;
    this.question = undefined;
    this.answer = undefined;
    this.offer = undefined;
  }
}

/** The chart's effects are about things that are there when it asks for them. */
export function present<Thing>(thing: Thing | undefined, name: string): Thing {
  if (thing === undefined) throw new Error(`The server chart speaks of ${name} where there is none`);
  return thing;
}
