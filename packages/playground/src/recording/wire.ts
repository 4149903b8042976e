/** What passes between the two ends of a simulated session, and what happens beside it, from top to bottom. */
import type { LineRung, Rung } from '@sansmtp/charts/trace';
import type { Choice } from '../simulation/choices.js';
import { ENDS, type End, otherEnd } from '../simulation/ends.js';
import type { Sent, Step } from '../simulation/step.js';
import { textOf } from '../simulation/text.js';
import { noteOf } from './notes.js';
import type { Moment, WireItem, WireLine } from './recording.js';

/** A line that is put together while its octets are on their way. */
type Pending = { -readonly [Key in keyof WireLine]: WireLine[Key] };

/** A flight on its way, as its lines and the octets at which each of them ends. */
interface PendingFlight {
  readonly lines: readonly { readonly line: Pending; readonly end: number }[];
  readonly length: number;
}

export function wireOf(steps: readonly Step[], moments: readonly Moment[]): readonly WireItem[] {
  const items: WireItem[] = [];
  const underWay: Record<End, PendingFlight[]> = { client: [], server: [] };
  const totals: Record<End, number> = { client: 0, server: 0 };
  let underTls = steps[0] !== undefined && moments[0]?.rungs.server.some(({ underTls: tls }) => tls) === true;
  let flights = 0;

  const stateAfterStep = memoryOfStates(moments);
  const depart = (sent: Sent, at: number, rungs: LineRung[], choice?: Choice): void => {
    const { from } = sent;
    const isForged = choice?.kind === 'say';
    const lines = linesOf(sent, rungs, isForged).map(({ end, cause, ...line }, index) => ({
      end,
      line: {
        kind: 'line',
        key: `line-${from}-${flights}-${index}`,
        from,
        sent: at,
        underTls,
        flight: flights,
        offset: totals[from] + end - (line.length ?? 0),
        states: isForged ? {} : { [from]: stateAfterStep(from, cause) ?? moments[at]?.states[from] },
        ...line,
      } satisfies WireLine as Pending,
    }));
    flights += 1;
    totals[from] += sent.octets.length;
    underWay[from].push({ lines, length: sent.octets.length });
    items.push(...lines.map(({ line }) => line));
  };

  const unsent: Record<End, LineRung[]> = { client: [], server: [] };
  for (const [index, step] of steps.entries()) {
    const moment = moments[index];
    if (moment === undefined) break;
    const { happening, choice } = step;
    for (const end of ENDS)
      unsent[end].push(...moment.rungs[end].filter((rung): rung is LineRung => isSaidBy(end, rung)));
    if (happening.kind === 'arrival') {
      const { from, flight, octets } = happening;
      if (choice?.kind === 'say' && flight.before === 0) {
        const replaced = underWay[from].shift();
        if (replaced !== undefined) totals[from] -= replaced.length;
        const forged = { from, octets: wholeFlight(steps, index) };
        depart(forged, index - 1, [], choice);
        const last = underWay[from].pop();
        if (last !== undefined) underWay[from].unshift(last);
      }
      arrive(underWay[from], from, flight.before + octets.length, index, moment);
    } else {
      if (happening.kind === 'lost') for (const end of ENDS) underWay[end] = [];
      if (happening.kind === 'tls' && happening.established) underTls = true;
      items.push(noteOf(step, index, moment));
    }
    for (const sent of step.sent) depart(sent, index, unsent[sent.from]);
  }
  return items;
}

/** A line that this end itself has said. */
function isSaidBy(end: End, rung: Rung): rung is LineRung {
  return rung.kind === 'line' && rung.by === end;
}

/** Where each step of an end led, by its `seq`. */
function memoryOfStates(moments: readonly Moment[]) {
  const states: Record<End, Map<number, string>> = { client: new Map(), server: new Map() };
  for (const { rungs } of moments) {
    for (const end of ENDS) {
      for (const rung of rungs[end]) if (rung.kind === 'state') states[end].set(rung.seq, rung.to);
    }
  }
  return (end: End, seq: number | undefined) => (seq === undefined ? undefined : states[end].get(seq));
}

