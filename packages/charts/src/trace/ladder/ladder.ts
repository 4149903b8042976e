/**
 * A session's story: its records as the rungs of a ladder, in plain data. The terminal prints them, and the page draws
 * them; neither needs to know how records hang together.
 *
 * Rungs are only ever added, so that a session can be followed while it goes on. Each says what it stands in: under TLS,
 * within an AUTH exchange, and in which flight, which is what came in one piece or left without waiting.
 */

import type {
  Closed,
  Decision,
  End,
  RecordOf,
  StateUpdated,
  TracedConnection,
  TraceRecord,
} from '../records.js';
import { commandsTakenIn } from './commands-taken.js';
import { isOutOfOrder, reasonFor } from './reasons.js';
import type { Reason, Rung, RungBase } from './rungs.js';

/** A session's story, as far as it has been told. */
export class Ladder {
  readonly id: string;
  readonly end: End;
  readonly #rungs: Rung[] = [];
  #began: number | undefined;
  #wallClock: string | undefined;
  #connection: TracedConnection = {};
  #next: number | undefined;
  #state = '';
  #underTls = false;
  /** An AUTH exchange has begun that has no reply but challenges. */
  #authenticating = false;
  #closed: Closed | undefined;

  /** Steps that may be the cause of a reply, by their `seq`; cleared at each command. */
  #step: StateUpdated | undefined;
  #decision: Extract<Decision, { readonly about: 'question' }> | undefined;
  #command: RecordOf<'smtp:command_received' | 'smtp:command_sent'> | undefined;
  readonly #keywords = new Set<string>();
  #lmtp = false;

  /** Commands without a reply, as their flights. */
  readonly #unanswered: { readonly flight: number; readonly verb: string | undefined }[] = [];
  #flight = 0;

  constructor(id: string, end: End) {
    this.id = id;
    this.end = end;
  }

  get rungs(): readonly Rung[] {
    return this.#rungs;
  }

  /** Forgets the rungs so far, for whoever has written them down; what comes is told as before. */
  forget(): void {
    this.#rungs.length = 0;
  }

  /** Where the session stands. */
  get state(): string {
    return this.#state;
  }

  /** Who is at the other end, and so on. */
  get connection(): TracedConnection {
    return this.#connection;
  }

  /** The wall clock when the session began, in RFC 3339's form; undefined where the trace does not have its beginning. */
  get began(): string | undefined {
    return this.#wallClock;
  }

  /** How it ended; undefined: it goes on, or the trace breaks off. */
  get closed(): Closed | undefined {
    return this.#closed;
  }

  /** Adds a record of this session; returns the rungs that it makes, a gap before it included. */
  take(record: TraceRecord): readonly Rung[] {
    const before = this.#rungs.length;
    this.#began ??= record.time;
    this.#wallClock ??= record.reference_time?.wall_clock_time;
    const missing = record.seq - (this.#next ?? record.seq);
    this.#next = record.seq + 1;
    if (missing > 0) this.#add(record, { kind: 'gap', missing });
    this.#take(record);
    return this.#rungs.slice(before);
  }

  #take(record: TraceRecord): void {
    switch (record.name) {
      case 'smtp:bytes_received':
        this.#add(record, { kind: 'bytes', length: record.data.raw.length });
        break;
      case 'smtp:command_received':
      case 'smtp:command_sent':
        this.#takeCommand(record);
        break;
      case 'smtp:reply_received':
      case 'smtp:reply_sent':
        this.#takeReply(record);
        break;
      case 'smtp:state_updated':
        this.#takeStep(record);
        break;
      case 'smtp:data': {
        const { raw, hash, complete } = record.data;
        const octets = raw.data !== undefined && { octets: fromHex(raw.data) };
        this.#add(record, { kind: 'mailData', length: raw.length, hash, complete, ...octets });
        break;
      }
      case 'smtp:decision':
        if (record.data.about === 'question') this.#decision = record.data;
        this.#add(record, { kind: 'decision', decision: record.data });
        break;
      case 'smtp:timer_set':
        this.#add(record, { kind: 'timer', action: 'set', ...record.data });
        break;
      case 'smtp:timer_cleared':
        this.#add(record, { kind: 'timer', action: 'cleared', ...record.data });
        break;
      case 'tls:handshake':
        if (record.data.outcome === 'established') this.#underTls = true;
        this.#add(record, { kind: 'tls', handshake: record.data });
        break;
      case 'smtp:error':
        this.#add(record, { kind: 'error', error: record.data });
        break;
      case 'smtp:closed':
        this.#closed = record.data;
        this.#add(record, { kind: 'closed', closed: record.data });
    }
  }

