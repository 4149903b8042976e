/** A scene as SVG: grounds first, then edges, nodes, and words above all. */
import type { EdgeMark, Label, Mark, NodeMark, Panel, Point, Rect, Row, Scene } from './scene.js';
import { STYLE } from './style.js';

export interface SvgOptions {
  /**
   * Stands before every `id`, so that two pictures may stand in one page.
   * @default ''
   */
  readonly idPrefix?: string;
  /** The ids of states to mark as active from the start, by path, such as `session.ready`. */
  readonly active?: readonly string[];
}

export function serialize(scene: Scene, { idPrefix = '', active = [] }: SvgOptions = {}): string {
  const { width, height, title, description, marks } = scene;
  const write = (mark: Mark) => markup(mark, idPrefix, new Set(active));
  const layers = (['panel', 'row', 'edge', 'node', 'label'] as const).flatMap((kind) =>
    marks.filter((mark) => mark.kind === kind).map(write),
  );
  const [w, h] = [round(width), round(height)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="sansmtp" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(description)}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${w}" height="${h}" rx="8"/>`,
    ...layers,
    '</svg>',
    '',
  ].join('\n');
}

function markup(mark: Mark, prefix: string, active: ReadonlySet<string>): string {
  switch (mark.kind) {
    case 'panel':
      return panel(mark, prefix, active);
    case 'row':
      return row(mark, prefix);
    case 'edge':
      return edge(mark, prefix);
    case 'node':
      return node(mark, prefix, active);
    case 'label':
      return text(mark);
  }
}

function panel({ id, rect, look, state, title }: Panel, prefix: string, active: ReadonlySet<string>): string {
  const box = `<rect class="${look}" ${place(rect)} rx="${look === 'band' ? 6 : 12}"/>`;
  if (state === undefined) return box;
  return `<g id="${prefix}${id}" class="state${active.has(state) ? ' active' : ''}" data-state="${escaped(state)}">${titled(title ?? state)}${box}</g>`;
}

function row({ id, rect, transitions, title }: Row, prefix: string): string {
  return `<g id="${prefix}${id}" class="row" data-transitions="${listed(transitions)}">${titled(title)}<rect ${place(rect)} rx="4"/></g>`;
}

function edge({ id, weight, points, arrow, transitions, title }: EdgeMark, prefix: string): string {
  const tip = arrow ? tipOf(points, weight) : '';
  const path = `<path d="${pathOf(arrow ? shortened(points, weight) : points)}"/>`;
  return `<g id="${prefix}${id}" class="edge ${weight}" data-transitions="${listed(transitions)}">${titled(title)}${path}${tip}</g>`;
}

function node(mark: NodeMark, prefix: string, active: ReadonlySet<string>): string {
  const { shape, tone, states, title } = mark;
  const drawn = `${titled(title)}${shapeOf(mark)}`;
  if (states.length === 0) return `<g class="${tone}">${drawn}</g>`;
  // One group a state, one in the other: each is found by its id.
  return states.reduceRight((inner, path, index) => {
    const isActive = active.has(path) ? ' active' : '';
    const classes = index === states.length - 1 ? `state ${tone} ${shape}` : 'state';
    return `<g id="${prefix}${index === 0 ? mark.id : `state-${path.replaceAll(/[^\p{L}\p{N}_]+/gu, '-')}`}" class="${classes}${isActive}" data-state="${escaped(path)}">${inner}</g>`;
  }, drawn);
}

function shapeOf({ shape, rect }: NodeMark): string {
  const { x, y, width, height } = rect;
  const [cx, cy] = [x + width / 2, y + height / 2];
  switch (shape) {
    case 'diamond':
      return `<path class="shape" d="M${n(cx)} ${n(y)}L${n(x + width)} ${n(cy)}L${n(cx)} ${n(y + height)}L${n(x)} ${n(cy)}Z"/>`;
    case 'start':
      return `<circle class="dot" cx="${n(cx)}" cy="${n(cy)}" r="${n(width / 2)}"/>`;
    case 'end':
      return `<circle class="shape" cx="${n(cx)}" cy="${n(cy)}" r="${n(width / 2)}"/><circle class="dot" cx="${n(cx)}" cy="${n(cy)}" r="${n(width / 2 - 5)}"/>`;
    case 'stack':
      return `<rect class="shape" ${place({ x: x + 5, y: y + 5, width, height })} rx="12"/><rect class="shape" ${place(rect)} rx="12"/>`;
    default:
      return `<rect class="shape" ${place(rect)} rx="${n(shape === 'pill' ? Math.min(height / 2, 16) : 12)}"/>`;
  }
}

