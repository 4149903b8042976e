/** The lines of a picture in bands, with the words that belong to them. */
import { sentenceOf } from '../form/words.js';
import { edgeId, label, type Mark, type Point } from '../svg/scene.js';
import { type Band, markId, portY, sideX } from './band-marks.js';
import { type Lane, type Line, portsOf } from './lines.js';
import { LANE_STEP, SIZE } from './measures.js';
import type { Said } from './said.js';

export function drawLines(
  marks: Mark[],
  lines: readonly Line[],
  placed: readonly Band[],
  sides: { left: readonly Lane[][]; right: readonly Lane[][] },
  said: { left: readonly Said[]; right: readonly Said[] },
  spine: number,
  reach: { readonly left: number; readonly right: number },
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
    const owners = new Map<Line, string>();
    sides[side].forEach((column, index) => {
      const x = spine + sign * (reach[side] + index * LANE_STEP);
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
          owners.set(line, id);
        }
      }
    });
    for (const { band: index, place, runs, line } of said[side]) {
      const band = placed[index] as Band;
      const ys = (ports.get(index) ?? []).map((lane) => portY(band, ports, index, lane));
      const y = place === 'above' ? Math.min(...ys) - 5 : Math.max(...ys) + 14;
      const x = band.rect.x + band.rect.width / 2 + sign * (band.rect.width / 2 + 6);
      marks.push(
        label(
          owners.get(line) ?? '',
          runs,
          { x, y },
          { size: SIZE, anchor: side === 'left' ? 'end' : 'start' },
        ),
      );
    }
  }
}
