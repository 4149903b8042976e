/**
 * Bands: a picture of any chart without a layout engine. Each state is a band: its mark at the left, on a spine; what it
 * does with each event at the right, as a table. Words with guards never stand on lines, and lines never cross words.
 *
 * - From a state to the one below it leads a straight line.
 * - All else runs in lanes: what leads to the same state shares one. Refusals and ways out run at the left, the rest at the right.
 */
import type { StateDescription, TransitionDescription } from '@sansmtp/core/chart';
import { type Arrow, type Form, formOf } from '../form/chart.js';
import { codesOf, sentenceOf, stateTitle, triggerName } from '../form/words.js';
import { type Story, waitsForServer } from '../stories/story.js';
import {
  around,
  client,
  edgeId,
  label,
  type Mark,
  muted,
  type Point,
  type Rect,
  type Run,
  refusal,
  runsWidth,
  type Scene,
  server,
  stateId,
  strong,
  type Weight,
} from '../svg/scene.js';
import { isEnding, rowsOf, type StateRow } from './rows.js';

/** What to draw, and the words above it. */
export interface Bands {
  readonly form: Form;
  readonly story: Story | undefined;
  readonly title: string;
  readonly subtitle: string;
  readonly states: readonly StateDescription[];
  /** The states of the thick line, in order. */
  readonly way: readonly StateDescription[];
  /** Of a state that stands in several pictures, the triggers that belong to this one; by key. */
  readonly only?: Readonly<Record<string, RegExp>>;
}

interface Band {
  /** Several, if they do all the same. */
  readonly states: readonly StateDescription[];
  readonly rows: readonly StateRow[];
  readonly isExit: boolean;
  readonly top: number;
  readonly height: number;
  readonly rect: Rect;
  readonly shape: 'pill' | 'diamond' | 'box' | 'end';
}

const ROW = 18;
const SIZE = 12;
const MARGIN = 26;
const HEAD = 112;
const LANE_STEP = 16;

export function bandsOf(bands: Bands): Scene {
  const { form, story, title, subtitle } = bands;
  const groups = twins(bands.states);
  const rows = new Map(
    bands.states.map((state) => [
      state,
      rowsOf(form, story, state, {
        only: bands.only?.[state.key],
        alone: groups.every((group) => group.length === 1 || !group.includes(state)),
      }),
    ]),
  );
  const exits = exitsOf(bands, groups);
  const lines = linesOf(bands, groups, exits);
  const widest = Math.max(
    40,
    ...[...groups, ...exits].map(([first]) => (first === undefined ? 0 : markWidth(story, first))),
  );
  const sides = lanesOf(lines);
  const words = Math.max(
    40,
    ...lines.filter(({ lane }) => lane !== undefined).map(({ runs }) => runsWidth(runs, SIZE) + 14),
  );
  const reach = Math.max(widest / 2 + words, nameReach(story, groups));
  const spine = MARGIN + 14 + sides.left.length * LANE_STEP + widest / 2 + words;
  const table = spine + reach + sides.right.length * LANE_STEP + 22;

  const marks: Mark[] = [];
  let y = HEAD;
  const placed = [...groups, ...exits].map((states, index): Band => {
    const isExit = index >= groups.length;
    const [first] = states as [StateDescription];
    const own = isExit ? [] : (rows.get(first) ?? []);
    const height = Math.max(own.length * ROW + 14, isExit ? 50 : 62);
    const shape = shapeOf(story, first);
    const rect = around(
      { x: spine, y: y + height / 2 },
      markWidth(story, first),
      shape === 'diamond' ? 26 : shape === 'end' ? 24 : 30 + (states.length - 1) * 15,
    );
    const band = { states, rows: own, isExit, top: y, height, rect, shape };
    y += height + (isExit ? 4 : 10);
    return band;
  });

  const columns = columnsOf(placed, table);
  const width = Math.max(columns.end + MARGIN, 640);
  for (const [index, band] of placed.entries()) drawBand(marks, bands, band, index, width, columns);
  drawHead(marks, title, subtitle, columns, story, width);
  drawLines(marks, lines, placed, sides, spine, widest / 2 + words);
  return { width, height: y + MARGIN - 6, title, description: subtitle, marks };
}

