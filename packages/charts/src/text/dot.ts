/** Pictures as DOT, for Graphviz: composites are clusters, and edges end at their borders. */
import type { ChartDescription } from '@sansmtp/core/chart';
import { type Box, type Detail, drawPicture } from './picture.js';

export interface DotOptions {
  /**
   * `full`: every transition in words. `outline`: edges with their triggers only.
   * @default 'full'
   */
  readonly detail?: Detail;
}

/** Draws a chart as a directed graph in DOT; `dot -Tsvg` makes a picture of it. */
export function renderDot(chart: ChartDescription, { detail = 'full' }: DotOptions = {}): string {
  const root = drawPicture(chart, detail);
  return [
    `digraph ${quoted(chart.id)} {`,
    // Without newrank Graphviz fails on edges between clusters and what stands in them.
    '  graph [compound=true, newrank=true, fontname="Helvetica", fontsize=13, nodesep=0.4, ranksep=0.5];',
    '  node [shape=box, style=rounded, fontname="Helvetica", fontsize=12];',
    '  edge [fontname="Helvetica", fontsize=11];',
    ...contentsOf(root).map((line) => `  ${line}`),
    '}',
    '',
  ].join('\n');
}

function contentsOf(box: Box): string[] {
  const start = `${box.id} start`;
  return [
    ...(box.initial === undefined
      ? []
      : [`${quoted(start)} [shape=point, width=0.12];`, edge(start, box.initial, box.boxes, [])]),
    ...box.boxes.flatMap(linesOf),
    ...box.edges.map(({ from, to, lines }) => edge(from, to, box.boxes, lines)),
  ];
}

function linesOf(box: Box): string[] {
  if (box.boxes.length > 0) {
    return [
      `subgraph ${quoted(`cluster ${box.id}`)} {`,
      `  label=${quoted(box.title)}; style=rounded;`,
      ...contentsOf(box).map((line) => `  ${line}`),
      '}',
    ];
  }
  const shape = box.final ? ', peripheries=2' : '';
  return [
    `${quoted(box.id)} [label=${quoted([box.title, ...box.lines].join('\n'), '\\l', box.lines.length > 0)}${shape}];`,
  ];
}

/** An edge joins leaves; where it should end at a composite, Graphviz clips it at the cluster's border. */
function edge(from: string, to: string, boxes: readonly Box[], lines: readonly string[]): string {
  const [tail, head] = [from, to].map((id) => boxes.find((box) => box.id === id));
  const attributes = [
    ...(lines.length === 0 ? [] : [`label=${quoted(lines.join('\n'))}`]),
    ...(tail !== undefined && tail.boxes.length > 0 ? [`ltail=${quoted(`cluster ${tail.id}`)}`] : []),
    ...(head !== undefined && head.boxes.length > 0 ? [`lhead=${quoted(`cluster ${head.id}`)}`] : []),
  ];
  const list = attributes.length === 0 ? '' : ` [${attributes.join(', ')}]`;
  return `${quoted(leafOf(tail, from))} -> ${quoted(leafOf(head, to))}${list};`;
}

function leafOf(box: Box | undefined, id: string): string {
  if (box === undefined || box.boxes.length === 0) return id;
  const inner = box.boxes.find((each) => each.id === box.initial) ?? box.boxes[0];
  return leafOf(inner, inner?.id ?? id);
}

function quoted(text: string, lineBreak = '\\n', closed = false): string {
  const escaped = text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', lineBreak);
  return `"${escaped}${closed ? lineBreak : ''}"`;
}
