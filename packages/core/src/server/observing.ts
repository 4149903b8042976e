/**
 * Makes the records of `protocol-events.ts`. A session has one of these only where somebody observes it: without,
 * nothing is made, remembered or asked.
 */
import type { ChartEvent } from '../chart/machine-shape.js';
import type { ContextChange, TransitionExplanation } from '../chart/transition-record.js';
import type { RunningDeadline } from '../deadlines.js';
import type { InboundLine } from '../wire/inbound.js';
import { LF } from '../wire/octets.js';
import { type Reply, ReplyParser } from '../wire/reply.js';
import type { Authentication } from './authentication.js';
import type { ServerState } from './chart-events.js';
import type { CommandUnderWay } from './command-under-way.js';
import { LineRecord, withheld } from './line-record.js';
import type { Answer, Envelope, Question } from './messages.js';
import type { RecordedQuestion, ServerProtocolEvent } from './protocol-events.js';
import type { ReplyTitle } from './replies.js';

/** An event without its time, which is the session's to tell. */
type Happening = ServerProtocolEvent extends infer Event
  ? Event extends ServerProtocolEvent
    ? Omit<Event, 'time'>
    : never
  : never;

type MessageEvent = Extract<ServerProtocolEvent, { readonly type: 'message' }>;

const OUTCOMES = {
  success: 'accepted',
  refused: 'refused',
  malformed: 'malformed',
  unavailable: 'unavailable',
} as const;

export class Observing {
  readonly #tell: (event: ServerProtocolEvent) => void;
  readonly #now: () => number;
  readonly #lines: LineRecord;
  /** The command that has no reply yet. */
  #unanswered: { readonly verb?: string; readonly state: ServerState } | undefined;
  /** The state that the last step left. */
  #from: ServerState = 'connecting';
  #askedAt = 0;

  constructor(
    extensionVerbs: ReadonlySet<string>,
    now: () => number,
    tell: (event: ServerProtocolEvent) => void,
  ) {
    this.#lines = new LineRecord(extensionVerbs);
    this.#now = now;
    this.#tell = tell;
  }

  command(line: InboundLine, { event }: CommandUnderWay, state: ServerState): void {
    const recorded = this.#lines.take(line);
    const { verb } = recorded;
    this.#unanswered = verb === undefined ? { state } : { verb, state };
    const refusal = event.type === 'badCommand' && 'refusal' in event && { refusal: event.refusal };
    this.#record({ type: 'command', state, ...recorded, ...refusal });
  }

  response(line: InboundLine): void {
    this.#record({ type: 'response', ...(line.kind === 'line' && { length: line.octets.length + 2 }) });
  }

  transition(
    event: ChartEvent,
    from: ServerState,
    to: ServerState,
    effects: readonly ChartEvent[],
    changes: readonly ContextChange[],
    explanation: TransitionExplanation,
  ): void {
    this.#from = from;
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
    this.#record({ type: 'timerSet', id, delay });
  }

  timerCleared(id: string): void {
    this.#record({ type: 'timerCleared', id });
  }

  asked(): void {
    this.#askedAt = this.#now();
  }

  decision(question: Question, { decision, reply }: Answer): void {
    const waited = this.#now() - this.#askedAt;
    const own = reply && { reply };
    this.#record({ type: 'decision', question: recordable(question), decision, ...own, waited });
  }

  /**
   * @param octets one reply, or in LMTP those to a message, as they go to the client
   * @param title by what it goes, if it is one of ours
   */
  replies(octets: Uint8Array, title: ReplyTitle | undefined): void {
    const answered = { ...(this.#unanswered ?? { state: this.#from }), ...(title && { title }) };
    this.#unanswered = undefined;
    for (const { reply, length } of repliesIn(octets)) {
      const shown = reply.code === 334 ? { code: 334, lines: [withheld(length - '334 \r\n'.length)] } : reply;
      this.#record({ type: 'reply', reply: shown, length, ...answered });
    }
  }

  authentication({ mechanism, username, next }: Authentication): void {
    const outcome = next in OUTCOMES ? OUTCOMES[next as keyof typeof OUTCOMES] : 'abandoned';
    if (outcome === 'accepted') this.#lines.authenticated();
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
    const accepted = replies.some(({ code }) => code < 300);
    const outcome = accepted ? 'accepted' : replies.length > 0 ? 'refused' : 'abandoned';
    this.#record({ type: 'message', outcome, envelope, size, replies, ...(reason && { reason }) });
  }

  #record(happening: Happening): void {
    this.#tell({ ...happening, time: this.#now() } as ServerProtocolEvent);
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
