/** A map in pixels: where each place and each frame is drawn, and the way of an edge. */
import type { End } from '../simulation/ends.js';
import type { ChartMap, Place } from './places.js';

export const WIDTH = 400;
export const NODE = { width: 150, height: 21 } as const;
const MARGIN = 14;
const TOP = 6;
const TITLE = 15;
const FRAME_GAP = 5;
/** An arrow from box to box that is shorter cannot be seen. */
const LEAST_GAP = 14;

export interface DrawnPlace extends Place {
  readonly x: number;
  readonly y: number;
  /** Which column, from the left. */
  readonly column: 0 | 1;
}

export interface DrawnFrame {
  readonly path: string;
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Drawing {
  readonly height: number;
  readonly places: readonly DrawnPlace[];
  readonly frames: readonly DrawnFrame[];
}

/** @param height the least that it is to have */
export function drawMap(map: ChartMap, end: End, height: number): Drawing {
  const above = (row: number): number =>
    map.frames.reduce(
      (sum, { from, to }) => sum + (from <= row ? TITLE + FRAME_GAP : 0) + (to < row ? FRAME_GAP : 0),
      TOP,
    );
  const extra = above(map.rows) + TOP;
  const pitch = Math.max(NODE.height + 3, (height - extra) / map.rows);
  const yOf = (row: number): number => above(row) + row * pitch + (pitch - NODE.height) / 2;
  const places = map.places.map((place): DrawnPlace => {
    // Beside the wire stands what waits for the other end: to the left of it the client, to the right the server.
    const besideWire = place.turn === 'peer';
    const column = (end === 'client') === besideWire ? 1 : 0;
    return { ...place, column, x: column === 0 ? MARGIN : WIDTH - MARGIN - NODE.width, y: yOf(place.row) };
  });
  // The outer ones first, so that they cover nothing of the inner ones.
  const frames = map.frames
    .toSorted((a, b) => a.depth - b.depth)
    .map(({ path, name, from, to, depth }): DrawnFrame => {
      const inset = 1 + (depth - 1) * 6;
      const top = yOf(from) - (pitch - NODE.height) / 2 - TITLE;
      const inner = map.frames.filter((frame) => frame.to === to && frame.depth > depth).length;
      const bottom = yOf(to) + NODE.height + (pitch - NODE.height) / 2 + 3 + inner * (FRAME_GAP - 2);
      return { path, name, x: inset, y: top, width: WIDTH - 2 * inset, height: bottom - top };
    });
  return { height: yOf(map.rows - 1) + pitch + extra - above(map.rows - 1), places, frames };
}

export interface Way {
  /** Of a path in SVG. */
  readonly path: string;
  /** Where a label stands. */
  readonly label: { readonly x: number; readonly y: number };
}

/** The way from one place to another, or back to the same. */
export function wayOf(from: DrawnPlace, to: DrawnPlace): Way {
  const channelSide = ({ x, column }: DrawnPlace): number => (column === 0 ? x + NODE.width : x);
  const middle = ({ y }: DrawnPlace): number => y + NODE.height / 2;
  const into = from.column === 0 ? 1 : -1;
  const [x1, y1, x2, y2] = [channelSide(from), middle(from), channelSide(to), middle(to)];
  if (from === to) {
    const path = `M${x1} ${y1 - 6} C${x1 + into * 34} ${y1 - 16} ${x1 + into * 34} ${y1 + 16} ${x1 + into * 2} ${y1 + 6}`;
    return { path, label: { x: WIDTH / 2, y: y1 } };
  }
  if (from.column !== to.column) {
    const bend = x1 + into * 52;
    const back = x2 - into * 52;
    return {
      path: `M${x1} ${y1} C${bend} ${y1} ${back} ${y2} ${x2 - into * 2} ${y2}`,
      label: { x: WIDTH / 2, y: (y1 + y2) / 2 },
    };
  }
  const gap = Math.abs(to.y - from.y) - NODE.height;
  if (Math.abs(to.row - from.row) === 1 && gap >= LEAST_GAP) {
    const x = from.x + NODE.width / 2;
    const isDown = to.y > from.y;
    const begin = isDown ? from.y + NODE.height : from.y;
    const end = isDown ? to.y - 2 : to.y + NODE.height + 2;
    return { path: `M${x} ${begin} L${x} ${end}`, label: { x: WIDTH / 2, y: (begin + end) / 2 } };
  }
  const reach = Math.min(96, 30 + Math.abs(to.row - from.row) * 7);
  return {
    path: `M${x1} ${y1} C${x1 + into * reach} ${y1} ${x2 + into * reach} ${y2} ${x2 + into * 2} ${y2}`,
    label: { x: WIDTH / 2, y: (y1 + y2) / 2 },
  };
}