  #takeStep(record: RecordOf<'smtp:state_updated'>): void {
    const { data } = record;
    const {
      old,
      new: to,
      connection,
      event,
      transition,
      left,
      entered,
      guards,
      effects,
      changes,
      description,
    } = data;
    this.#state = to;
    this.#step = data;
    if (connection !== undefined) {
      this.#connection = connection;
      this.#underTls = connection.tls !== undefined;
    }
    this.#add(record, {
      kind: 'state',
      event,
      ...(transition !== undefined && { transition }),
      ...(old !== undefined && { from: old }),
      to,
      left,
      entered,
      guards,
      effects,
      changes,
      ...(description !== undefined && { description }),
    });
  }

  #takeCommand(record: RecordOf<'smtp:command_received' | 'smtp:command_sent'>): void {
    const { line, verb, state, raw, spans } = record.data;
    this.#command = record;
    this.#decision = undefined;
    const flight = this.#flightOf(record);
    this.#unanswered.push({ flight, verb });
    if (verb === 'LHLO') this.#lmtp = true;
    if (verb === 'AUTH') this.#authenticating = true;
    const { length, data } = raw;
    this.#add(record, {
      kind: 'line',
      by: 'client',
      lines: [line],
      ...(verb !== undefined && { verb }),
      state,
      ...(length !== undefined && { length }),
      ...(data !== undefined && { octets: fromHex(data) }),
      spans,
      flight,
    });
  }

  /** At a server: the piece that it came in. At a client: all that left since the last reply. */
  #flightOf({ cause, seq }: TraceRecord): number {
    if (this.end === 'server') this.#flight = cause ?? seq;
    else if (this.#unanswered.length === 0) this.#flight = seq;
    return this.#flight;
  }

  #takeReply(record: RecordOf<'smtp:reply_received' | 'smtp:reply_sent'>): void {
    const { code, enhanced_code: enhancedCode, lines, state, raw, spans } = record.data;
    const answered = code === 354 ? this.#unanswered[0] : this.#unanswered.shift();
    const flight = answered?.flight;
    const verb = record.data.verb ?? answered?.verb;
    if (verb === 'EHLO' || verb === 'LHLO') this.#takeOffer(code, lines);
    const { length, data } = raw;
    const reason = this.end === 'server' ? this.#reasonFor(record) : undefined;
    this.#add(record, {
      kind: 'line',
      by: 'server',
      lines: wireLines(record.data),
      ...(verb !== undefined && { verb }),
      code,
      ...(enhancedCode !== undefined && { enhancedCode }),
      state,
      ...(length !== undefined && { length }),
      ...(data !== undefined && { octets: fromHex(data) }),
      spans,
      ...(flight !== undefined && { flight }),
      ...(reason !== undefined && { reason }),
    });
    if (code !== 334) this.#authenticating = false;
  }

  #takeOffer(code: number, [, ...keywords]: readonly string[]): void {
    if (code !== 250) return;
    this.#keywords.clear();
    for (const line of keywords) this.#keywords.add(line.split(' ', 1)[0]?.toUpperCase() ?? '');
  }

  #reasonFor({ data }: RecordOf<'smtp:reply_received' | 'smtp:reply_sent'>): Reason | undefined {
    const { code, state } = data;
    const step = this.#step;
    const words = reasonFor(data, {
      decision: this.#decision,
      refusal: this.#command?.data.refusal,
      step,
    });
    if (words === undefined) return undefined;
    const takes = isOutOfOrder(data)
      ? commandsTakenIn(state, { lmtp: this.#lmtp, keywords: this.#keywords }, data.title)
      : undefined;
    const legal = takes === undefined ? '' : `: ${state} takes ${takes.join(', ')}`;
    const description = step?.description;
    return {
      words,
      state,
      ...(takes && { takes }),
      ...(description !== undefined && { description }),
      sentence: `${code} because ${words}${legal}`,
    };
  }

  #add({ seq, cause, time }: TraceRecord, rung: RungWithoutPlace): void {
    const place: RungBase = {
      seq,
      ...(cause !== undefined && { cause }),
      time: time - (this.#began ?? time),
      underTls: this.#underTls,
      authenticating: this.#authenticating,
    };
    this.#rungs.push({ ...place, ...rung } as Rung);
  }
}

type RungWithoutPlace = Rung extends infer Each
  ? Each extends Rung
    ? Omit<Each, keyof RungBase>
    : never
  : never;

/** The story of a whole session. */
export function ladderOf(session: {
  readonly id: string;
  readonly end: End;
  readonly records: readonly TraceRecord[];
}): Ladder {
  const ladder = new Ladder(session.id, session.end);
  for (const record of session.records) ladder.take(record);
  return ladder;
}

/** The flights of several commands: those are pipelined (RFC 2920). */
export function pipelinedFlights(rungs: readonly Rung[]): ReadonlySet<number> {
  const commands = new Map<number, number>();
  for (const rung of rungs) {
    if (rung.kind !== 'line' || rung.by !== 'client' || rung.flight === undefined) continue;
    commands.set(rung.flight, (commands.get(rung.flight) ?? 0) + 1);
  }
  return new Set([...commands].flatMap(([flight, count]) => (count > 1 ? [flight] : [])));
}

/** The lines of a reply as they go over the wire, without CRLF. */
function wireLines({
  code,
  enhanced_code: enhancedCode,
  lines,
}: RecordOf<'smtp:reply_sent'>['data']): readonly string[] {
  const prefix = enhancedCode === undefined ? '' : `${enhancedCode} `;
  return lines.map((line, index) => `${code}${index < lines.length - 1 ? '-' : ' '}${prefix}${line}`);
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16),
  );
}
