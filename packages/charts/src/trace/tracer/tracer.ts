/**
 * From events to records. A tracer is an observer: give it to a server's or a client's option `observer`, or hand it the
 * events of a session that runs by itself.
 *
 * What is a secret, the session itself has left out of its events. What a message says stays here: a record has its
 * length and its hash.
 *
 * A record is made at once, and whatever is remembered of a session goes with the session.
 */
import { commandSpans, encodeText, replyOctets, type Span, type TlsInformation } from '@sansmtp/core';
import { initialState, isExchange } from '../chart-states.js';
import type { TraceableEvent, TraceableSession } from '../events.js';
import type { CommandLine, Decision, End, ReplyLine, TraceData, TraceName, TraceRecord } from '../records.js';
import { Sha256 } from '../sha256.js';
import {
  addressOf,
  eventName,
  failureText,
  hex,
  messageDecision,
  subjectOf,
  timerOf,
  traced,
  tracedTls,
  withheld,
} from './traced-values.js';

export interface TracerOptions {
  /** Whose events come. */
  readonly end: End;
  /** Takes each record. What it throws comes out of the observer. */
  readonly write: (record: TraceRecord) => void;
  /** The wall clock, in milliseconds since 1970; it is asked when a session begins. @default Date.now */
  readonly wallClock?: () => number;
  /**
   * Records what messages say, too.
   * @default false
   */
  readonly mailData?: boolean;
}

/** Makes an observer that writes the trace of all sessions that it is told of. */
export function createTracer(
  options: TracerOptions,
): (event: TraceableEvent, session: TraceableSession) => void {
  const sessions = new WeakMap<TraceableSession, SessionTracer>();
  return (event, session) => {
    let tracer = sessions.get(session);
    if (tracer === undefined) {
      tracer = new SessionTracer(session, options);
      sessions.set(session, tracer);
    }
    tracer.take(event);
  };
}

