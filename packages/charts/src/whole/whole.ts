/** A whole chart as a scene: all states, all transitions, where a layout puts them. */
import type { ChartDescription, StateDescription } from '@sansmtp/core/chart';
import { formOf } from '../form/chart.js';
import { sentenceOf, stateTitle } from '../form/words.js';
import { type Story, waitsForServer } from '../stories/story.js';
import {
  ink,
  label,
  type Mark,
  muted,
  type Point,
  type Rect,
  runsWidth,
  type Scene,
  stateId,
  strong,
  type Tone,
} from '../svg/scene.js';
import { type Graph, type GraphNode, graphOf, LINE, NAME, TEXT } from './graph.js';
import type { Layout } from './layout.js';

const MARGIN = 24;
const HEAD = 70;

/** @throws {RangeError} the layout is not one of this chart */
export function wholeOf(chart: ChartDescription, layout: Layout, story: Story | undefined): Scene {
  const graph = graphOf(chart);
  const form = formOf(chart);
  const marks: Mark[] = [];
  const title = story === undefined ? chart.id : `${story.title}, whole`;
  const subtitle =
    'Every state and every transition; what leads nowhere, or ends it all, stands in the box of its state.';
  marks.push(label('title', [strong(title)], { x: MARGIN, y: 34 }, { size: 20 }));
  marks.push(label('title', [muted(subtitle)], { x: MARGIN, y: 56 }, { size: 13 }));
  const top = HEAD;
  const shift = (x: number, y: number): Point => ({ x: x + MARGIN - 16, y: y + top });
  const draw = (node: GraphNode): void => {
    const place = layout.nodes[node.id];
    if (place === undefined)
      throw new RangeError(`The layout has no place for ${node.name}: it is of another chart`);
    const [x, y, width, height] = place;
    drawNode(marks, node, { ...shift(x, y), width, height }, story, form);
    for (const inner of node.nodes) draw(inner);
  };
  for (const node of graph.root.nodes) draw(node);
  drawEdges(marks, graph, layout, shift);
  drawInitial(marks, graph.root, layout, shift);
  nameComposites(marks, graph.root, layout, shift);
  return {
    width: Math.max(layout.width + 2 * MARGIN - 32, Math.ceil(runsWidth([muted(subtitle)], 13)) + 2 * MARGIN),
    height: layout.height + top + MARGIN - 16,
    title,
    description: subtitle,
    marks,
  };
}

function drawNode(
  marks: Mark[],
  node: GraphNode,
  rect: Rect,
  story: Story | undefined,
  form: ReturnType<typeof formOf>,
): void {
  const { id, states, kind, name, lines, nodes } = node;
  const [state] = states as [StateDescription];
  if (nodes.length > 0) {
    marks.push({ kind: 'panel', id, look: 'composite', rect, state: state.path, title: stateTitle(state) });
  } else if (state.kind === 'final') {
    const circle = { x: rect.x + rect.width / 2 - 11, y: rect.y, width: 22, height: 22 };
    marks.push({
      kind: 'node',
      id,
      shape: 'end',
      tone: 'ink',
      rect: circle,
      states: [state.path],
      title: stateTitle(state),
    });
    marks.push(
      label(
        id,
        [muted(name)],
        { x: rect.x + rect.width / 2, y: rect.y + 39 },
        { size: TEXT, anchor: 'middle' },
      ),
    );
    return;
  } else {
    const tone: Tone =
      story === undefined
        ? 'client'
        : state.deadlines.includes('linger')
          ? 'ink'
          : waitsForServer(story, state)
            ? 'server'
            : 'client';
    marks.push({
      kind: 'node',
      id,
      shape: 'box',
      tone,
      rect,
      states: kind === 'any' ? [] : states.map(({ path }) => path),
      title: states.map(stateTitle).join('\n'),
    });
    marks.push(
      label(
        id,
        [strong(name)],
        { x: rect.x + rect.width / 2, y: rect.y + 21 },
        { size: NAME, anchor: 'middle' },
      ),
    );
  }
  lines.forEach((line, index) => {
    const indent = line.length - line.trimStart().length;
    marks.push(
      label(
        id,
        [muted(line.trimStart())],
        { x: rect.x + 12 + indent * 4, y: rect.y + 40 + index * LINE },
        { size: TEXT },
      ),
    );
  });
  if (node.transitions.length > 0) {
    marks.push(
      rowMark(
        node,
        {
          x: rect.x + 6,
          y: rect.y + 27,
          width: Math.min(rect.width - 12, node.width),
          height: lines.length * LINE + 4,
        },
        form,
      ),
    );
  }
}

