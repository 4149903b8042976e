/** The mail transaction: the loop from the hub round a rectangle and home, with the rail of refusals through its middle. */
import type { StateDescription } from '@sansmtp/core/chart';
import { lineageOf } from '../form/chart.js';
import { sentenceOf } from '../form/words.js';
import {
  centre,
  muted,
  type Point,
  type Run,
  refusal,
  runsWidth,
  server,
  stateId,
  strong,
} from '../svg/scene.js';
import { HUB, twinsOf, wordFor } from './column.js';
import { CAPTION_SIZE, type Placed, type Sketch, type Station } from './sketch.js';
import { type Alternative, isRefusal, type Way } from './way.js';

const PANEL = { x: 284, y: 146, width: 688, height: 416 };
const TOP = 222;
const RAIL = HUB.y;
const BOTTOM = 452;
const RIGHT = 866;
const OUTSIDE = 940;
const BELOW = 520;
const HOME = 260;
const SIZE = 13;

export function drawLoop(sketch: Sketch, way: Way, hub: Placed): void {
  const composite = lineageOf(way.loop[0]?.path ?? '')[1] ?? '';
  sketch.marks.push({
    kind: 'panel',
    id: stateId(composite),
    look: 'composite',
    rect: PANEL,
    ...(composite !== '' && { state: composite }),
    title: composite,
  });
  sketch.words(
    stateId(composite),
    [strong('Mail transaction')],
    { x: PANEL.x + 16, y: PANEL.y + 24 },
    { size: 14, role: 'title' },
  );

  const lane = way.alternatives.find(
    ({ composite: inner, from }) => inner === undefined && way.loop.includes(from),
  );
  const twinOf = (state: StateDescription): readonly StateDescription[] => [
    ...(lane?.states ?? []).filter((other) => sameQuestion(other, state)),
    ...twinsOf(sketch, way, state).twins,
  ];
  const stations = way.loop.map((state) => sketch.station(state, { twins: twinOf(state) }));
  const placed = placeAll(sketch, stations, hub);

  [hub, ...placed, hub].reduce((from, to) => {
    const points = loopPoints(from, to, hub);
    // A client goes on whatever the last reply was, as long as one before it was a yes.
    const also = sketch.story.foldsQuestions ? [] : sketch.arrowsBetween(from, to, true);
    const id = sketch.edge(from, to, points, { weight: 'main', also });
    labelAlong(
      sketch,
      id,
      [...sketch.said(from, to, wordFor(sketch, from, to)), ...sketch.caption(from, to)],
      points,
      from,
      to,
    );
    return to;
  });
  drawRail(sketch, way, placed, hub);
  drawArcs(sketch, placed);
  if (lane !== undefined) drawOutside(sketch, lane, placed, way.rail[0]);
  for (const station of placed) captionBelow(sketch, station);
}

const questionOf = ({ entry }: StateDescription): unknown =>
  entry.find(({ name }) => name === 'ask')?.params?.question;
const sameQuestion = (a: StateDescription, b: StateDescription): boolean =>
  questionOf(a) !== undefined && questionOf(a) === questionOf(b);

/** Three at the right and below; all before them on top, with room for what is said between them. */
function placeAll(sketch: Sketch, stations: readonly Station[], hub: Placed): Placed[] {
  const top = stations.slice(0, -3);
  const [right, corner, bottom] = stations.slice(-3);
  const begin = PANEL.x + 8;
  const chain = [hub as Station, ...top, right as Station];
  const needs = chain.slice(1).map((to, index) => {
    const from = chain[index] as Station;
    return (
      runsWidth([...sketch.said(from, to, wordFor(sketch, from, to)), ...sketch.caption(from, to)], SIZE) + 26
    );
  });
  const taken = top.reduce((sum, { width }) => sum + width, 0) + needs.reduce((sum, need) => sum + need, 0);
  const spare = Math.max(0, RIGHT - begin - taken) / needs.length;
  let x = begin;
  const placed = top.map((station, index) => {
    x += (needs[index] ?? 0) + spare + station.width / 2;
    const at = sketch.place(station, x, TOP);
    x += station.width / 2;
    return at;
  });
  placed.push(sketch.place(right as Station, RIGHT, RAIL));
  placed.push(sketch.place(corner as Station, RIGHT, BOTTOM));
  placed.push(sketch.place(bottom as Station, sketch.story.foldsQuestions ? 590 : 500, BOTTOM));
  return placed;
}