/** The trace of one session. */
class SessionTracer {
  readonly #session: TraceableSession;
  readonly #options: TracerOptions;
  #seq = 0;
  #state: string;
  /** The last record of each kind that may be a cause. */
  readonly #last: {
    bytes?: number;
    line?: number;
    decision?: number;
    data?: number;
    tls?: number;
    step?: number;
    asking?: number;
  } = {};
  /** The records that set the timers which are running. */
  readonly #timers = new Map<string, number>();
  #mailData: { readonly hash: Sha256; readonly octets: Uint8Array[] } | undefined;

  constructor(session: TraceableSession, options: TracerOptions) {
    this.#session = session;
    this.#options = options;
    this.#state = initialState(options.end);
  }

  take(event: TraceableEvent): void {
    const { time } = event;
    if (event.type === 'excess') {
      const message = `the connection was turned away: ${event.limit} is reached`;
      this.#record(time, 'smtp:error', { kind: 'excess', message });
      return;
    }
    if (this.#seq === 0) this.#open(time, event.type === 'opened' ? event.tls : undefined);
    const last = this.#last;
    switch (event.type) {
      case 'opened':
      case 'sent':
        break;
      case 'received':
        last.bytes = this.#record(time, 'smtp:bytes_received', { raw: { length: event.length } });
        break;
      case 'command':
        this.#command(event);
        break;
      case 'response':
        this.#line(time, {
          line: event.length === undefined ? '[a line too long]' : withheld(event.length - CRLF),
          state: this.#state,
          exchange: true,
          raw: event.length === undefined ? {} : { length: event.length },
          spans: [],
        });
        break;
      case 'reply':
        this.#reply(event);
        break;
      case 'transition':
        this.#transition(event);
        break;
      case 'timerSet': {
        const { id, delay } = event;
        const endless = delay === Number.POSITIVE_INFINITY;
        const data = { ...timerOf(id), ...(!endless && { delay }) };
        this.#timers.set(id, this.#record(time, 'smtp:timer_set', data, last.step));
        break;
      }
      case 'timerCleared':
        this.#record(time, 'smtp:timer_cleared', timerOf(event.id), last.step);
        this.#timers.delete(event.id);
        break;
      case 'decision': {
        const { question, decision, reply, waited } = event;
        const subject = subjectOf(question);
        const data: Decision = {
          about: 'question',
          question: question.kind,
          ...(subject !== undefined && { subject }),
          decision,
          ...(reply && { reply: traced(reply) }),
          waited,
        };
        last.decision = this.#record(time, 'smtp:decision', data, last.asking);
        break;
      }
      case 'authentication': {
        const { mechanism, username, outcome } = event;
        const named = username !== undefined && { username };
        this.#record(
          time,
          'smtp:decision',
          { about: 'authentication', mechanism, ...named, outcome },
          last.step,
        );
        break;
      }
      case 'mailData':
        this.#gather(event.octets);
        break;
      case 'message':
        if (this.#mailData !== undefined) this.#endMailData(time, false);
        this.#record(time, 'smtp:decision', messageDecision(event), last.step);
        break;
      case 'tls':
        last.tls = this.#record(
          time,
          'tls:handshake',
          event.outcome === 'established'
            ? { outcome: 'established', ...tracedTls(event.tls) }
            : { outcome: 'failed', error: event.error.message },
          last.step,
        );
        break;
      case 'fault':
        this.#record(time, 'smtp:error', { kind: 'fault', message: this.#faultText(event) }, last.step);
        break;
      case 'failed':
        this.#record(time, 'smtp:error', { kind: 'failed', message: failureText(event.failure) }, last.step);
        break;
      case 'closed': {
        if (this.#mailData !== undefined) this.#endMailData(time, false);
        const { ending, state, duration, octetsReceived, octetsSent, reason } = event;
        const why = reason && { reason: reason.message };
        const octets = { octets_received: octetsReceived, octets_sent: octetsSent };
        this.#record(time, 'smtp:closed', { ending, state, duration, ...octets, ...why }, last.step);
      }
    }
  }

  #open(time: number, tls: TlsInformation | undefined): void {
    const { peer, local, listener } = this.#session;
    this.#last.step = this.#record(time, 'smtp:state_updated', {
      event: 'opened',
      new: this.#state,
      left: [],
      entered: [this.#state],
      guards: [],
      effects: [],
      changes: [],
      connection: {
        ...(peer && { peer: addressOf(peer) }),
        ...(local && { local: addressOf(local) }),
        ...(listener !== undefined && { listener }),
        ...(tls && { tls: tracedTls(tls) }),
      },
    });
  }

  #command(event: Extract<TraceableEvent, { readonly type: 'command' }>): void {
    const octets = 'octets' in event ? event.octets : undefined;
    const isClients = this.#options.end === 'client';
    // A client's command is told as it may be shown: of AUTH without what follows the mechanism.
    const shown = isClients && event.verb !== 'AUTH' ? encodeText(event.line) : octets;
    const refusal = 'refusal' in event && event.refusal;
    this.#line(event.time, {
      line: event.line,
      ...(event.verb !== undefined && { verb: event.verb }),
      state: 'state' in event ? event.state : this.#state,
      ...(refusal && { refusal: traced(refusal) }),
      raw: {
        ...(event.length !== undefined && { length: event.length }),
        ...(shown && { data: hex(shown) }),
      },
      spans: shown === undefined ? [] : commandSpans(shown),
    });
  }

  #line(time: number, data: CommandLine): void {
    if (this.#options.end === 'client') {
      this.#record(time, 'smtp:command_sent', data, this.#last.step);
      return;
    }
    this.#last.line = this.#record(time, 'smtp:command_received', data, this.#last.bytes);
  }

  #reply(event: Extract<TraceableEvent, { readonly type: 'reply' }>): void {
    const { time, reply, state } = event;
    const isClients = this.#options.end === 'client';
    const isWithheld = isClients ? isExchange(state) : reply.code === 334;
    const { octets, spans } = isWithheld ? NOTHING_SHOWN : replyOctets(reply);
    const length = 'length' in event ? event.length : octets?.length;
    const data: ReplyLine = {
      ...traced(reply),
      ...('verb' in event && event.verb !== undefined && { verb: event.verb }),
      state,
      ...('title' in event && event.title !== undefined && { title: event.title }),
      raw: { ...(length !== undefined && { length }), ...(octets && { data: hex(octets) }) },
      spans,
    };
    if (!isClients) this.#record(time, 'smtp:reply_sent', data, this.#last.step);
    else this.#last.line = this.#record(time, 'smtp:reply_received', data, this.#last.bytes);
  }

  #transition(event: Extract<TraceableEvent, { readonly type: 'transition' }>): void {
    const {
      event: type,
      transition,
      from,
      to,
      left,
      entered,
      guards,
      effects,
      changes,
      description,
      time,
    } = event;
    if (type === 'endOfMailData' || type === 'endOfChunk') this.#endMailData(time, true);
    const step = this.#record(
      time,
      'smtp:state_updated',
      {
        event: eventName(type),
        transition,
        old: from,
        new: to,
        left,
        entered,
        guards,
        effects: effects.filter((name) => name !== 'setDeadline' && name !== 'clearDeadline'),
        changes,
        ...(description !== undefined && { description }),
      },
      this.#causeOf(type),
    );
    this.#timers.delete(type);
    this.#state = to;
    this.#last.step = step;
    if (effects.includes('ask')) this.#last.asking = step;
  }

  /** The record of what the chart was told of. */
  #causeOf(type: string): number | undefined {
    const { bytes, line, decision, data, tls, step } = this.#last;
    if (type.startsWith('xstate.after.')) return this.#timers.get(type);
    if (type.startsWith('command.') || type.startsWith('reply.')) return line;
    switch (type) {
      case 'badCommand':
      case 'response':
      case 'badResponse':
      case 'cutOff':
        return line ?? bytes;
      case 'cancel':
        return this.#options.end === 'server' ? line : step;
      case 'accepted':
      case 'rejected':
        return decision;
      case 'endOfMailData':
      case 'endOfChunk':
        return data;
      case 'tlsEstablished':
      case 'tlsFailed':
        return tls;
      case 'plaintext':
      case 'protocolError':
        return bytes;
      case 'computed':
      case 'respond':
        return step;
      default:
        return undefined;
    }
  }

  #gather(octets: Uint8Array): void {
    this.#mailData ??= { hash: new Sha256(), octets: [] };
    this.#mailData.hash.update(octets);
    if (this.#options.mailData) this.#mailData.octets.push(octets.slice());
  }

  #endMailData(time: number, complete: boolean): void {
    const { hash, octets } = this.#mailData ?? { hash: new Sha256(), octets: [] };
    this.#mailData = undefined;
    const { length } = hash;
    const raw = this.#options.mailData ? { length, data: octets.map(hex).join('') } : { length };
    const cause = this.#options.end === 'server' ? this.#last.bytes : this.#last.step;
    const data = { raw, hash: `sha256:${hash.digest()}`, complete };
    this.#last.data = this.#record(time, 'smtp:data', data, cause);
  }

  /** What a handler of AUTH throws may quote what the client has sent. */
  #faultText({ callback, error }: { readonly callback: string; readonly error: unknown }): string {
    const name = error instanceof Error ? error.name : typeof error;
    if (isExchange(this.#state)) return `${callback} threw: ${name}`;
    return `${callback} threw: ${error instanceof Error ? error.message : name}`;
  }

  #record<Name extends TraceName>(time: number, name: Name, data: TraceData[Name], cause?: number): number {
    const seq = this.#seq;
    this.#seq += 1;
    const wallClock = this.#options.wallClock ?? Date.now;
    this.#options.write({
      time,
      ...(seq === 0 && {
        reference_time: {
          clock_type: 'monotonic',
          epoch: 'unknown',
          wall_clock_time: new Date(wallClock()).toISOString(),
        },
      }),
      seq,
      ...(cause !== undefined && { cause }),
      group_id: this.#session.id,
      name,
      data,
    } as TraceRecord);
    return seq;
  }
}

const CRLF = 2;

const NOTHING_SHOWN: { readonly octets?: Uint8Array; readonly spans: readonly Span[] } = { spans: [] };
