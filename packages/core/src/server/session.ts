/**
 * A server session: the chart joined to the wire.
 *
 * How it works
 * - `handle()` takes in what happened. `poll()` then works through it one step of the chart at a time and gives
 *   back one output at a time, until it has none.
 * - What is known of the dialogue stands in `dialogue.ts`. What the client sent is read on by `reading-on.ts`, the application's
 *   answers are taken by `answering.ts`; both take the chart on by `stepping.ts`, and what the chart then says is to be done
 *   `performing.ts` does. How long all that may take, `client-time.ts` knows.
 *
 * Invariants
 * - Whatever the chunks in which the peer's bytes come, the outputs are the same, limits included; except for how
 *   much is handed out of mail data that is taken back, and for octets in the clear after STARTTLS, which end the
 *   session with a 421 if they are there before the 220, and without a word after it.
 * - One question is open at most, and every command gets one reply, in order.
 * - An AUTH exchange is known while the chart is in `authenticating`, and not longer: it may hold a password.
 * - Held back until the session waits for the client again: the end of the peer's bytes, and a shutdown; the latter
 *   until no message is under way, between two chunks of it as well, or until it is told to give that up.
 * - While the client is made to wait (`client-wait.ts`), no reply leaves and no command is looked at, and all other
 *   deadlines stand still.
 */
