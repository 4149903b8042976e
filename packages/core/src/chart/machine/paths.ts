/**
 * Which states a transition leaves and enters (SCXML's exit set and entry set), for charts without parallel
 * regions: there the active states are always one leaf and its ancestors.
 */
import { type StateNodeShape, type TransitionShape, UnsupportedChartError } from './machine-shape.js';

export interface TransitionPath {
  /** Innermost first. */
  readonly exited: readonly StateNodeShape[];
  /** Outermost first. */
  readonly entered: readonly StateNodeShape[];
  readonly leaf: StateNodeShape;
}

/** The node and its ancestors, innermost first. */
export function lineage(node: StateNodeShape): StateNodeShape[] {
  const nodes = [node];
  for (let parent = node.parent; parent !== undefined; parent = parent.parent) nodes.push(parent);
  return nodes;
}

/** `node` and the states that are entered with it by default, outermost first. */
export function defaultEntry(node: StateNodeShape): StateNodeShape[] {
  const entered = [node];
  let innermost = node;
  while (innermost.type === 'compound') {
    // XState takes one of its own children and nothing else.
    const { initial } = innermost;
    const child = initial?.target[0];
    if (child === undefined) throw new UnsupportedChartError(innermost, 'a state without an initial state');
    if (initial?.actions.length !== 0) throw new UnsupportedChartError(innermost, 'an initial action');
    entered.push(child);
    innermost = child;
  }
  return entered;
}

/** The path of `transition` when `leaf` is active; undefined for a transition without a target. */
export function pathOfTransition(
  leaf: StateNodeShape,
  transition: TransitionShape,
): TransitionPath | undefined {
  const { source } = transition;
  if (transition.target === undefined || transition.target.length === 0) return undefined;
  const [target, ...more] = transition.target;
  if (target === undefined || more.length > 0) throw new UnsupportedChartError(source, 'several targets');

  const domain = domainOf(transition, target);
  const exited: StateNodeShape[] = [];
  for (const node of lineage(leaf)) {
    if (node === domain) break;
    exited.push(node);
  }
  const entered: StateNodeShape[] = [];
  for (const node of lineage(target)) {
    if (node === domain) break;
    entered.unshift(node);
  }
  entered.push(...defaultEntry(target).slice(1));
  return { exited, entered, leaf: entered.at(-1) ?? target };
}

/** The innermost state that the transition does not leave. */
function domainOf(transition: TransitionShape, target: StateNodeShape): StateNodeShape {
  const { source } = transition;
  if (!transition.reenter && lineage(target).includes(source)) return source;
  const ancestors = lineage(source).slice(1);
  for (const node of lineage(target).slice(1)) {
    if (ancestors.includes(node)) return node;
  }
  if (transition.reenter) throw new UnsupportedChartError(source, 're-entering the root');
  return lineage(source).at(-1) ?? source;
}