function loopPoints(from: Placed, to: Placed, hub: Placed): Point[] {
  if (from.id === hub.id) {
    const y = HUB.y - 20;
    return [
      { x: HUB.right, y },
      { x: HOME, y },
      { x: HOME, y: TOP },
      { x: to.rect.x, y: TOP },
    ];
  }
  if (to.id === hub.id) {
    const y = HUB.y + 20;
    return [
      { x: from.rect.x, y: BOTTOM },
      { x: HOME, y: BOTTOM },
      { x: HOME, y },
      { x: HUB.right, y },
    ];
  }
  if (from.y === TOP && to.y === TOP) return [right(from), left(to)];
  if (from.y === TOP) return [right(from), { x: RIGHT, y: TOP }, { x: RIGHT, y: to.rect.y }];
  if (to.y === BOTTOM && from.y === RAIL)
    return [
      { x: RIGHT, y: from.rect.y + from.height },
      { x: RIGHT, y: to.rect.y },
    ];
  return [left(from), right(to)];
}

const left = ({ rect }: Placed): Point => ({ x: rect.x, y: centre(rect).y });
const right = ({ rect }: Placed): Point => ({ x: rect.x + rect.width, y: centre(rect).y });

/** Above the middle of the horizontal piece, or left of the vertical one. */
function labelAlong(
  sketch: Sketch,
  id: string,
  runs: readonly Run[],
  points: readonly Point[],
  from: Placed,
  to: Placed,
): void {
  const [first, second] = points;
  if (first === undefined || second === undefined || runs.length === 0) return;
  if (first.x === second.x) {
    sketch.words(id, runs, { x: first.x - 12, y: (first.y + second.y) / 2 + 5 }, { anchor: 'end' });
    return;
  }
  const isHomeward = from.y === BOTTOM && to.y !== BOTTOM;
  const [a, b] =
    points.length === 4 && !isHomeward
      ? [PANEL.x + 2, to.rect.x - 12]
      : isHomeward
        ? [PANEL.x, from.rect.x]
        : [
            Math.min(first.x, second.x),
            Math.max(first.x, second.x) - (first.x < second.x && points.length === 2 ? 8 : 0),
          ];
  sketch.words(
    id,
    runs,
    { x: (a + b) / 2, y: first.y === second.y && points.length === 4 && !isHomeward ? TOP - 9 : first.y - 9 },
    { anchor: 'middle' },
  );
}

function captionBelow(sketch: Sketch, station: Placed): void {
  const caption = sketch.story.captions[station.states[0]?.key ?? ''];
  if (caption === undefined) return;
  const y = station.rect.y + station.height + 15;
  // Right of a line that comes in from below.
  const lines = sketch.marks.flatMap((mark) => (mark.kind === 'edge' ? mark.points : []));
  const incoming = lines.filter(
    (point) => point.y === y - 15 && Math.abs(point.x - station.x) < station.width / 2,
  );
  const x = Math.max(...incoming.map((point) => point.x));
  if (incoming.length === 0)
    sketch.words(station.id, [muted(caption)], { x: station.x, y }, { size: CAPTION_SIZE, anchor: 'middle' });
  else sketch.words(station.id, [muted(caption)], { x: x + 9, y }, { size: CAPTION_SIZE });
}

