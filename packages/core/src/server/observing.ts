/**
 * Makes the records of `protocol-events.ts`, as far as they are wanted. A session has one of these only where somebody
 * observes it: without, nothing is made, remembered or asked.
 */

import type { ChartEvent } from '../chart/machine/machine-shape.js';
import type { ContextChange, TransitionExplanation } from '../chart/table/transition-record.js';
import type { RunningDeadline } from '../deadlines.js';
import type { ForwardPath } from '../wire/commands/path.js';
import type { InboundLine } from '../wire/inbound.js';
import { LF } from '../wire/octets.js';
import { type Reply, ReplyParser } from '../wire/replies/reply.js';
import type { ServerState } from './chart/chart-events.js';
import type { Authentication } from './client/authentication.js';
import type { CommandUnderWay } from './commands/command-under-way.js';
import type { Answer, Envelope, Question } from './decisions/questions.js';
import type { ReplyTitle } from './decisions/replies.js';
import { LineRecord, lengthOf, withheld } from './observing/line-record.js';
import type { RecordedQuestion, ServerProtocolEvent } from './observing/protocol-events.js';

/** An event without its time, which is the session's to tell. */
type Happening = ServerProtocolEvent extends infer Event
  ? Event extends ServerProtocolEvent
    ? Omit<Event, 'time'>
    : never
  : never;

type MessageEvent = Extract<ServerProtocolEvent, { readonly type: 'message' }>;

/** What time it is in the session of which is told. */
interface Time {
  readonly now: number;
}

/** Where its outputs are put. */
interface Outputs {
  put(output: { readonly type: 'observed'; readonly event: ServerProtocolEvent }): void;
}

/** A command that has no reply yet. */
interface Unanswered {
  /** Octets of its line; absent where nobody knows. */
  readonly length: number | undefined;
  readonly verb: string | undefined;
  /** Where it found the session. */
  readonly state: ServerState;
  readonly forwardPath: ForwardPath | undefined;
}

const OUTCOMES = {
  success: 'accepted',
  refused: 'refused',
  malformed: 'malformed',
  unavailable: 'unavailable',
} as const;

/** Whether a reply is of 4yz or 5yz is seen by its first octet. */
const FOUR = 0x34;

export class Observing {
  readonly #time: Time;
  readonly #outputs: Outputs;
  readonly #wanted: ReadonlySet<ServerProtocolEvent['type']>;
  /** Each step sets and clears deadlines: whether anybody wants to know is looked up once. */
  readonly #wantsTimerSet: boolean;
  readonly #wantsTimerCleared: boolean;
  readonly #extensionVerbs: ReadonlySet<string>;
  #lineRecord: LineRecord | undefined;
  /** The command that has no reply yet. */
  #unanswered: Unanswered | undefined;
  /** The next reply is to a message, of which everything was told. */
  #messageTold = false;
  /** The state that the last step left. */
  #from: ServerState = 'connecting';
  #askedAt = 0;

  constructor(
    wanted: ReadonlySet<ServerProtocolEvent['type']>,
    extensionVerbs: ReadonlySet<string>,
    time: Time,
    outputs: Outputs,
  ) {
    this.#wanted = wanted;
    this.#wantsTimerSet = wanted.has('timerSet');
    this.#wantsTimerCleared = wanted.has('timerCleared');
    this.#extensionVerbs = extensionVerbs;
    this.#time = time;
    this.#outputs = outputs;
  }

