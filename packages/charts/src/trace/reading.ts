/**
 * A trace, written and read. Reading is lenient, for traces are cut, joined and handed on: records may begin with the
 * RS of JSON text sequences (RFC 7464), the last line may be torn, and what is not a record that is known here is left out
 * and counted. What a record holds is checked, so that whoever shows it need not.
 */
import type { Decision, End, TraceData, TraceHeader, TraceName, TraceRecord } from './records.js';

/** One line of a trace, with its LF. */
export function traceLine(entry: TraceHeader | TraceRecord): string {
  return `${JSON.stringify(entry)}\n`;
}

/** A line that is no record, and why it was left out. */
export interface SkippedLine {
  /** Counted from 1. */
  readonly number: number;
  readonly reason: string;
}

/** A record, and at which end it was made. */
export interface ReadRecord {
  readonly end: End;
  readonly record: TraceRecord;
}

/** The records of one session, in their order. */
export interface SessionTrace {
  /** The `group_id`. */
  readonly id: string;
  readonly end: End;
  readonly records: readonly TraceRecord[];
}

export interface Trace {
  /** The first one, if the trace has any. */
  readonly header?: TraceHeader;
  /** In the order in which they begin. */
  readonly sessions: readonly SessionTrace[];
  readonly skipped: readonly SkippedLine[];
}

/** Reads a whole trace. */
export function readTrace(text: string): Trace {
  const reader = new TraceReader();
  const records = [...reader.push(text), ...reader.end()];
  const { header, skipped } = reader;
  return { ...(header && { header }), sessions: sessionsOf(records), skipped };
}

/** Puts records together by their session: one that ran at both ends of a trace is two. */
export function sessionsOf(records: Iterable<ReadRecord>): readonly SessionTrace[] {
  const sessions = new Map<string, { id: string; end: End; records: TraceRecord[] }>();
  for (const { end, record } of records) {
    const key = `${end} ${record.group_id}`;
    const session = sessions.get(key) ?? { id: record.group_id, end, records: [] };
    session.records.push(record);
    sessions.set(key, session);
  }
  return [...sessions.values()];
}

/** Reads a trace that grows: `push` what came, and `end` when no more will. */
export class TraceReader {
  #header: TraceHeader | undefined;
  /** That of the last header: a trace that goes on after a restart has another. */
  #end: End | undefined;
  /** The beginning of a line whose end has not come. */
  #rest = '';
  /** That line is too long already: what else comes of it is not remembered. */
  #isTooLong = false;
  #number = 0;
  readonly #skipped: SkippedLine[] = [];

  /** The first header. */
  get header(): TraceHeader | undefined {
    return this.#header;
  }

  /** Lines that were left out so far, the first 100. */
  get skipped(): readonly SkippedLine[] {
    return this.#skipped;
  }

  /** The records that this piece of the text completes. */
  push(text: string): readonly ReadRecord[] {
    const records: ReadRecord[] = [];
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#append(text.slice(from, end));
      records.push(...this.end());
      from = end + 1;
    }
    this.#append(text.slice(from));
    return records;
  }

  /** The record of a last line without its end, if it is whole. */
  end(): readonly ReadRecord[] {
    this.#number += 1;
    const line = this.#rest;
    this.#rest = '';
    if (!this.#isTooLong) return this.#read(line);
    this.#isTooLong = false;
    return this.#skip('it is longer than any record');
  }

  #append(piece: string): void {
    this.#isTooLong ||= this.#rest.length + piece.length > MAXIMUM_LINE;
    this.#rest = this.#isTooLong ? '' : this.#rest + piece;
  }

  #read(line: string): readonly ReadRecord[] {
    const text = line.startsWith(RECORD_SEPARATOR) ? line.slice(1) : line;
    if (text.trim() === '') return [];
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return this.#skip('it is no JSON, or torn');
    }
    if (!isObject(value)) return this.#skip('it is no record');
    if ('file_schema' in value || 'qlog_version' in value || 'trace' in value) return this.#takeHeader(value);
    const record = recordIn(value);
    if (typeof record === 'string') return this.#skip(record);
    return [{ end: endOf(record) ?? this.#end ?? 'server', record }];
  }

  #takeHeader(value: Readonly<Record<string, unknown>>): readonly ReadRecord[] {
    const trace = isObject(value.trace) ? value.trace : {};
    const vantagePoint = isObject(trace.vantage_point) ? trace.vantage_point : {};
    const { type } = vantagePoint;
    if (type !== 'server' && type !== 'client')
      return this.#skip('a header without a vantage point that is known');
    this.#end = type;
    this.#header ??= value as unknown as TraceHeader;
    return [];
  }

  #skip(reason: string): readonly ReadRecord[] {
    if (this.#skipped.length < MAXIMUM_SKIPPED) this.#skipped.push({ number: this.#number, reason });
    return [];
  }
}