/** From the right to the hub; what is refused above or below falls onto it. */
function drawRail(sketch: Sketch, way: Way, placed: readonly Placed[], hub: Placed): void {
  const top = placed.slice(0, -3);
  const [initiating, , committing] = placed.slice(-3) as [Placed, Placed, Placed];
  const [resetting] = way.rail;
  const weight = 'refusal' as const;
  const drop = top.find(
    (station) =>
      resetting !== undefined &&
      sketch.form
        .arrowsFrom(station.states[0] as never)
        .some(({ target, source }) => target === resetting && source === station.states[0]),
  );
  const stop =
    resetting === undefined
      ? undefined
      : sketch.place(sketch.station(resetting, { folded: false }), drop?.x ?? 640, RAIL);
  const end = stop ?? hub;

  const toEnd = sketch.arrowsBetween(initiating, hub, true);
  const rail = sketch.edge(initiating, end, [left(initiating), right(end)], {
    weight,
    also: stop === undefined ? resets(sketch, hub) : toEnd,
  });
  const railCodes = sketch
    .said(initiating, stop ?? hub, { refusing: true })
    .filter(({ tone }) => tone === 'muted')
    .slice(0, 1);
  sketch.words(rail, railCodes, { x: initiating.rect.x - 8, y: RAIL - 8 }, { anchor: 'end' });
  if (stop !== undefined && drop !== undefined) {
    const fall = sketch.edge(
      drop,
      stop,
      [
        { x: drop.x, y: drop.rect.y + drop.height },
        { x: drop.x, y: stop.rect.y },
      ],
      { weight, also: sketch.arrowsBetween(drop, stop, false) },
    );
    sketch.words(
      fall,
      [muted('nobody accepted')],
      { x: drop.x - 8, y: TOP + 62 },
      { size: CAPTION_SIZE, anchor: 'end' },
    );
    const back = sketch.edge(stop, hub, [left(stop), { x: HUB.right, y: RAIL }], {
      weight,
      also: [
        ...sketch.arrowsBetween(stop, hub, false),
        ...sketch.arrowsBetween(drop, hub, true),
        ...sketch.arrowsBetween(drop, hub, false),
      ],
    });
    sketch.words(back, [server('250')], { x: stop.rect.x - 8, y: RAIL - 8 }, { anchor: 'end' });
    sketch.words(back, [muted(sketch.story.rail)], { x: PANEL.x + 12, y: RAIL - 8 }, { size: CAPTION_SIZE });
  } else {
    sketch.words(
      rail,
      [
        muted('refused, or '),
        { text: 'RSET', tone: 'client', mono: true, bold: true },
        muted(' '),
        server('250'),
        muted(`: ${sketch.story.rail}`),
      ],
      { x: (top[0]?.x ?? 0) + 14, y: RAIL - 8 },
    );
  }
  for (const station of top) {
    if (station === drop || sketch.arrowsBetween(station, hub, true).length === 0) continue;
    const id = sketch.edge(
      station,
      hub,
      [
        { x: station.x, y: station.rect.y + station.height },
        { x: station.x, y: RAIL },
      ],
      { weight, arrow: false },
    );
    sketch.words(id, refusalCodes(sketch, station, hub), { x: station.x + 8, y: TOP + 40 });
  }
  const rise = sketch.edge(
    committing,
    hub,
    [
      { x: committing.x, y: committing.rect.y },
      { x: committing.x, y: RAIL },
    ],
    {
      weight,
      arrow: false,
      also: flaws(sketch, placed, hub),
    },
  );
  const codes = [
    ...new Set(
      [
        ...refusalCodes(sketch, committing, hub),
        ...flaws(sketch, placed, hub).flatMap(({ transition }) =>
          (transition.replies ?? []).map(({ code }) => refusal(code)),
        ),
      ].flatMap(({ text }) => text.split(' ')),
    ),
  ].sort();
  sketch.words(rise, [refusal(codes.join(' '))], { x: committing.x + 8, y: BOTTOM - 34 });
}

const refusalCodes = (sketch: Sketch, from: Station, to: Station): Run[] =>
  sketch.said(from, to, { refusing: true }).filter(({ tone, mono }) => tone === 'muted' && mono === true);

/** RSET in each state of the transaction. */
function resets(sketch: Sketch, hub: Placed) {
  return sketch.form.arrows.filter(
    ({ transition, target }) => target === hub.states[0] && (transition.commands ?? []).includes('RSET'),
  );
}