/** A whole chart in bands, for machines that have no layout. */
export function wholeInBands(chart: Parameters<typeof formOf>[0], story: Story | undefined): Scene {
  const form = formOf(chart);
  const states = form.states.filter((state) => state.states.length === 0 || state.transitions.length > 0);
  return bandsOf({
    form,
    story,
    title: chart.id,
    subtitle: 'Each state, and what it does with each event, in order of trial.',
    states,
    way: [],
  });
}

/** States that do the same, whatever they do on entry, share a band. */
function twins(states: readonly StateDescription[]): StateDescription[][] {
  const groups = new Map<string, StateDescription[]>();
  for (const state of states) {
    const key =
      state.kind === 'atomic' && state.transitions.length > 2
        ? JSON.stringify(state.transitions.map((each) => [triggerName(each), each.guard, each.target]))
        : state.path;
    groups.set(key, [...(groups.get(key) ?? []), state]);
  }
  return [...groups.values()];
}

/** Where the phase leads: states of the dialogue that stand in no band, and its first one if it comes back to that. */
function exitsOf(
  { form, story, states, only }: Bands,
  groups: readonly (readonly StateDescription[])[],
): StateDescription[][] {
  const exits = new Set<StateDescription>();
  for (const [first] of groups) {
    if (first === undefined || first.states.length > 0) continue;
    const pattern = only?.[first.key];
    const leaving = form.arrows.filter(
      ({ source, target, transition }) =>
        source === first &&
        target !== undefined &&
        target !== source &&
        transition.trigger.kind === 'event' &&
        !isEnding(form, target.path) &&
        (pattern === undefined || pattern.test(triggerName(transition))),
    );
    const lost = scattered(story, leaving);
    for (const arrow of leaving) {
      const { target } = arrow;
      if (target === undefined || lost.includes(arrow)) continue;
      if (
        !states.includes(target) ||
        (target === states[0] && first !== states[0] && states[0].states.length === 0)
      )
        exits.add(target);
    }
  }
  return [...exits].map((state) => [state]);
}

interface Line {
  readonly arrows: readonly Arrow[];
  readonly from: number;
  readonly to: number;
  readonly weight: Weight;
  readonly runs: readonly Run[];
  /** Undefined: straight down. */
  readonly lane: 'left' | 'right' | undefined;
}

/** Which lines there are: one from each band to each other, for what turns back and for what leads on. */
function linesOf(
  { form, story, states, way, only }: Bands,
  groups: readonly (readonly StateDescription[])[],
  exits: readonly (readonly StateDescription[])[],
): Line[] {
  const all = [...groups, ...exits];
  const bandOf = (state: StateDescription, from: number): number => {
    const exit = exits.findIndex((band) => band.includes(state));
    if (exit >= 0 && (from > 0 || !states.includes(state))) return groups.length + exit;
    return all.findIndex((band) => band.includes(state));
  };
  const found = new Map<string, { arrows: Arrow[]; from: number; to: number; no: boolean }>();
  groups.forEach((band, from) => {
    const [state] = band;
    if (state === undefined) return;
    const pattern = only?.[state.key];
    const leaving = form.arrows.filter(
      ({ source, target, transition }) =>
        band.includes(source) &&
        target !== undefined &&
        target !== state &&
        transition.trigger.kind === 'event' &&
        (pattern === undefined || pattern.test(triggerName(transition))),
    );
    const lost = scattered(story, leaving);
    for (const arrow of leaving) {
      if (lost.includes(arrow)) continue;
      const to = bandOf(arrow.target as StateDescription, from);
      // A composite has a line only to the band below it: it stands in many places.
      if (to < 0 || to === from || (state.states.length > 0 && to !== from + 1)) continue;
      const no = story?.foldsQuestions === true && isNo(story, arrow);
      const key = `${from} ${to} ${no}`;
      const line = found.get(key) ?? { arrows: [], from, to, no };
      line.arrows.push(arrow);
      found.set(key, line);
    }
  });
  return [...found.values()].map(({ arrows, from, to, no }) => {
    const isMain = !no && isOnWay(way, all[from] ?? [], all[to] ?? []);
    // A client goes by the reply, and what turns back may turn there by a success too.
    const turns = no || (!isMain && story !== undefined && arrows.some((arrow) => isNo(story, arrow)));
    const weight = turns ? ('refusal' as const) : isMain ? ('main' as const) : ('optional' as const);
    const straight = to === from + 1 && !turns;
    const lane = straight
      ? undefined
      : turns || (to >= groups.length && !isMain)
        ? ('left' as const)
        : ('right' as const);
    return { arrows, from, to, weight, runs: runsOf(story, arrows, turns), lane };
  });
}