import type { SessionEnding } from '../chart/table/transition-record.js';
import { LocalProtocolError } from '../errors.js';
import type { ClientAttributes } from '../extensions/session/client-attributes.js';
import { checkNow } from '../option-checks.js';
import type { AuthenticatedIdentity } from '../sasl/exchange/exchange.js';
import type { TlsInformation } from '../tls.js';
import { takeAnswer, takeMereAcceptance } from './answering.js';
import type { ServerState } from './chart/chart-events.js';
import { allowedIn } from './contract/allowed-inputs.js';
import { checkFarewell } from './contract/answers.js';
import type { ServerInput, ServerOutput } from './contract/messages.js';
import type { ServerSessionOptions } from './contract/options.js';
import type { Hello, Question } from './decisions/questions.js';
import { replies } from './decisions/replies.js';
import { Dialogue } from './dialogue.js';
import { performAll } from './performing.js';
import { PreparedServerOptions } from './prepared-options.js';
import { readOn } from './reading-on.js';
import { cutOff, step } from './stepping.js';

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
  readonly #dialogue: Dialogue;

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
    const dialogue = new Dialogue(prepared, checkNow(options.now));
    this.#dialogue = dialogue;
    const { effects } = prepared.beginning;
    const { greetingDelay } = prepared.resolved;
    if (greetingDelay === 0) performAll(dialogue, effects);
    else
      dialogue.wait.begin(dialogue.time.now + greetingDelay, 'greeting', () => performAll(dialogue, effects));
  }

  /** Where the session stands: a leaf state of the chart, such as `session.transaction.opened`. */
  get state(): ServerState {
    return this.#dialogue.state;
  }

  /** False: stop reading from the peer, for what it sends cannot be looked at yet. */
  get wantsInput(): boolean {
    return this.#dialogue.wantsInput;
  }

  /** The client is made to wait until `nextDeadline()`: for the greeting, or for a refusal. */
  get delays(): boolean {
    return this.#dialogue.isWaiting;
  }

  /** The result of the last `compute` is awaited: `computed` is allowed. */
  get wantsComputed(): boolean {
    return this.#dialogue.wantsComputed;
  }

  /** How the client introduced itself; undefined before EHLO or HELO was accepted. */
  get hello(): Hello | undefined {
    return this.#dialogue.client.hello;
  }

  /** The TLS that protects the connection. */
  get tls(): TlsInformation | undefined {
    return this.#dialogue.client.tls;
  }

  /** Who has authenticated themselves (RFC 4954), or whom a trusted peer said to have (XCLIENT). */
  get identity(): AuthenticatedIdentity | undefined {
    return this.#dialogue.client.authenticated;
  }

  /** For whom a trusted peer speaks (XCLIENT): true in the place of the connection's own peer. */
  get client(): ClientAttributes | undefined {
    return this.#dialogue.client.client;
  }

  /**
   * From whom a trusted peer had the mail of this mail transaction, or the next one (XFORWARD): for logs, not for
   * decisions.
   */
  get forwarded(): ClientAttributes | undefined {
    return this.#dialogue.client.forwarded;
  }

  /** The question that is open; `handle({ type: 'answer', … })` answers it. */
  get question(): Question | undefined {
    return this.#dialogue.question;
  }

  /** Commands that were looked at so far: a host that serves many can see when others should have their turn. */
  get commandCount(): number {
    return this.#dialogue.commandCount;
  }

  /** How the session began to end; undefined while it goes on. */
  get ending(): SessionEnding | undefined {
    return this.#dialogue.ending;
  }

  /** When to call `handle({ type: 'timeout' })` at the latest, in monotonic milliseconds. */
  nextDeadline(): number | undefined {
    const dialogue = this.#dialogue;
    if (dialogue.isWaiting) return dialogue.wait.until;
    return dialogue.time.next(dialogue.isReceiving, dialogue.isBetweenTransactions);
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
    const dialogue = this.#dialogue;
    if (dialogue.position.value === 'closed') return;
    dialogue.time.pass(input.now, dialogue.isReceiving);
    if (dialogue.isWaiting) dialogue.wait.take(input);
    switch (input.type) {
      case 'bytes':
        this.#hold(input.bytes);
        break;
      case 'eof':
        dialogue.ended = true;
        break;
      case 'shutdown':
        dialogue.shutdown = true;
        if (input.reply !== undefined) dialogue.farewell = checkFarewell(input.reply, this.state);
        if (input.abandoning && dialogue.receiving !== undefined && dialogue.question === undefined) {
          step(dialogue, { type: 'shutdown' });
        }
        break;
      case 'answer':
        takeAnswer(dialogue, input);
        break;
      case 'lost':
        step(dialogue, { type: 'connectionLost' });
        break;
      case 'tlsEstablished':
        this.#require('session.securing', input.type);
        dialogue.know({ tls: input.tls });
        step(dialogue, { type: 'tlsEstablished' });
        break;
      case 'tlsFailed':
        this.#require('session.securing', input.type);
        step(dialogue, { type: 'tlsFailed' });
        break;
      case 'computed':
        // A host that computes meanwhile cannot know that the session has given up.
        if (dialogue.position.value === 'closing') break;
        this.#require('session.authenticating.computing', input.type);
        step(dialogue, { type: 'computed', next: dialogue.exchange.resumeWithResult(input.result) });
        break;
      case 'holdBack':
        if (dialogue.receiving !== undefined) dialogue.time.holdBack();
        break;
      case 'readOn':
        dialogue.time.readOn();
        break;
      case 'timeout':
        this.#takeTimeout();
    }
  }

  /** The next thing to do, or undefined when there is nothing left until the next `handle()`. */
  poll(): ServerOutput | undefined {
    const dialogue = this.#dialogue;
    const { giving } = dialogue;
    for (;;) {
      const output = giving.take();
      if (output !== undefined) return output;
      if (!readOn(dialogue)) {
        // While more of a pipelined batch is held, its replies wait for the open decision, however long it takes.
        if (dialogue.heldOctets === 0 || dialogue.wantsInput) giving.flush();
        return giving.take();
      }
    }
  }

  /** The same as `handle({ type: 'answer', decision: 'accept', now })`: what is answered so most of the time. */
  accept(now: number): void {
    if (!takeMereAcceptance(this.#dialogue, now)) this.handle({ type: 'answer', decision: 'accept', now });
  }

  /**
   * Copies what the session still holds of the bytes that were handed in: from here on their arrays may be written into.
   * For hosts that read into one array over and over: they call it when `poll()` has nothing more to give, and copy what
   * they keep of `mailData`.
   */
  copyHeld(): void {
    if (this.#dialogue.heldOctets > 0) this.#dialogue.inbound.copyHeld();
  }

  #hold(bytes: Uint8Array): void {
    const dialogue = this.#dialogue;
    const { value } = dialogue.position;
    if (value === 'closing' || bytes.length === 0) return;
    if (value === 'session.securing') {
      step(dialogue, { type: 'plaintext' });
      return;
    }
    const { maximumHeldOctets } = dialogue.options;
    if (!dialogue.wantsInput && dialogue.heldOctets + bytes.length > maximumHeldOctets) {
      throw new LocalProtocolError(
        this.state,
        `${bytes.length} octets came, over maximumHeldOctets, while wantsInput was false`,
        allowedIn(this.state, dialogue.question),
      );
    }
    dialogue.inbound.push(bytes);
  }

  /** Throws unless the session stands where this input is awaited. */
  #require(state: ServerState, input: ServerInput['type']): void {
    if (this.state === state) return;
    throw new LocalProtocolError(this.state, `${input} came`, allowedIn(this.state, this.question));
  }

  #takeTimeout(): void {
    const dialogue = this.#dialogue;
    const { time } = dialogue;
    if (dialogue.isWaiting) return;
    if (time.isHeldBack) {
      const due = this.nextDeadline();
      if (due !== undefined && due <= time.now) cutOff(dialogue, replies.decisionTimeout);
      return;
    }
    for (const id of time.deadlines.takeAllDue(time.now)) step(dialogue, { type: id });
    if (dialogue.isReceiving && time.isTooSlow) cutOff(dialogue, replies.mailDataTooSlow);
  }
}
