/** The mail transaction: the loop from the hub round a rectangle and home, with the rail of refusals through its middle. */
import type { StateDescription } from '@sansmtp/core/chart';
import { lineageOf } from '../form/chart.js';
import { muted, type Point, type Run, runsWidth, stateId, strong } from '../svg/scene.js';
import { drawArcs } from './arcs.js';
import { HUB, twinsOf, wordFor } from './column.js';
import { BOTTOM, HOME, PANEL, RAIL, RIGHT, SIZE, TOP } from './frame.js';
import { drawOutside } from './outside.js';
import { drawRail } from './rail.js';
import { CAPTION_SIZE, left, type Placed, right, type Sketch, type Station } from './sketch.js';
import type { Way } from './way.js';

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
    { size: 14 },
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