const RECORD_SEPARATOR = '\u001e';
const MAXIMUM_SKIPPED = 100;
/** Characters. A record with all octets of a large message, in hex, has fewer. */
const MAXIMUM_LINE = 128 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a record is, or why it is none that is known here. */
function recordIn(value: Fields): TraceRecord | string {
  const { time, seq, cause, group_id, reference_time, name, data } = value;
  if (typeof name !== 'string') return 'it is no record';
  if (!Object.hasOwn(DATA, name)) return `a record that is not known here: ${name.slice(0, 64)}`;
  if (typeof time !== 'number' || typeof seq !== 'number' || typeof group_id !== 'string') {
    return `${name} without time, seq or group_id`;
  }
  if (cause !== undefined && typeof cause !== 'number') return `${name} with a cause that is no number`;
  if (!referenceTime(reference_time)) return `${name} whose reference_time is not what it should be`;
  const wrong = isObject(data) ? problemIn(data, DATA[name as TraceName]) : 'data';
  return wrong === undefined
    ? (value as unknown as TraceRecord)
    : `${name} whose ${wrong} is not what it should be`;
}

/** Some records say at which end they were made. */
function endOf({ name }: TraceRecord): End | undefined {
  if (name === 'smtp:command_received' || name === 'smtp:reply_sent') return 'server';
  if (name === 'smtp:command_sent' || name === 'smtp:reply_received') return 'client';
  return undefined;
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number';
const flag: Check = (value) => typeof value === 'boolean';
const value: Check = (each) => text(each) || number(each) || flag(each);
const optional =
  (check: Check): Check =>
  (each) =>
    each === undefined || check(each);
const list =
  (check: Check): Check =>
  (each) =>
    Array.isArray(each) && each.every(check);
const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  (each) =>
    isObject(each) && problemIn(each, checks) === undefined;

const hexText: Check = (each) => typeof each === 'string' && /^(?:[\da-f]{2})*$/i.test(each);
const raw = fields({ length: optional(number), data: optional(hexText) });
const spans = list(fields({ part: text, from: number, to: number }));
const reply = { code: number, enhanced_code: optional(text), lines: list(text) };
const referenceTime = optional(fields({ wall_clock_time: optional(text) }));
const address = optional(fields({ address: optional(text), port: optional(number) }));
const tls = {
  protocol: optional(text),
  cipher: optional(text),
  server_name: optional(text),
  authorized: optional(flag),
};

const commandLine: Checks<'smtp:command_received'> = {
  line: text,
  verb: optional(text),
  state: text,
  exchange: optional(flag),
  refusal: optional(fields(reply)),
  raw,
  spans,
};

const replyLine: Checks<'smtp:reply_sent'> = {
  ...reply,
  verb: optional(text),
  state: text,
  title: optional(text),
  raw,
  spans,
};

const timer: Checks<'smtp:timer_set'> = { timer: text, state: text, delay: optional(number) };

type Keys<Data> = Data extends Data ? keyof Data : never;
type Checks<Name extends TraceName> = Readonly<Record<Keys<TraceData[Name]>, Check>>;

/** What must hold of the fields of each record. */
const DATA: { readonly [Name in TraceName]: Checks<Name> } = {
  'smtp:bytes_received': { raw: fields({ length: number }) },
  'smtp:command_received': commandLine,
  'smtp:command_sent': commandLine,
  'smtp:reply_received': replyLine,
  'smtp:reply_sent': replyLine,
  'smtp:state_updated': {
    event: text,
    transition: optional(text),
    old: optional(text),
    new: text,
    left: list(text),
    entered: list(text),
    guards: list(fields({ guard: text, passed: flag })),
    effects: list(text),
    changes: list(fields({ name: text, before: value, after: value })),
    description: optional(text),
    connection: optional(
      fields({ peer: address, local: address, listener: optional(text), tls: optional(fields(tls)) }),
    ),
  },
  'smtp:data': { raw: fields({ length: number, data: optional(hexText) }), hash: text, complete: flag },
  'smtp:timer_set': timer,
  'smtp:timer_cleared': timer,
  'smtp:decision': {
    about: (each) => each === 'question' || each === 'authentication' || each === 'message',
    question: optional(text),
    subject: optional(text),
    decision: optional((each) => each === 'accept' || each === 'reject'),
    reply: optional(fields(reply)),
    waited: optional(number),
    mechanism: optional(text),
    username: optional(text),
    outcome: optional(text),
    length: optional(number),
    reason: optional(text),
    recipients: optional(list(fields({ address: text, verdict: text }))),
  },
  'tls:handshake': {
    outcome: (each) => each === 'established' || each === 'failed',
    error: optional(text),
    ...tls,
  },
  'smtp:closed': {
    ending: text,
    state: text,
    duration: number,
    octets_received: number,
    octets_sent: number,
    reason: optional(text),
  },
  'smtp:error': {
    kind: (each) => each === 'fault' || each === 'failed' || each === 'excess',
    message: text,
  },
};

/** What each kind of decision cannot do without. */
const DECISIONS: Readonly<Record<Decision['about'], readonly string[]>> = {
  question: ['question', 'decision', 'waited'],
  authentication: ['mechanism', 'outcome'],
  message: ['outcome', 'length'],
};

/** The first field that is not as it should be. */
function problemIn(data: Fields, checks: Readonly<Record<string, Check>>): string | undefined {
  for (const [name, check] of Object.entries(checks)) if (!check(data[name])) return name;
  if (checks !== DATA['smtp:decision']) return undefined;
  return DECISIONS[data.about as Decision['about']].find((name) => data[name] === undefined);
}
