/**
 * A picture before it is written down: marks with a place. What draws a picture makes a scene; the tests look at the
 * geometry of the scene; `serialize.ts` writes it as SVG.
 */
import { type Face, widthOf } from './widths.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rect extends Point {
  readonly width: number;
  readonly height: number;
}

/** Who speaks, or who is waited for; or how loud something is. */
export type Tone = 'client' | 'server' | 'ink' | 'muted' | 'quiet';

/** A piece of a label in one style. */
export interface Run extends Face {
  readonly text: string;
  readonly tone: Tone;
}

export interface Label {
  readonly kind: 'label';
  /** The id of the node, edge or box that it belongs to. */
  readonly owner: string;
  readonly runs: readonly Run[];
  readonly size: number;
  /** Left end of the baseline. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export type Shape = 'pill' | 'box' | 'stack' | 'diamond' | 'start' | 'end';

export interface NodeMark {
  readonly kind: 'node';
  readonly id: string;
  readonly shape: Shape;
  readonly tone: Tone;
  readonly rect: Rect;
  /** The paths of the states that it stands for. */
  readonly states: readonly string[];
  readonly title: string;
}

export type Weight = 'main' | 'optional' | 'refusal';

export interface EdgeMark {
  readonly kind: 'edge';
  readonly id: string;
  readonly weight: Weight;
  /** Horizontal and vertical pieces, from the source to the target. */
  readonly points: readonly Point[];
  readonly arrow: boolean;
  /** The ids of the transitions that it stands for. */
  readonly transitions: readonly string[];
  readonly title: string;
  /** The ids of the marks that it joins. */
  readonly ends: readonly string[];
}

/** A ground on which marks stand, such as a composite state, a box with rows, or a band. */
export interface Panel {
  readonly kind: 'panel';
  readonly id: string;
  readonly rect: Rect;
  readonly look: 'composite' | 'note' | 'band';
  /** Present: the state that it is. */
  readonly state?: string;
  readonly title?: string;
}

/** What a row of text stands for, where no edge is drawn. */
export interface Row {
  readonly kind: 'row';
  readonly id: string;
  readonly rect: Rect;
  readonly transitions: readonly string[];
  readonly title: string;
}

export type Mark = Label | NodeMark | EdgeMark | Panel | Row;

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly description: string;
  readonly marks: readonly Mark[];
}

export const SMALLEST_TEXT = 12;

export const client = (text: string): Run => ({ text, tone: 'client', mono: true, bold: true });
export const server = (text: string): Run => ({ text, tone: 'server', mono: true, bold: true });
export const refusal = (text: string): Run => ({ text, tone: 'muted', mono: true, bold: true });
export const muted = (text: string): Run => ({ text, tone: 'muted' });
export const ink = (text: string): Run => ({ text, tone: 'ink' });
export const strong = (text: string): Run => ({ text, tone: 'ink', bold: true });

export function runsWidth(runs: readonly Run[], size: number): number {
  return runs.reduce((sum, run) => sum + widthOf(run.text, size, run), 0);
}

export interface LabelOptions {
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
}

/** A label whose anchor stands at `x`, and its baseline at `y`. */
export function label(
  owner: string,
  runs: readonly Run[],
  { x, y }: Point,
  { size = 13, anchor = 'start' }: LabelOptions = {},
): Label {
  const width = runsWidth(runs, size);
  const shift = { start: 0, middle: width / 2, end: width }[anchor];
  return {
    kind: 'label',
    owner,
    runs,
    size,
    x: x - shift,
    y,
    width,
  };
}

/** The box around a label, as a browser measures it. */
export function boundsOf({ x, y, width, size }: Label): Rect {
  return { x, y: y - size * ASCENT, width, height: size * (ASCENT + DESCENT) };
}

const ASCENT = 0.93;
const DESCENT = 0.24;

export const centre = ({ x, y, width, height }: Rect): Point => ({ x: x + width / 2, y: y + height / 2 });

export const around = ({ x, y }: Point, width: number, height: number): Rect => ({
  x: x - width / 2,
  y: y - height / 2,
  width,
  height,
});

/** An identifier for a state's mark: `state-session-transaction-opened`. */
export function stateId(path: string): string {
  return `state-${identifier(path)}`;
}

/** An identifier for what leads from one state to another: `edge-session-ready--session-transaction-opening`. */
export function edgeId(from: string, to: string): string {
  return `edge-${identifier(from)}--${identifier(to)}`;
}

function identifier(path: string): string {
  return path === '' ? 'root' : path.replaceAll(/[^\p{L}\p{N}_]+/gu, '-');
}
