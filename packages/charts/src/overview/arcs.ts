import type { Run } from '../svg/scene.js';
import { wordFor } from './column.js';
import { TOP } from './frame.js';
import { refusalCodes } from './rail.js';
import type { Placed, Sketch } from './sketch.js';

/** Between two stations of the top row: back above them, refused and forward below. */
export function drawArcs(sketch: Sketch, placed: readonly Placed[]): void {
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