/** What is wrong with a message once it is there leads back from the state that received it. */
function flaws(sketch: Sketch, placed: readonly Placed[], hub: Placed) {
  return sketch.form.arrows.filter(
    (arrow) =>
      arrow.target === hub.states[0] &&
      arrow.transition.guard !== undefined &&
      !isRefusal(sketch.story, arrow) &&
      /^endOf/.test(arrow.transition.trigger.kind === 'event' ? arrow.transition.trigger.type : '') &&
      placed.length > 0,
  );
}

/** Between two stations of the top row: back above them, refused and forward below. */
function drawArcs(sketch: Sketch, placed: readonly Placed[]): void {
  const top = placed.slice(0, -3);
  for (const from of top) {
    for (const to of top) {
      const isBack = to.x <= from.x;
      const on = sketch.arrowsBetween(from, to, false);
      const no = sketch.arrowsBetween(from, to, true);
      if (isBack && on.length > 0)
        arcAbove(sketch, from, to, 'optional', sketch.said(from, to, wordFor(sketch, from, to)));
      if (isBack && from !== to && no.length > 0)
        arcAbove(sketch, from, to, 'refusal', refusalCodes(sketch, from, to));
      if (!isBack && no.length > 0 && from.shape === 'diamond')
        arcBelow(sketch, from, to, refusalCodes(sketch, from, to));
    }
  }
}

function arcAbove(
  sketch: Sketch,
  from: Placed,
  to: Placed,
  weight: 'optional' | 'refusal',
  runs: readonly Run[],
): void {
  const y = TOP - 42;
  const isSelf = from.id === to.id;
  const begin = isSelf ? from.x - 4 : weight === 'refusal' ? from.x - 7 : from.x;
  const end = isSelf ? from.x - from.width / 2 + 12 : to.shape === 'diamond' ? to.x + 7 : to.x;
  const fromY = weight === 'refusal' && from.shape === 'diamond' ? from.rect.y + 7 : from.rect.y;
  const toY = to.shape === 'diamond' ? to.rect.y + 7 : to.rect.y;
  const id = sketch.edge(
    from,
    to,
    [
      { x: begin, y: fromY },
      { x: begin, y },
      { x: end, y },
      { x: end, y: toY },
    ],
    {
      weight,
      ...(isSelf && { also: sketch.arrowsBetween(from, to, true) }),
    },
  );
  sketch.words(
    id,
    [...runs, ...sketch.caption(from, to)],
    { x: (begin + end) / 2 + (isSelf ? -24 : 0), y: y - 7 },
    { anchor: 'middle' },
  );
}

function arcBelow(sketch: Sketch, from: Placed, to: Placed, runs: readonly Run[]): void {
  const y = TOP + 48;
  const end = to.rect.x + 14;
  const id = sketch.edge(
    from,
    to,
    [
      { x: from.x, y: from.rect.y + from.height },
      { x: from.x, y },
      { x: end, y },
      { x: end, y: to.rect.y + to.height },
    ],
    { weight: 'refusal' },
  );
  sketch.words(id, runs, { x: (from.x + end) / 2, y: y + 17 }, { anchor: 'middle' });
}

/** Where a refusal leads to from all of the lane, and which then leads to the rail by whatever comes. */
function isDrain(
  sketch: Sketch,
  state: StateDescription,
  rail: StateDescription | undefined,
  lane: Alternative,
): boolean {
  const into = sketch.form.arrows.filter(({ target, source }) => target === state && source !== state);
  const out = sketch.form.arrows.filter(
    ({ source, target, transition }) =>
      source === state && target !== state && transition.trigger.kind === 'event',
  );
  return (
    into.length > 0 &&
    into.every(({ source }) => lane.states.includes(source)) &&
    out.length > 0 &&
    out.every(({ target }) => target === rail)
  );
}

