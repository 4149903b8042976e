/** What is wrong with the geometry of a scene, in words: nothing, if it can be read. */
import {
  boundsOf,
  type EdgeMark,
  type Label,
  type NodeMark,
  type Point,
  type Rect,
  type Scene,
  SMALLEST_TEXT,
} from './scene.js';

/** Pixels by which two marks may touch: letters do not fill their boxes. */
const SLACK = 1.5;

export function faultsOf({ width, height, marks }: Scene): string[] {
  const labels = marks.filter((mark): mark is Label => mark.kind === 'label');
  const nodes = marks.filter((mark): mark is NodeMark => mark.kind === 'node');
  const edges = marks.filter((mark): mark is EdgeMark => mark.kind === 'edge');
  const page = { x: 0, y: 0, width, height };
  const faults: string[] = [];
  labels.forEach((label, index) => {
    const box = boundsOf(label);
    const text = JSON.stringify(label.runs.map((run) => run.text).join(''));
    if (label.size < SMALLEST_TEXT) faults.push(`${text} is too small: ${label.size}`);
    if (!isInside(box, page)) faults.push(`${text} leaves the picture`);
    for (const other of labels.slice(index + 1)) {
      if (overlap(box, boundsOf(other)))
        faults.push(`${text} lies on ${JSON.stringify(other.runs.map((run) => run.text).join(''))}`);
    }
    for (const node of nodes) {
      if (node.id !== label.owner && overlap(box, node.rect)) faults.push(`${text} lies on ${node.id}`);
      if (
        node.id === label.owner &&
        overlap(box, node.rect) &&
        !isInside(box, node.rect) &&
        node.shape !== 'diamond'
      ) {
        faults.push(`${text} does not fit into ${node.id}`);
      }
    }
    for (const edge of edges.filter(({ id }) => id !== label.owner)) {
      if (segments(edge).some((segment) => overlap(box, segment))) faults.push(`${text} lies on ${edge.id}`);
    }
    for (const edge of edges.filter(({ id }) => id === label.owner)) {
      if (segments(edge).some((segment) => overlap(box, segment)))
        faults.push(`${text} lies on its own ${edge.id}`);
    }
  });
  nodes.forEach((node, index) => {
    if (!isInside(node.rect, page)) faults.push(`${node.id} leaves the picture`);
    for (const other of nodes.slice(index + 1)) {
      if (node.shape !== 'start' && other.shape !== 'start' && overlap(node.rect, other.rect))
        faults.push(`${node.id} lies on ${other.id}`);
    }
    for (const edge of edges.filter(({ ends }) => !ends.includes(node.id))) {
      if (node.shape !== 'start' && segments(edge).some((segment) => overlap(node.rect, segment)))
        faults.push(`${edge.id} crosses ${node.id}`);
    }
  });
  return faults;
}

function segments({ points }: EdgeMark): Rect[] {
  return points.slice(1).map((to, index) => between(points[index] ?? to, to));
}

/** A line is thin: as a box it is as much wider as marks may touch, and a pixel for its own half. */
const between = (a: Point, b: Point): Rect => ({
  x: Math.min(a.x, b.x) - SLACK,
  y: Math.min(a.y, b.y) - SLACK,
  width: Math.abs(a.x - b.x) + 2 * SLACK,
  height: Math.abs(a.y - b.y) + 2 * SLACK,
});

const overlap = (a: Rect, b: Rect): boolean =>
  Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > SLACK &&
  Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > SLACK;

const isInside = (inner: Rect, outer: Rect): boolean =>
  inner.x >= outer.x - SLACK &&
  inner.y >= outer.y - SLACK &&
  inner.x + inner.width <= outer.x + outer.width + SLACK &&
  inner.y + inner.height <= outer.y + outer.height + SLACK;