  get #lines(): LineRecord {
    this.#lineRecord ??= new LineRecord(this.#extensionVerbs);
    return this.#lineRecord;
  }

  wants(kind: ServerProtocolEvent['type']): boolean {
    return this.#wanted.has(kind);
  }

  /** An ordinary command, of so many octets; where commands are wanted, `command()` is told of it. */
  ordinary(length: number, { verb, question }: CommandUnderWay, state: ServerState): void {
    const forwardPath = question?.kind === 'rcpt' ? question.forwardPath : undefined;
    this.#unanswered = { length, verb, state, forwardPath };
  }

  command(line: InboundLine, { event, verb, question }: CommandUnderWay, state: ServerState): void {
    // Not the line itself: it may be a view into an array that is written into before the reply comes.
    this.#unanswered = {
      length: lengthOf(line).length,
      verb: verb === undefined || verb === 'extension' ? this.#lines.verbOf(line) : verb,
      state,
      forwardPath: question?.kind === 'rcpt' ? question.forwardPath : undefined,
    };
    if (!this.wants('command')) return;
    const refusal = event.type === 'badCommand' && 'refusal' in event && { refusal: event.refusal };
    this.#record({ type: 'command', state, ...this.#lines.take(line), ...refusal });
  }

  response(line: InboundLine): void {
    if (this.wants('response')) this.#record({ type: 'response', ...lengthOf(line) });
  }

  /** The chart takes a step from this state. */
  step(from: ServerState): void {
    this.#from = from;
  }

  transition(
    event: ChartEvent,
    from: ServerState,
    to: ServerState,
    effects: readonly ChartEvent[],
    changes: readonly ContextChange[],
    explanation: TransitionExplanation,
  ): void {
    const names = effects.map(({ type }) => type);
    this.#record({
      type: 'transition',
      event: event.type,
      from,
      to,
      effects: names,
      changes,
      ...explanation,
    });
  }

  timerSet({ id, delay }: Pick<RunningDeadline, 'id' | 'delay'>): void {
    if (this.#wantsTimerSet) this.#record({ type: 'timerSet', id, delay });
  }

  timerCleared(id: string): void {
    if (this.#wantsTimerCleared) this.#record({ type: 'timerCleared', id });
  }

  asked(): void {
    this.#askedAt = this.#time.now;
  }

  decision(question: Question, { decision, reply }: Answer): void {
    if (!this.wants('decision')) return;
    const waited = this.#time.now - this.#askedAt;
    const own = reply && { reply };
    this.#record({ type: 'decision', question: recordable(question), decision, ...own, waited });
  }

  /**
   * @param octets one reply, or in LMTP those to a message, as they go to the client
   * @param title by what it goes, if it is one of ours
   */
  replies(octets: Uint8Array, title: ReplyTitle | undefined): void {
    const answered = this.#unanswered;
    const refuses = (octets[0] as number) >= FOUR && !this.#messageTold && this.wants('refusal');
    // A challenge is no answer yet: what AUTH comes to is.
    if (!isChallenge(octets)) this.#unanswered = undefined;
    this.#messageTold = false;
    if (!refuses && !this.wants('reply')) return;

    const verb = answered?.verb;
    const about = { state: answered?.state ?? this.#from, ...(verb !== undefined && { verb }) };
    const answers = [...repliesIn(octets)];
    if (this.wants('reply')) {
      for (const { reply, length } of answers) {
        const shown =
          reply.code === 334 ? { code: 334, lines: [withheld(length - '334 \r\n'.length)] } : reply;
        this.#record({ type: 'reply', reply: shown, length, ...about, ...(title && { title }) });
      }
    }
    const [first] = answers;
    if (!refuses || first === undefined) return;
    const length = answered?.length !== undefined && { length: answered.length };
    this.#record({ type: 'refusal', reply: first.reply, ...about, ...length, ...refusedBy(answered) });
  }

  authentication({ mechanism, username, next }: Authentication): void {
    const outcome = next in OUTCOMES ? OUTCOMES[next as keyof typeof OUTCOMES] : 'abandoned';
    if (outcome === 'accepted') this.#lines.authenticated();
    if (!this.wants('authentication')) return;
    this.#record({
      type: 'authentication',
      mechanism,
      ...(username !== undefined && { username }),
      outcome,
    });
  }

  message(
    envelope: Envelope,
    size: number,
    replies: readonly Reply[],
    reason?: MessageEvent['reason'],
  ): void {
    this.#messageTold = replies.length > 0;
    if (!this.wants('message')) return;
    const accepted = replies.some(({ code }) => code < 300);
    const outcome = accepted ? 'accepted' : replies.length > 0 ? 'refused' : 'abandoned';
    this.#record({ type: 'message', outcome, envelope, size, replies, ...(reason && { reason }) });
  }

  /** @param happening made for this, and nobody else's: it becomes the record */
  #record(happening: Happening): void {
    (happening as { time?: number }).time = this.#time.now;
    this.#outputs.put({ type: 'observed', event: happening as ServerProtocolEvent });
  }
}

function recordable(question: Question): RecordedQuestion {
  switch (question.kind) {
    case 'credentials': {
      const { kind, mechanism, username } = question;
      return { kind, mechanism, username };
    }
    case 'authenticate': {
      const { kind, attempt } = question;
      const { mechanism } = attempt;
      return 'username' in attempt ? { kind, mechanism, username: attempt.username } : { kind, mechanism };
    }
    default:
      return question;
  }
}

function refusedBy(command: Unanswered | undefined) {
  if (command === undefined) return { refused: 'session' } as const;
  const { forwardPath } = command;
  return forwardPath === undefined
    ? ({ refused: 'command' } as const)
    : ({ refused: 'recipient', forwardPath } as const);
}

function isChallenge(octets: Uint8Array): boolean {
  return octets[0] === 0x33 && octets[1] === 0x33 && octets[2] === 0x34;
}

/** The replies that these octets are, each with its length. */
function* repliesIn(octets: Uint8Array): Generator<{ readonly reply: Reply; readonly length: number }> {
  const parser = new ReplyParser({ maximumLines: Number.POSITIVE_INFINITY });
  let start = 0;
  for (let begin = 0; begin < octets.length; ) {
    const end = octets.indexOf(LF, begin) + 1;
    const reply = parser.push(octets.subarray(begin, end - 2));
    if (reply !== undefined && !(reply instanceof Error)) {
      yield { reply, length: end - start };
      start = end;
    }
    begin = end;
  }
}
