/**
 * A recorded session, of which one end was recorded: its records become rungs, and those steps. It may still grow.
 *
 * A step begins with what the end reads, is told or decides; what it does about that belongs to the same step.
 */
import { Ladder, type LineRung, type Rung, type StateRung, type TraceRecord } from '@sansmtp/charts/trace';
import type { End } from '../simulation/ends.js';
import type { Moment, Recording, WireItem, WireLine } from './recording.js';
import { noteOfRung } from './traced-notes.js';
import { titleOfRung } from './traced-titles.js';

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

export class TracedRecording {
  readonly #end: End;
  readonly #ladder: Ladder;
  readonly #moments: Mutable<Moment>[] = [];
  readonly #wire: WireItem[] = [];
  /** The rungs of the moment under way. */
  #rungs: Rung[] = [];
  /** By `seq`: lines whose consequence is yet to come, and where each step led. */
  readonly #lines = new Map<number, Mutable<WireLine>>();
  readonly #states = new Map<number, string>();

  constructor(id: string, end: End) {
    this.#end = end;
    this.#ladder = new Ladder(id, end);
  }

  take(record: TraceRecord): void {
    for (const rung of this.#ladder.take(record)) this.#add(rung);
  }

  /** As far as it goes. */
  get recording(): Recording {
    return { ends: [this.#end], moments: [...this.#moments], wire: [...this.#wire] };
  }

  #add(rung: Rung): void {
    if (this.#begins(rung)) {
      this.#rungs = [];
      const none: readonly Rung[] = [];
      const rungs = { client: none, server: none, [this.#end]: this.#rungs };
      this.#moments.push({ time: rung.time, title: '', states: {}, rungs });
    }
    this.#rungs.push(rung);
    const moment = this.#moments.at(-1);
    if (moment === undefined) return;
    if (moment.title === '') moment.title = titleOfRung(rung, this.#end);
    moment.states = { [this.#end]: this.#ladder.state };
    const at = this.#moments.length - 1;
    if (rung.kind === 'line') this.#addLine(rung, at);
    else if (rung.kind === 'state') this.#addState(rung);
    const note = noteOfRung(rung, this.#end, at);
    if (note !== undefined) this.#wire.push(note);
    if (rung.kind === 'mailData') {
      const { octets, length, hash, underTls, seq } = rung;
      this.#wire.push({
        ...this.#line(`line-${seq}`, at, underTls),
        from: 'client',
        isMailData: true,
        lines:
          octets === undefined
            ? [`${length} octets, of which the trace has the hash`, hash]
            : linesIn(octets),
        length,
        ...(octets && { octets }),
      });
    }
  }

  #begins(rung: Rung): boolean {
    if (this.#moments.length === 0) return true;
    // Octets arrive before the line that they complete is read: that is one step.
    if (this.#rungs.every(({ kind }) => kind === 'bytes')) return false;
    switch (rung.kind) {
      case 'bytes':
      case 'tls':
      case 'closed':
      case 'error':
        return true;
      case 'line':
        return rung.by !== this.#end;
      case 'decision':
        return rung.decision.about === 'question';
      case 'state':
        return !this.#rungs.some(({ seq }) => seq === rung.cause);
      case 'mailData':
      case 'timer':
      case 'gap':
        return false;
    }
  }

  #line(key: string, at: number, underTls: boolean) {
    const nothing: Pick<WireLine, 'kind' | 'spans' | 'isForged' | 'states' | 'isMailData' | 'flight'> = {
      kind: 'line',
      spans: [],
      isForged: false,
      states: {},
      isMailData: false,
      flight: -1,
    };
    return { ...nothing, key, sent: at, arrived: at, underTls };
  }

  #addLine(rung: LineRung, at: number): void {
    const { by, lines, verb, code, octets, length, spans, reason, seq, cause, flight, underTls } = rung;
    const state = cause === undefined ? undefined : this.#states.get(cause);
    const line: Mutable<WireLine> = {
      ...this.#line(`line-${seq}`, at, underTls),
      from: by,
      lines,
      spans,
      ...(verb !== undefined && { verb }),
      ...(code !== undefined && { code }),
      ...(octets && { octets }),
      ...(length !== undefined && { length }),
      ...(reason && { reason }),
      ...(flight !== undefined && { flight }),
      ...(by === this.#end && state !== undefined && { states: { [by]: state } }),
    };
    this.#wire.push(line);
    if (by !== this.#end) this.#lines.set(seq, line);
  }

  #addState({ seq, cause, to }: StateRung): void {
    this.#states.set(seq, to);
    const line = cause === undefined ? undefined : this.#lines.get(cause);
    if (line !== undefined) line.states = { [this.#end]: to };
  }
}

function linesIn(octets: Uint8Array): readonly string[] {
  return new TextDecoder('latin1')
    .decode(octets.subarray(0, 2000))
    .split(/\r?\n/)
    .map((line) => line.replace(/[^ -~]/g, '·'));
}