/** Refusals that lead back to wherever the dialogue stood: four lines and more would say less than the rows do. */
function scattered(story: Story | undefined, leaving: readonly Arrow[]): readonly Arrow[] {
  const back = leaving.filter(({ target }) => target !== undefined && target.deadlines.length > 0);
  const byTrigger = new Map<string, Arrow[]>();
  for (const arrow of back) {
    const name = triggerName(arrow.transition);
    byTrigger.set(name, [...(byTrigger.get(name) ?? []), arrow]);
  }
  return story?.foldsQuestions
    ? [...byTrigger.values()]
        .filter(
          (all) =>
            all.length > 3 &&
            all.every(({ transition }) => transition.description === all[0]?.transition.description),
        )
        .flat()
    : [];
}

function isNo(story: Story, { transition }: Arrow): boolean {
  const codes = codesOf(transition);
  return (
    story.refusals.includes(triggerName(transition)) ||
    (story.foldsQuestions && codes.length > 0 && codes.every((code) => /^[45]/.test(code)))
  );
}

function isOnWay(
  way: readonly StateDescription[],
  from: readonly StateDescription[],
  to: readonly StateDescription[],
): boolean {
  const [first, last] = [
    way.findIndex((state) => from.includes(state)),
    way.findIndex((state) => to.includes(state)),
  ];
  if (first < 0 || last < 0) return false;
  return last === first + 1 || (first === way.length - 1 && last < first);
}

/** At a line only the words of the wire: the table has the rest. */
function runsOf(story: Story | undefined, arrows: readonly Arrow[], no: boolean): Run[] {
  if (story === undefined) return [];
  const codes = [...new Set(arrows.flatMap(({ transition }) => codesOf(transition)))];
  if (no) return codes.length === 0 ? [] : [refusal(codes.slice(0, 2).join(' '))];
  if (!story.foldsQuestions) {
    const command = arrows.at(-1)?.target?.commands?.[0];
    return command === undefined ? codes.slice(0, 1).map(server) : [client(command)];
  }
  const commands = [...new Set(arrows.flatMap(({ transition }) => transition.commands ?? []))];
  if (commands.length > 0) return [client(commands.slice(0, 2).join(' '))];
  return codes.slice(0, 1).map(server);
}

interface Lane {
  readonly to: number;
  readonly weight: Weight;
  readonly lines: readonly Line[];
  readonly top: number;
  readonly bottom: number;
}

/** One lane for each target; short ones lie inside. */
function lanesOf(lines: readonly Line[]): { left: readonly Lane[][]; right: readonly Lane[][] } {
  const sideOf = (side: 'left' | 'right'): Lane[][] => {
    const byTarget = new Map<string, Line[]>();
    for (const line of lines.filter(({ lane }) => lane === side)) {
      const key = `${line.to} ${line.weight}`;
      byTarget.set(key, [...(byTarget.get(key) ?? []), line]);
    }
    const lanes = [...byTarget.values()]
      .map((each): Lane => {
        const ends = each.flatMap(({ from, to }) => [from, to]);
        return {
          to: each[0]?.to ?? 0,
          weight: each[0]?.weight ?? 'optional',
          lines: each,
          top: Math.min(...ends),
          bottom: Math.max(...ends),
        };
      })
      .sort((a, b) => a.bottom - a.top - (b.bottom - b.top) || a.top - b.top);
    const columns: Lane[][] = [];
    for (const lane of lanes) {
      const free = columns.find((column) =>
        column.every(({ top, bottom }) => bottom < lane.top || top > lane.bottom),
      );
      if (free === undefined) columns.push([lane]);
      else free.push(lane);
    }
    return columns;
  };
  return { left: sideOf('left'), right: sideOf('right') };
}