function text({ runs, size, x, y, width }: Label): string {
  const classOf = (run: Label['runs'][number]) =>
    [run.tone === 'ink' ? '' : run.tone, run.mono ? 'm' : '', run.bold ? 'b' : ''].filter(Boolean).join(' ');
  const wrapped = (name: string) => (name === '' ? '' : ` class="${name}"`);
  const [first] = runs;
  const attributes = `x="${n(x)}" y="${n(y)}" font-size="${size}" textLength="${n(width)}"`;
  if (runs.length === 1 && first !== undefined) {
    return `<text ${attributes}${wrapped(classOf(first))}>${escaped(first.text)}</text>`;
  }
  const parts = runs.map((run) => {
    const name = classOf(run);
    return name === '' ? escaped(run.text) : `<tspan class="${name}">${escaped(run.text)}</tspan>`;
  });
  return `<text ${attributes} xml:space="preserve">${parts.join('')}</text>`;
}

const RADIUS = 10;

/** The way through the points, with rounded corners. */
function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${n(first.x)} ${n(first.y)}`;
  rest.forEach((point, index) => {
    const before = points[index] ?? point;
    const after = rest[index + 1];
    if (after === undefined) {
      path += `L${n(point.x)} ${n(point.y)}`;
      return;
    }
    const radius = Math.min(RADIUS, distance(before, point) / 2, distance(point, after) / 2);
    const begin = towards(point, before, radius);
    const end = towards(point, after, radius);
    path += `L${n(begin.x)} ${n(begin.y)}Q${n(point.x)} ${n(point.y)} ${n(end.x)} ${n(end.y)}`;
  });
  return path;
}

const tipLength = (weight: EdgeMark['weight']) => (weight === 'main' ? 10 : 8);

/** The line ends where its tip begins. */
function shortened(points: readonly Point[], weight: EdgeMark['weight']): Point[] {
  const last = points.at(-1);
  const before = points.at(-2);
  if (last === undefined || before === undefined) return [...points];
  return [...points.slice(0, -1), towards(last, before, tipLength(weight) - 1)];
}

function tipOf(points: readonly Point[], weight: EdgeMark['weight']): string {
  const last = points.at(-1);
  const before = points.at(-2);
  if (last === undefined || before === undefined) return '';
  const length = tipLength(weight);
  const half = weight === 'main' ? 6 : 4.5;
  const base = towards(last, before, length);
  const [dx, dy] = [(last.x - base.x) / length, (last.y - base.y) / length];
  return `<path class="tip" d="M${n(last.x)} ${n(last.y)}L${n(base.x - dy * half)} ${n(base.y + dx * half)}L${n(base.x + dy * half)} ${n(base.y - dx * half)}Z"/>`;
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

function towards(from: Point, to: Point, by: number): Point {
  const whole = distance(from, to);
  if (whole === 0) return from;
  return { x: from.x + ((to.x - from.x) * by) / whole, y: from.y + ((to.y - from.y) * by) / whole };
}

const place = ({ x, y, width, height }: Rect): string =>
  `x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"`;

/** A line that stands for a hundred transitions names the first of them. */
const MOST_LINES = 12;

function titled(title: string): string {
  const lines = title.split('\n');
  const shown = lines.slice(0, MOST_LINES);
  if (lines.length > MOST_LINES) shown.push(`… and ${lines.length - MOST_LINES} more`);
  return title === '' ? '' : `<title>${escaped(shown.join('\n'))}</title>`;
}

/** One a line: a transition's id may hold blanks. */
const listed = (ids: readonly string[]): string => ids.map(escaped).join('&#10;');

const round = (value: number): number => Math.round(value * 10) / 10;
const n = (value: number): string => String(round(value));

function escaped(value: string): string {
  return value
    .replaceAll(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`)
    .replaceAll('\n', '&#10;');
}
