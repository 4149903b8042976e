/**
 * A session's ladder for the terminal, within 80 columns: the time, then what stretches over several lines (TLS `┃`, an
 * AUTH exchange `┊`, pipelined commands with their replies `│`), then what happened.
 *
 * What a peer has said cannot steer the terminal: whatever comes from the trace goes through `oneLine`.
 */
import {
  type Ladder,
  type LineRung,
  pipelinedFlights,
  type Rung,
  type TracedAddress,
} from '@sansmtp/charts/trace';
import { oneLine } from '../terminal.js';
import {
  closedText,
  decisionText,
  gapText,
  mailDataText,
  stepText,
  timeText,
  tlsText,
} from './rung-words.js';
import { wrapped } from './wrapping.js';

const WIDTH = 80;
const TIME_WIDTH = 10;
/** A blank, TLS, AUTH, a flight, a blank. */
const GUTTER_WIDTH = 5;
const TEXT_WIDTH = WIDTH - TIME_WIDTH - GUTTER_WIDTH;

type Style = 'dim' | 'bold' | 'red' | 'green' | 'yellow' | 'cyan';

const SGR: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/** One thing to write, in one row or more. */
interface Note {
  readonly rung: Rung;
  readonly text: string;
  readonly style: Style;
  /** It goes on with what the one before began: it has no time of its own. */
  readonly continues?: true;
}

/** Writes one session; as it grows, piece by piece. */
export class LadderText {
  readonly #ladder: Ladder;
  readonly #color: boolean;
  /** As it was written last. */
  #time = '';

  /** @param color whether to colour */
  constructor(ladder: Ladder, color: boolean) {
    this.#ladder = ladder;
    this.#color = color;
  }

  /** Who connected to whom, and when. */
  heading(): string {
    const { id, end, connection, began } = this.#ladder;
    const { peer, listener } = connection;
    const way = end === 'server' ? `from ${addressText(peer)}` : `to ${addressText(peer)}`;
    const at = listener === undefined ? '' : ` at ${listener}`;
    const begin = began === undefined ? [] : [`   began ${began.replace('T', ' ').replace(/Z$/, ' UTC')}`];
    return [`session ${id}: ${end}, ${way}${at}`, ...begin]
      .flatMap((line) => wrapped(oneLine(line), WIDTH))
      .map((row) => `${this.#styled(row, 'bold')}\n`)
      .join('');
  }

  /** The rungs that come after those that were written before. */
  text(rungs: readonly Rung[]): string {
    const notes = notesOf(rungs);
    const flights = pipelinedFlights(rungs);
    const brackets = bracketsOf(notes, flights);
    return notes.map((note, index) => this.#rows(note, brackets[index] ?? ' ')).join('');
  }

  #rows({ rung, text, style, continues }: Note, bracket: string): string {
    const time = timeText(rung.time);
    const shown = continues || time === this.#time ? '' : time;
    if (!continues) this.#time = time;
    return wrapped(text, TEXT_WIDTH)
      .map((row, index) => {
        const flight = index === 0 ? bracket : BELOW[bracket];
        const head = (index === 0 ? shown : '').padStart(TIME_WIDTH);
        const gutter = ` ${rung.underTls ? '┃' : ' '}${rung.authenticating ? '┊' : ' '}${flight} `;
        return `${this.#styled(head, 'dim')}${gutter}${this.#styled(row, style)}`.trimEnd().concat('\n');
      })
      .join('');
  }

  #styled(text: string, style: Style): string {
    return !this.#color || text.trim() === '' ? text : `\u001b[${SGR[style]}m${text}\u001b[0m`;
  }
}

/** A bracket in the rows below the first one. */
const BELOW: Readonly<Record<string, string>> = { '┌': '│', '│': '│', '└': ' ', ' ': ' ' };

function notesOf(rungs: readonly Rung[]): readonly Note[] {
  const notes: Note[] = [];
  let states: string[] = [];
  let stepped: Rung | undefined;
  const flush = (): void => {
    if (stepped !== undefined && states.length > 0) {
      notes.push({ rung: stepped, text: `· ${oneLine(states.join(' → '))}`, style: 'dim', continues: true });
    }
    states = [];
  };
  for (const rung of rungs) {
    if (rung.kind === 'state') {
      const text = stepText(rung);
      if (text !== undefined) {
        flush();
        notes.push({ rung, text, style: 'yellow' });
      }
      if (rung.to !== rung.from) states.push(rung.to);
      stepped = rung;
      continue;
    }
    const told = noteOf(rung);
    if (told.length === 0) continue;
    flush();
    notes.push(...told);
  }
  flush();
  return notes;
}

function noteOf(rung: Rung): readonly Note[] {
  switch (rung.kind) {
    case 'line':
      return lineNotes(rung);
    case 'mailData':
      return [{ rung, text: `C: ${mailDataText(rung)}`, style: 'cyan' }];
    case 'tls':
      return [{ rung, text: tlsText(rung), style: 'bold' }];
    case 'decision': {
      const text = decisionText(rung);
      return text === undefined ? [] : [{ rung, text, style: 'bold' }];
    }
    case 'error':
      return [{ rung, text: `! ${oneLine(rung.error.message)}`, style: 'red' }];
    case 'gap':
      return [{ rung, text: gapText(rung), style: 'red' }];
    case 'closed':
      return [{ rung, text: closedText(rung), style: 'bold' }];
    default:
      return [];
  }
}

function lineNotes(rung: LineRung): readonly Note[] {
  const { by, lines, code = 0, reason } = rung;
  const style = by === 'client' ? 'cyan' : code >= 400 ? 'red' : 'green';
  const said = lines.map(
    (line, index): Note => ({
      rung,
      text: `${index > 0 ? '   ' : by === 'client' ? 'C: ' : 'S: '}${oneLine(line)}`,
      style,
      ...(index > 0 && { continues: true }),
    }),
  );
  if (code < 400 || reason === undefined) return said;
  const section = reason.description === undefined ? '' : ` (${reason.description})`;
  return [
    ...said,
    { rung, text: `   ${oneLine(reason.sentence + section)}`, style: 'yellow', continues: true },
  ];
}

/** For each note, what stands in its first row: flights are bracketed from their first command to their last reply. */
function bracketsOf(notes: readonly Note[], flights: ReadonlySet<number>): readonly string[] {
  const places = notes.map(({ rung }) =>
    rung.kind === 'line' && rung.flight !== undefined && flights.has(rung.flight) ? rung.flight : undefined,
  );
  const last = new Map(places.map((flight, index) => [flight, index]));
  const begun = new Set<number>();
  let until = -1;
  return places.map((flight, index) => {
    if (flight !== undefined && !begun.has(flight)) {
      begun.add(flight);
      until = Math.max(until, last.get(flight) ?? index);
      return '┌';
    }
    if (flight !== undefined && last.get(flight) === index) return '└';
    return index < until ? '│' : ' ';
  });
}

function addressText(address: TracedAddress | undefined): string {
  const { address: host, port } = address ?? {};
  if (host === undefined) return 'somebody';
  return port === undefined ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