function shapeOf(story: Story | undefined, state: StateDescription): Band['shape'] {
  if (state.kind === 'final') return 'end';
  if (state.states.length > 0) return 'box';
  return story?.foldsQuestions && waitsForServer(story, state) ? 'diamond' : 'pill';
}

function nameOf(state: StateDescription): string {
  if (state.states.length === 0) return state.key;
  return `any state of ${state.key}`;
}

function markWidth(story: Story | undefined, state: StateDescription): number {
  const shape = shapeOf(story, state);
  if (shape === 'diamond') return 26;
  if (shape === 'end') return 24;
  return runsWidth([strong(nameOf(state))], 13) + 26;
}

/** The names of diamonds stand beside them. */
function nameReach(story: Story | undefined, groups: readonly (readonly StateDescription[])[]): number {
  const beside = groups.flat().filter((state) => ['diamond', 'end'].includes(shapeOf(story, state)));
  return Math.max(0, ...beside.map(({ key }) => 20 + runsWidth([muted(key)], SIZE) + 8));
}

interface Columns {
  readonly on: number;
  readonly guard: number;
  readonly said: number;
  readonly then: number;
  readonly source: number;
  readonly end: number;
}

const COLUMNS = ['on', 'guard', 'said', 'then', 'source'] as const;

function columnsOf(placed: readonly Band[], left: number): Columns {
  let x = left;
  const starts = COLUMNS.map((name) => {
    const begin = x;
    const widths = placed.flatMap(({ rows }) => rows.map((row) => runsWidth(row[name], SIZE)));
    x += Math.max(34, ...widths) + 18;
    return begin;
  });
  const [on = 0, guard = 0, said = 0, then = 0, source = 0] = starts;
  return { on, guard, said, then, source, end: x - 18 };
}

function drawHead(
  marks: Mark[],
  title: string,
  subtitle: string,
  columns: Columns,
  story: Story | undefined,
  width: number,
): void {
  marks.push(label('title', [strong(title)], { x: MARGIN, y: 38 }, { size: 20, role: 'title' }));
  marks.push(label('title', [muted(subtitle)], { x: MARGIN, y: 60 }, { size: 13 }));
  const said = story === undefined ? 'does' : story.foldsQuestions ? 'reply' : 'we say';
  const heads = ['on', 'only if', said, 'then', story === undefined ? 'why' : 'RFC'];
  COLUMNS.forEach((name, index) => {
    marks.push(
      label('head', [muted(heads[index] ?? '')], { x: columns[name], y: HEAD - 12 }, { size: SIZE }),
    );
  });
  if (story !== undefined) drawKey(marks, story, width - MARGIN);
}

/** What the marks mean, at the right above the table. */
function drawKey(marks: Mark[], story: Story, right: number): void {
  const folded = story.foldsQuestions;
  const parts = [
    {
      shape: 'pill' as const,
      tone: 'client' as const,
      width: 30,
      text: folded ? 'waits for the client' : 'waits for us',
    },
    {
      shape: folded ? ('diamond' as const) : ('pill' as const),
      tone: 'server' as const,
      width: folded ? 18 : 30,
      text: folded ? 'waits for us' : 'waits for the reply',
    },
  ];
  let x =
    right - parts.reduce((sum, part) => sum + part.width + runsWidth([muted(part.text)], SIZE) + 24, 0) + 16;
  for (const { shape, tone, width, text } of parts) {
    marks.push({
      kind: 'node',
      id: 'key',
      shape,
      tone,
      rect: { x, y: 24, width, height: 18 },
      states: [],
      title: '',
    });
    marks.push(label('key', [muted(text)], { x: x + width + 8, y: 37 }, { size: SIZE }));
    x += width + runsWidth([muted(text)], SIZE) + 24;
  }
}

