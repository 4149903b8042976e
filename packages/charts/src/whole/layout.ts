/**
 * `@sansmtp/charts/layout`: where the marks of a whole chart stand. It needs elkjs, which is asked for only here; a layout is
 * plain JSON of a few kilobytes, made once and stored with the chart that it is for.
 */
import type { ChartDescription } from '@sansmtp/core/chart';
import type { Point } from '../svg/scene.js';
import { type GraphNode, graphOf } from './graph.js';

/** Where the marks of a chart stand: `await layOut(description)` makes it, `renderSvg(description, layout)` takes it. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** By the id of a state's mark: left, top, width, height. */
  readonly nodes: Readonly<Record<string, readonly [number, number, number, number]>>;
  /** By the id of an edge's mark: the points from source to target, x and y by turns; then left and top of its label. */
  readonly edges: Readonly<
    Record<string, { readonly points: readonly number[]; readonly label: readonly [number, number] }>
  >;
}

interface ElkNode {
  id: string;
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  children?: ElkNode[];
  edges?: ElkEdge[];
  layoutOptions?: Record<string, string>;
}

interface ElkEdge {
  id: string;
  sources: string[];
  targets: string[];
  labels: { text: string; width: number; height: number; x?: number; y?: number }[];
  sections?: { startPoint: Point; endPoint: Point; bendPoints?: Point[] }[];
}

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.spacing.nodeNodeBetweenLayers': '34',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  'elk.spacing.nodeNode': '26',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelNode': '8',
  'elk.edgeLabels.placement': 'CENTER',
  'elk.padding': '[top=16,left=16,bottom=16,right=16]',
};

/**
 * Lays out any chart, by elkjs's layered algorithm.
 * @throws {Error} elkjs is not installed: `npm install elkjs`
 */
export async function layOut(chart: ChartDescription): Promise<Layout> {
  const graph = graphOf(chart);
  const elkNode = (node: GraphNode): ElkNode => ({
    id: node.id,
    width: node.width,
    height: node.height,
    ...(node.nodes.length > 0 && {
      children: node.nodes.map(elkNode),
      layoutOptions: {
        'elk.padding': `[top=${node.height + 14},left=18,bottom=18,right=18]`,
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        'elk.nodeSize.minimum': `(${node.width},${node.height})`,
      },
    }),
  });
  const edges = graph.edges.map(
    ({ id, from, to, isBack, lines, width, height }): ElkEdge => ({
      id,
      // An edge against the order of the document is turned round, so that it does not pull its target down.
      sources: [isBack ? to : from],
      targets: [isBack ? from : to],
      labels: [{ text: lines.join('\n'), width, height }],
    }),
  );
  const root = elkNode(graph.root);
  const elk = await engine();
  const placed = await elk.layout({
    ...root,
    edges,
    layoutOptions: { ...OPTIONS, ...root.layoutOptions, 'elk.padding': OPTIONS['elk.padding'] },
  });
  const nodes: Record<string, [number, number, number, number]> = {};
  const collect = (node: ElkNode): void => {
    nodes[node.id] = [node.x ?? 0, node.y ?? 0, node.width ?? 0, node.height ?? 0].map(Math.round) as [
      number,
      number,
      number,
      number,
    ];
    for (const child of node.children ?? []) collect(child);
  };
  for (const child of placed.children ?? []) collect(child);
  const back = new Set(graph.edges.filter(({ isBack }) => isBack).map(({ id }) => id));
  return {
    width: Math.ceil(placed.width ?? 0),
    height: Math.ceil(placed.height ?? 0),
    nodes,
    edges: Object.fromEntries(
      (placed.edges ?? []).map(({ id, sections = [], labels }) => {
        const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
          startPoint,
          ...bendPoints,
          endPoint,
        ]);
        const [place] = labels;
        return [
          id,
          {
            points: (back.has(id) ? points.reverse() : points).flatMap(({ x, y }) => [
              Math.round(x),
              Math.round(y),
            ]),
            label: [Math.round(place?.x ?? 0), Math.round(place?.y ?? 0)] as const,
          },
        ];
      }),
    ),
  };
}

interface Engine {
  layout(graph: ElkNode): Promise<ElkNode>;
}

async function engine(): Promise<Engine> {
  let module: { default: unknown };
  try {
    module = (await import('elkjs/lib/elk.bundled.js')) as { default: unknown };
  } catch (cause) {
    throw new Error('To lay out a chart, install elkjs: npm install elkjs', { cause });
  }
  const found = module.default as { default?: new () => Engine } & (new () => Engine);
  return new (found.default ?? found)();
}