/** The other way of a message: outside of the loop, and back to its last station from below. */
function drawOutside(
  sketch: Sketch,
  lane: Alternative,
  placed: readonly Placed[],
  rail: StateDescription | undefined,
): void {
  const stationOf = (state: StateDescription) => placed.find(({ states }) => states.includes(state));
  const folded = placed.find(({ states }) => states.some((state) => lane.states.includes(state)));
  const from = folded ?? stationOf(lane.from);
  const to = stationOf(lane.to);
  if (from === undefined || to === undefined) return;
  const rest = lane.states.filter((state) => !from.states.includes(state));
  const names: Run[] = rest.flatMap((state, index) => [
    ...(index === 0 ? [] : [muted(index === 1 ? ' ⇄ ' : ' → ')]),
    { text: state.key, tone: 'ink' as const },
  ]);
  const width = runsWidth(names, SIZE) + 28;
  const drain = sketch.form.leaves.find((state) => isDrain(sketch, state, rail, lane));
  const all = drain === undefined ? rest : [...rest, drain];
  const station: Station = {
    ...sketch.station(rest[0] as StateDescription, { folded: false, twins: all.slice(1) }),
    width,
  };
  const x = Math.min(RIGHT + 32 - width / 2, 800);
  const pill = sketch.place(station, x, BELOW, [names.map((run) => ({ ...run }))]);
  const weight = 'optional' as const;
  const entering = sketch.form.arrows.filter(
    ({ source, target }) => source === lane.from && target !== undefined && lane.states.includes(target),
  );
  const begin =
    from.y === RAIL
      ? [{ x: from.rect.x + from.width, y: RAIL }]
      : [
          { x: from.x + 22, y: from.rect.y },
          { x: from.x + 22, y: TOP - 50 },
        ];
  const turn = from.y === RAIL ? RAIL : TOP - 50;
  const out = sketch.edge(
    from,
    pill,
    [...begin, { x: OUTSIDE, y: turn }, { x: OUTSIDE, y: BELOW }, { x: pill.rect.x + pill.width, y: BELOW }],
    { weight, also: entering },
  );
  const word: Run = { text: lane.story.word, tone: 'client', mono: true, bold: true };
  const code = sketch.story.foldsQuestions ? [] : [server('250'), muted(' ')];
  if (from.y === RAIL) sketch.words(out, [word], { x: OUTSIDE - 8, y: RAIL + 34 }, { anchor: 'end' });
  else sketch.words(out, [...code, word], { x: OUTSIDE - 110, y: turn - 7 }, { anchor: 'middle' });
  const back = sketch.edge(
    pill,
    to,
    [
      { x: pill.rect.x, y: BELOW },
      { x: to.x, y: BELOW },
      { x: to.x, y: to.rect.y + to.height },
    ],
    { weight },
  );
  const caption =
    sketch.story.edgeCaptions[`${rest[0]?.key} ${lane.to.key}`] ??
    sketch.story.edgeCaptions[`${rest.at(-1)?.key} ${lane.to.key}`];
  if (caption !== undefined)
    sketch.words(back, [muted(caption)], { x: to.x + 12, y: BELOW - 8 }, { size: CAPTION_SIZE });
  drawChunkRow(sketch, pill, all, drain, rail);
}

/** What goes on inside of the lane, in a line below it. */
function drawChunkRow(
  sketch: Sketch,
  pill: Placed,
  states: readonly StateDescription[],
  drain: StateDescription | undefined,
  rail: StateDescription | undefined,
): void {
  const told: Run[] = [server('250'), muted(' after each chunk')];
  if (drain !== undefined) told.push(muted('; '), refusal('5yz'), muted(' draining, then RSET'));
  const within = sketch.form.arrows.filter(
    ({ source, target }) =>
      states.includes(source) && (target === undefined || states.includes(target) || target === rail),
  );
  const y = pill.rect.y + pill.height + 16;
  const width = runsWidth(told, CAPTION_SIZE);
  sketch.marks.push({
    kind: 'row',
    id: 'row-chunks',
    rect: { x: pill.x - width / 2 - 4, y: y - 14, width: width + 8, height: 18 },
    transitions: within.map(({ transition }) => transition.id),
    title: within.map(sentenceOf).join('\n'),
  });
  sketch.words('row-chunks', told, { x: pill.x, y }, { size: CAPTION_SIZE, anchor: 'middle' });
}