function drawBand(
  marks: Mark[],
  { form, story }: Bands,
  band: Band,
  index: number,
  width: number,
  columns: Columns,
): void {
  const { states, rows, isExit, top, height, rect, shape } = band;
  const [first] = states as [StateDescription];
  if (!isExit && index % 2 === 0) {
    marks.push({
      kind: 'panel',
      id: `band-${index}`,
      look: 'band',
      rect: { x: MARGIN - 8, y: top, width: width - 2 * MARGIN + 16, height },
    });
  }
  const id = isExit ? `exit-${stateId(first.path)}` : stateId(first.path);
  const tone =
    shape === 'box' || shape === 'end' || isEnding(form, first.path === '' ? '' : first.path)
      ? 'ink'
      : story === undefined
        ? 'client'
        : waitsForServer(story, first)
          ? 'server'
          : 'client';
  marks.push({
    kind: 'node',
    id,
    shape: shape === 'end' ? 'end' : shape,
    tone,
    rect,
    states: isExit ? [] : states.map(({ path }) => path),
    title: states.map(stateTitle).join('\n'),
  });
  const at = { x: rect.x + rect.width / 2, y: rect.y + rect.height / 2 };
  if (shape === 'diamond' || shape === 'end') {
    states.forEach((state, place) => {
      marks.push(
        label(
          id,
          [{ text: state.key, tone: shape === 'end' ? 'muted' : 'server' }],
          { x: at.x + 13, y: at.y - 13 - place * 15 },
          { size: SIZE },
        ),
      );
    });
  } else {
    states.forEach((state, place) => {
      const y = at.y + (place - (states.length - 1) / 2) * 15 + 4.5;
      marks.push(label(id, [strong(nameOf(state))], { x: at.x, y }, { size: 13, anchor: 'middle' }));
    });
  }
  const begin = top + (height - rows.length * ROW) / 2;
  rows.forEach((row, place) => {
    const y = begin + place * ROW + 14;
    const all = ofTwins(states, row.transitions);
    const rowId = `row-${stateId(first.path)}-${place}`;
    marks.push({
      kind: 'row',
      id: rowId,
      rect: { x: columns.on - 6, y: y - 14, width: columns.end - columns.on + 12, height: ROW },
      transitions: all.map(({ id: transition }) => transition),
      title: form.arrows
        .filter(({ transition }) => all.includes(transition))
        .map(sentenceOf)
        .join('\n'),
    });
    for (const name of COLUMNS) {
      if (row[name].length > 0 && runsWidth(row[name], SIZE) > 0)
        marks.push(label(rowId, row[name], { x: columns[name], y }, { size: SIZE }));
    }
  });
}

/** The same transitions in each of the states that share the band. */
function ofTwins(
  [first, ...others]: readonly StateDescription[],
  transitions: readonly TransitionDescription[],
): readonly TransitionDescription[] {
  return transitions.flatMap((transition) => {
    const place = first?.transitions.indexOf(transition) ?? -1;
    return [transition, ...others.flatMap((twin) => twin.transitions[place] ?? [])];
  });
}