/** Marks the lines of the next flight whose last octet has arrived. */
function arrive(flights: PendingFlight[], from: End, octets: number, at: number, moment: Moment): void {
  const [flight] = flights;
  if (flight === undefined) return;
  const reader = otherEnd(from);
  const read = moment.rungs[reader].filter((rung) => isSaidBy(from, rung));
  for (const { line, end } of flight.lines) {
    if (line.arrived !== undefined || end > octets) continue;
    line.arrived = at;
    const rung = read.shift();
    line.states = { ...line.states, [reader]: stateAfter(moment, reader, rung) };
    if (line.spans.length === 0 && rung !== undefined && line.octets !== undefined) line.spans = rung.spans;
  }
  if (octets >= flight.length) flights.shift();
}

/** Where the reader stood once it had done what this line asks. */
function stateAfter({ rungs, states }: Moment, reader: End, line: LineRung | undefined): string | undefined {
  const step = rungs[reader].find((rung) => rung.kind === 'state' && rung.cause === line?.seq);
  return step?.kind === 'state' ? step.to : states[reader];
}

/** The flight that was put in the place of another, in whatever segments it arrives. */
function wholeFlight(steps: readonly Step[], index: number): Uint8Array {
  const octets: number[] = [];
  for (const { turn, happening } of steps.slice(index)) {
    if (turn !== steps[index]?.turn || happening.kind !== 'arrival') break;
    octets.push(...happening.octets);
  }
  return Uint8Array.from(octets);
}

type LinePart = Pick<
  WireLine,
  'lines' | 'isMailData' | 'length' | 'spans' | 'isForged' | 'verb' | 'code' | 'octets' | 'reason'
> & {
  /** Octets of the flight up to its last. */
  readonly end: number;
  /** The `seq` of the step that led to it. */
  readonly cause?: number;
};

/**
 * The lines of a flight: what the sender recorded of each, and what is left, which is mail data.
 * @param unsent what it has said; the lines of this flight are taken out
 */
function linesOf({ octets, written }: Sent, unsent: LineRung[], isForged: boolean): LinePart[] {
  if (isForged) return forgedLines(octets, 0);
  const isChanged = written !== undefined && textOf(octets.subarray(0, written.length)) !== textOf(written);
  if (isChanged) return [mailData(octets, octets.length, true)];
  const parts: LinePart[] = [];
  let begin = 0;
  const total = written?.length ?? octets.length;
  for (;;) {
    const [rung] = unsent;
    if (rung?.length === undefined || begin + rung.length > total) break;
    unsent.shift();
    const end = begin + rung.length;
    const { lines, verb, code, spans, reason, cause, length } = rung;
    parts.push({
      lines,
      isMailData: false,
      length,
      spans,
      isForged: false,
      ...(verb !== undefined && { verb }),
      ...(code !== undefined && { code }),
      ...(rung.octets !== undefined && { octets: octets.subarray(begin, end) }),
      ...(reason && { reason }),
      ...(cause !== undefined && { cause }),
      end,
    });
    begin = end;
    const chunk = verb === 'BDAT' && code === undefined ? Number(/\d+/.exec(lines[0] ?? '')?.[0] ?? 0) : 0;
    if (chunk > 0) {
      parts.push(mailData(octets.subarray(begin, begin + chunk), begin + chunk, false));
      begin += chunk;
    }
  }
  const rest = octets.subarray(begin, total);
  if (rest.length > 0) parts.push(mailData(rest, begin + rest.length, false));
  if (written !== undefined) parts.push(...forgedLines(octets.subarray(written.length), written.length));
  return parts;
}

function mailData(octets: Uint8Array, end: number, isForged: boolean): LinePart {
  return {
    lines: linesIn(octets),
    isMailData: true,
    length: octets.length,
    spans: [],
    isForged,
    octets,
    end,
  };
}

function forgedLines(octets: Uint8Array, before: number): LinePart[] {
  const text = textOf(octets);
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let end = 0;
  return lines.map((line) => {
    const begin = end;
    end += line.length;
    const own = octets.subarray(begin, end);
    return {
      lines: linesIn(own),
      isMailData: false,
      length: own.length,
      spans: [],
      isForged: true,
      octets: own,
      end: before + end,
    };
  });
}

/** Octets for people: on several lines, and without control characters. */
function linesIn(octets: Uint8Array): readonly string[] {
  return textOf(octets.subarray(0, 2000))
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .map((line) => line.replace(/[^ -~]/g, '·'));
}