function rowMark(node: GraphNode, rect: Rect, form: ReturnType<typeof formOf>): Mark {
  return {
    kind: 'row',
    id: `row-${node.id}`,
    rect,
    transitions: node.transitions.map(({ id }) => id),
    title: form.arrows
      .filter(({ transition }) => node.transitions.includes(transition))
      .map(sentenceOf)
      .join('\n'),
  };
}

function drawEdges(
  marks: Mark[],
  graph: Graph,
  layout: Layout,
  shift: (x: number, y: number) => Point,
): void {
  for (const edge of graph.edges) {
    const place = layout.edges[edge.id];
    if (place === undefined)
      throw new RangeError(`The layout has no place for ${edge.id}: it is of another chart`);
    const points: Point[] = [];
    for (let index = 0; index + 1 < place.points.length; index += 2) {
      points.push(shift(place.points[index] ?? 0, place.points[index + 1] ?? 0));
    }
    marks.push({
      kind: 'edge',
      id: edge.id,
      weight: 'optional',
      points,
      arrow: true,
      transitions: edge.arrows.map(({ transition }) => transition.id),
      title: edge.arrows.map(sentenceOf).join('\n'),
      ends: [edge.from, edge.to],
    });
    const at = shift(place.label[0], place.label[1]);
    edge.lines.forEach((line, index) => {
      marks.push(
        label(edge.id, [ink(line.trimStart())], { x: at.x + 4, y: at.y + 13 + index * LINE }, { size: TEXT }),
      );
    });
  }
}

/** A dot above the state that is entered first, in each composite. */
function drawInitial(
  marks: Mark[],
  node: GraphNode,
  layout: Layout,
  shift: (x: number, y: number) => Point,
): void {
  const initial = node.states[0]?.initial;
  const place = initial === undefined ? undefined : layout.nodes[stateId(initial)];
  if (place !== undefined) {
    const [x, y] = place;
    const at = shift(x, y);
    marks.push({
      kind: 'node',
      id: `start-${node.id}`,
      shape: 'start',
      tone: 'ink',
      rect: { x: at.x - 4, y: at.y - 4, width: 9, height: 9 },
      states: [],
      title: 'is entered first',
    });
  }
  for (const inner of node.nodes) drawInitial(marks, inner, layout, shift);
}

/** The name of a composite stands at its upper rim, at the first place that no edge passes. */
function nameComposites(
  marks: Mark[],
  node: GraphNode,
  layout: Layout,
  shift: (x: number, y: number) => Point,
): void {
  for (const inner of node.nodes.filter(({ nodes }) => nodes.length > 0)) {
    const [x = 0, y = 0, width = 0] = layout.nodes[inner.id] ?? [];
    const at = shift(x, y);
    const runs = [strong(inner.name)];
    const needed = runsWidth(runs, NAME);
    const passing = marks.flatMap((mark) => (mark.kind === 'edge' ? verticals(mark.points, at.y + 14) : []));
    let left = at.x + 14;
    while (
      left + needed < at.x + width &&
      passing.some((edge) => edge > left - 6 && edge < left + needed + 6)
    )
      left += 8;
    marks.push(label(inner.id, runs, { x: left, y: at.y + 22 }, { size: NAME }));
    nameComposites(marks, inner, layout, shift);
  }
}

/** Where an edge passes the height. */
function verticals(points: readonly Point[], y: number): number[] {
  return points.slice(1).flatMap((to, index) => {
    const from = points[index] ?? to;
    const isPassed = from.x === to.x && Math.min(from.y, to.y) <= y + 12 && Math.max(from.y, to.y) >= y - 12;
    return isPassed ? [to.x] : [];
  });
}

/** Whether the layout has a place for all that the chart has. */
export function fits(chart: ChartDescription, layout: Layout): boolean {
  const { root, edges } = graphOf(chart);
  const isPlaced = (node: GraphNode): boolean =>
    layout.nodes[node.id] !== undefined && node.nodes.every(isPlaced);
  return root.nodes.every(isPlaced) && edges.every(({ id }) => layout.edges[id] !== undefined);
}