function drawLines(
  marks: Mark[],
  lines: readonly Line[],
  placed: readonly Band[],
  sides: { left: readonly Lane[][]; right: readonly Lane[][] },
  spine: number,
  reach: number,
): void {
  const ids = new Set<string>();
  const push = (line: Line, points: readonly Point[]): string => {
    const [from, to] = [placed[line.from] as Band, placed[line.to] as Band];
    const wanted = edgeId(from.states[0]?.path ?? '', to.states[0]?.path ?? '');
    let id = wanted;
    for (let number = 2; ids.has(id); number += 1) id = `${wanted}-${number}`;
    ids.add(id);
    marks.push({
      kind: 'edge',
      id,
      weight: line.weight,
      points,
      arrow: true,
      transitions: line.arrows.map(({ transition }) => transition.id),
      title: line.arrows.map(sentenceOf).join('\n'),
      ends: [markId(from), markId(to)],
    });
    return id;
  };
  for (const line of lines.filter(({ lane }) => lane === undefined)) {
    const [from, to] = [placed[line.from] as Band, placed[line.to] as Band];
    const id = push(line, [
      { x: spine, y: from.rect.y + from.rect.height },
      { x: spine, y: to.rect.y },
    ]);
    const y = (from.rect.y + from.rect.height + to.rect.y) / 2 + 4;
    if (line.runs.length > 0)
      marks.push(label(id, line.runs, { x: spine - 9, y }, { size: SIZE, anchor: 'end' }));
  }
  for (const side of ['left', 'right'] as const) {
    const sign = side === 'left' ? -1 : 1;
    const ports = portsOf(sides[side].flat());
    const said = new Map<number, { id: string; runs: readonly Run[] }>();
    sides[side].forEach((column, index) => {
      const x = spine + sign * (reach + index * LANE_STEP);
      for (const lane of column) {
        for (const line of lane.lines) {
          const [from, to] = [placed[line.from] as Band, placed[line.to] as Band];
          const [y0, y1] = [portY(from, ports, line.from, lane), portY(to, ports, line.to, lane)];
          const points = [
            { x: sideX(from, sign, y0), y: y0 },
            { x, y: y0 },
            { x, y: y1 },
            { x: sideX(to, sign, y1), y: y1 },
          ];
          const id = push(line, points);
          const known = said.get(line.from);
          if (line.runs.length === 0) continue;
          said.set(line.from, { id: known?.id ?? id, runs: joined(known?.runs ?? [], line.runs) });
        }
      }
    });
    // One label for all that leaves a band at a side: above the lines at the left, below them at the right.
    for (const [index, { id, runs }] of said) {
      const band = placed[index] as Band;
      const ys = (ports.get(index) ?? []).map((lane) => portY(band, ports, index, lane));
      const y = side === 'left' ? Math.min(...ys) - 5 : Math.max(...ys) + 14;
      const x = band.rect.x + band.rect.width / 2 + sign * (band.rect.width / 2 + 6);
      marks.push(label(id, runs, { x, y }, { size: SIZE, anchor: side === 'left' ? 'end' : 'start' }));
    }
  }
}

/** Both, without what the first says already. */
function joined(runs: readonly Run[], more: readonly Run[]): readonly Run[] {
  const known = runs.map(({ text }) => text);
  const added = more.filter(({ text }) => !known.includes(text));
  if (runs.length === 0) return more;
  return added.length === 0 || runs.length > 3
    ? runs
    : [...runs, { text: ' ', tone: 'muted', mono: true }, ...added];
}

const markId = ({ states, isExit }: Band): string =>
  `${isExit ? 'exit-' : ''}${stateId(states[0]?.path ?? '')}`;

/** Which lanes touch a band, from above to below, so that each has a place of its own at its side. */
function portsOf(lanes: readonly Lane[]): ReadonlyMap<number, readonly Lane[]> {
  const ports = new Map<number, Lane[]>();
  const add = (band: number, lane: Lane) => {
    const known = ports.get(band) ?? [];
    if (!known.includes(lane)) ports.set(band, [...known, lane]);
  };
  for (const lane of lanes) {
    add(lane.to, lane);
    for (const { from } of lane.lines) add(from, lane);
  }
  for (const [band, known] of ports) {
    // Those that go up leave above those that go down.
    ports.set(
      band,
      [...known].sort((a, b) => a.top + a.bottom - (b.top + b.bottom)),
    );
  }
  return ports;
}

function portY(
  { rect }: Band,
  ports: ReadonlyMap<number, readonly Lane[]>,
  band: number,
  lane: Lane,
): number {
  const known = ports.get(band) ?? [lane];
  const step = Math.min(9, (rect.height - 8) / Math.max(1, known.length));
  return rect.y + rect.height / 2 + (known.indexOf(lane) - (known.length - 1) / 2) * step;
}

/** Where a line at this height meets the mark. */
function sideX({ rect, shape }: Band, sign: number, y: number): number {
  const middle = rect.x + rect.width / 2;
  if (shape !== 'diamond' && shape !== 'end') return middle + (sign * rect.width) / 2;
  const off = Math.abs(y - (rect.y + rect.height / 2));
  const half = shape === 'diamond' ? rect.width / 2 - off : Math.sqrt((rect.width / 2) ** 2 - off ** 2);
  return middle + sign * half;
}
