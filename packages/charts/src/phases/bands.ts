/**
 * Bands: a picture of any chart without a layout engine. Each state is a band: its mark at the left, on a spine; what it
 * does with each event at the right, as a table. Words with guards never stand on lines, and lines never cross words.
 *
 * - From a state to the one below it leads a straight line.
 * - All else runs in lanes: what leads to the same state shares one. Refusals and ways out run at the left, the rest at the right.
 */
import type { ChartDescription, StateDescription } from '@sansmtp/core/chart';
import { type Form, formOf } from '../form/chart.js';
import { sentenceOf, stateTitle, triggerName } from '../form/words.js';
import { type Story, waitsForServer } from '../stories/story.js';
import { around, label, type Mark, runsWidth, type Scene, stateId, strong } from '../svg/scene.js';
import { type Band, isNamedBeside, markWidth, nameOf, nameReach, shapeOf } from './band-marks.js';
import { drawLines } from './draw-lines.js';
import { exitsOf, lanesOf, linesOf, portsOf } from './lines.js';
import { HEAD, LANE_STEP, MARGIN, PORT_STEP, ROW, SIZE } from './measures.js';
import { isEnding, rowsOf } from './rows.js';
import { saidAt, saidWidth } from './said.js';
import { COLUMNS, type Columns, columnsOf, drawHead } from './table.js';

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

export function bandsOf(bands: Bands): Scene {
  const { form, story, title, subtitle } = bands;
  const groups = twins(bands.states);
  const rows = new Map(
    groups.flatMap((group) => {
      const [first] = group;
      return first === undefined
        ? []
        : [[first, rowsOf(form, story, group, bands.only?.[first.key])] as const];
    }),
  );
  const exits = exitsOf(bands, groups);
  const lines = linesOf(bands, groups, exits);
  const all = [...groups, ...exits];
  const widest = Math.max(40, ...all.map(([first]) => (first === undefined ? 0 : markWidth(story, first))));
  const sides = lanesOf(lines);
  const said = {
    left: saidAt(sides.left.flat(), () => false),
    right: saidAt(
      sides.right.flat(),
      (band) => all[band]?.some((state) => isNamedBeside(story, state)) ?? false,
    ),
  };
  const reach = {
    left: widest / 2 + saidWidth(said.left),
    right: Math.max(widest / 2 + saidWidth(said.right), nameReach(story, groups)),
  };
  const spine = MARGIN + 14 + sides.left.length * LANE_STEP + reach.left;
  const table = spine + reach.right + sides.right.length * LANE_STEP + 22;

  const ports = [portsOf(sides.left.flat()), portsOf(sides.right.flat())];
  const marks: Mark[] = [];
  let y = HEAD;
  const placed = all.map((states, index): Band => {
    const isExit = index >= groups.length;
    const [first] = states as [StateDescription];
    const own = isExit ? [] : (rows.get(first) ?? []);
    const height = Math.max(own.length * ROW + 14, isExit ? 50 : 62);
    const shape = shapeOf(story, first);
    const touching = Math.max(...ports.map((each) => each.get(index)?.length ?? 0));
    const pill = Math.max(30 + (states.length - 1) * 15, touching * PORT_STEP + 6);
    const rect = around(
      { x: spine, y: y + height / 2 },
      markWidth(story, first),
      shape === 'diamond' ? 26 : shape === 'end' ? 24 : pill,
    );
    const band = { states, rows: own, isExit, top: y, height, rect, shape };
    y += height + (isExit ? 4 : 10);
    return band;
  });

  const columns = columnsOf(placed, table);
  const width = Math.max(columns.end + MARGIN, 640);
  for (const [index, band] of placed.entries()) drawBand(marks, bands, band, index, width, columns);
  drawHead(marks, title, subtitle, columns, story, width);
  drawLines(marks, lines, placed, sides, said, spine, reach);
  return { width, height: y + MARGIN - 6, title, description: subtitle, marks };
}

/** A whole chart in bands, for machines that have no layout. */
export function wholeInBands(chart: ChartDescription, story: Story | undefined): Scene {
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
    const rowId = `row-${stateId(first.path)}-${place}`;
    marks.push({
      kind: 'row',
      id: rowId,
      rect: { x: columns.on - 6, y: y - 14, width: columns.end - columns.on + 12, height: ROW },
      transitions: row.transitions.map(({ id: transition }) => transition),
      title: form.arrows
        .filter(({ transition }) => row.transitions.includes(transition))
        .map(sentenceOf)
        .join('\n'),
    });
    for (const name of COLUMNS) {
      if (row[name].length > 0 && runsWidth(row[name], SIZE) > 0)
        marks.push(label(rowId, row[name], { x: columns[name], y }, { size: SIZE }));
    }
  });
}
