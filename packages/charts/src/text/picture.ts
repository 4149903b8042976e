/**
 * What a picture of a chart shows, whatever draws it: boxes in boxes, edges between them, and the rest in words.
 *
 * A chart of twenty states has more than a hundred transitions, and as many edges are no picture. What holds here
 * - An edge joins two boxes of one composite. A transition that crosses the border of a composite is drawn from
 *   the border, or to it. If it begins inside, its state tells it in words, and the edge says `from inside`.
 * - All transitions between two boxes are one edge.
 * - What a composite does in each of its states stands in a box of its own, `in every state of …`, and its
 *   transitions to states inside of it begin there.
 * - A transition without a target stands in the box of its state, in words.
 * - A session may end anywhere. Edges to a final state begin only at states beside it that have no other way out;
 *   all other transitions that lead there are told in words.
 * - States beside each other that have the same transitions, and differ only in what they do on entry, share a
 *   box.
 *
 * Left out: what a chart counts for its guards (assigns), descriptions, and whether a transition re-enters.
 */
import type { ChartDescription, StateDescription, TransitionDescription } from '@sansmtp/core';
import { effectsOf, sentencesOf, triggersOf } from '../form/wording.js';

/**
 * `full` tells every transition with its guard and its effects. `outline` is the shape of the dialogue: edges
 * with their triggers, and nothing that is told in words.
 */
export type Detail = 'full' | 'outline';

export interface Box {
  /** Dotted: the chart's id and the path of the state; of the first one, if several share the box. */
  readonly id: string;
  readonly title: string;
  readonly final: boolean;
  readonly lines: readonly string[];
  /** The id of the box inside that is entered first. */
  readonly initial?: string;
  readonly boxes: readonly Box[];
  /** Between the `boxes`. */
  readonly edges: readonly Edge[];
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly lines: readonly string[];
}

/** The box of the whole chart. */
export function drawPicture(chart: ChartDescription, detail: Detail): Box {
  const states = withDescendants(chart.root);
  const sharers = states.flatMap((state) => sharersAmong(state.states));
  return drawBox(chart.root, {
    chart,
    detail,
    states: new Map(states.map((state) => [state.path, state])),
    sharers: new Map(sharers.flatMap((box) => box.map((state) => [state.path, box]))),
  });
}

interface Drawing {
  readonly chart: ChartDescription;
  readonly detail: Detail;
  /** By path. */
  readonly states: ReadonlyMap<string, StateDescription>;
  /** By path: the states that share its box, in document order. */
  readonly sharers: ReadonlyMap<string, readonly StateDescription[]>;
}

function withDescendants(state: StateDescription): StateDescription[] {
  return [state, ...state.states.flatMap(withDescendants)];
}

/** One list for each box that these states need. */
function sharersAmong(siblings: readonly StateDescription[]): StateDescription[][] {
  const boxes = new Map<string, StateDescription[]>();
  for (const state of siblings) {
    const { path, kind, exit, transitions } = state;
    const behaviour =
      kind === 'atomic' && transitions.length > 0
        ? JSON.stringify([exit, transitions.map(({ id: _, replies: __, ...rest }) => rest)])
        : path;
    boxes.set(behaviour, [...(boxes.get(behaviour) ?? []), state]);
  }
  return [...boxes.values()];
}

function drawBox(state: StateDescription, drawing: Drawing): Box {
  const id = boxOf(state.path, drawing);
  const lines = drawing.detail === 'full' ? linesIn(state, drawing) : [];
  if (state.states.length === 0) {
    const title = sharersOf(state, drawing).map(({ key }) => key);
    return { id, title: title.join(', '), final: state.kind === 'final', lines, boxes: [], edges: [] };
  }
  const edges = edgesIn(state, drawing);
  const boxes = state.states
    .filter((child) => isFirst(child, drawing))
    .map((child) => drawBox(child, drawing));
  const everywhere = everywhereIn(state, drawing);
  if (lines.length > 0 || edges.some(({ from }) => from === everywhere)) {
    const title = `in every state of ${state.key}`;
    boxes.unshift({ id: everywhere, title, final: false, lines, boxes: [], edges: [] });
  }
  return {
    id,
    title: state.key,
    final: false,
    lines: [],
    ...(state.initial !== undefined && { initial: boxOf(state.initial, drawing) }),
    boxes,
    edges,
  };
}

/** What the state does on entry and exit, and the transitions that no edge shows in full. */
function linesIn(state: StateDescription, drawing: Drawing): string[] {
  const sharers = sharersOf(state, drawing);
  const actions = sharers.flatMap(({ key, kind, entry, exit }) => {
    const whose = sharers.length > 1 || kind === 'compound' ? `${key}: ` : '';
    const [onEntry, onExit] = [effectsOf(entry), effectsOf(exit)];
    return [
      ...(onEntry === '' ? [] : [`${whose}entry / ${onEntry}`]),
      ...(onExit === '' ? [] : [`${whose}exit / ${onExit}`]),
    ];
  });
  const told = state.transitions.filter(
    (transition) => routeOf(state, transition, drawing)?.inside !== false,
  );
  return [...actions, ...sentencesOf(told, (target) => drawing.states.get(target)?.key)];
}

/** The edges between the boxes of a composite. */
function edgesIn(composite: StateDescription, drawing: Drawing): Edge[] {
  const bundles = new Map<
    string,
    { route: Route; own: TransitionDescription[]; inner: TransitionDescription[] }
  >();
  for (const state of withDescendants(composite).filter((state) => isFirst(state, drawing))) {
    for (const transition of state.transitions) {
      const route = routeOf(state, transition, drawing);
      if (route?.within !== composite.path) continue;
      const key = JSON.stringify([route.from, route.to]);
      const bundle = bundles.get(key) ?? { route, own: [], inner: [] };
      bundles.set(key, bundle);
      bundle[route.inside ? 'inner' : 'own'].push(transition);
    }
  }
  return [...bundles.values()].map(({ route: { from, to }, own, inner }) => {
    if (drawing.detail === 'outline') return { from, to, lines: triggersOf([...own, ...inner]) };
    const lines = sentencesOf(own, (target) => nameBehind(to, target, drawing));
    return { from, to, lines: inner.length > 0 ? [...lines, 'from inside'] : lines };
  });
}

/** The name of a target that the edge to `box` does not tell: inside of it, or one of several that share it. */
function nameBehind(box: string, target: string, drawing: Drawing): string | undefined {
  const state = drawing.states.get(target);
  if (state === undefined || (boxOf(target, drawing) === box && sharersOf(state, drawing).length === 1)) {
    return undefined;
  }
  return state.key;
}

/** Where a transition is drawn. */
interface Route {
  /** The path of the composite whose boxes the edge joins. */
  readonly within: string;
  readonly from: string;
  readonly to: string;
  /** The transition begins inside of the box `from`. */
  readonly inside: boolean;
}

/** Undefined for what is told in words alone. */
function routeOf(
  state: StateDescription,
  { target }: TransitionDescription,
  drawing: Drawing,
): Route | undefined {
  if (target === undefined) return undefined;
  const sources = lineageOf(state.path);
  const targets = lineageOf(target);
  const depth = targets.slice(0, -1).findLastIndex((path, index) => path === sources[index]);
  const [within, from, to] = [targets[depth], sources[depth + 1], targets[depth + 1]];
  if (within === undefined || to === undefined) return undefined;

  const isBeside = from === state.path && to === target;
  // An edge from a composite to itself would lie across all that stands in it.
  if (from === to && (!isBeside || state.kind === 'compound')) return undefined;
  if (isFinal(target, drawing) && !(isBeside && hasNoOtherWayOut(state, drawing))) return undefined;
  return {
    within,
    from: from === undefined ? everywhereIn(state, drawing) : boxOf(from, drawing),
    to: boxOf(to, drawing),
    inside: from !== undefined && from !== state.path,
  };
}

function hasNoOtherWayOut(state: StateDescription, drawing: Drawing): boolean {
  if (state.kind === 'compound') return false;
  return state.transitions.every(({ target }) => target === undefined || isFinal(target, drawing));
}

function isFinal(path: string, { states }: Drawing): boolean {
  return states.get(path)?.kind === 'final';
}

/** The path and those of all that the state stands in, outermost first: '', 'session', 'session.ready'. */
function lineageOf(path: string): string[] {
  if (path === '') return [''];
  const parent = path.slice(0, Math.max(path.lastIndexOf('.'), 0));
  return [...lineageOf(parent), path];
}

function sharersOf(state: StateDescription, { sharers }: Drawing): readonly StateDescription[] {
  return sharers.get(state.path) ?? [state];
}

/** False for a state that shares the box of one before it. */
function isFirst(state: StateDescription, drawing: Drawing): boolean {
  return sharersOf(state, drawing)[0] === state;
}

function boxOf(path: string, { chart, sharers }: Drawing): string {
  const first = sharers.get(path)?.[0]?.path ?? path;
  return first === '' ? chart.id : `${chart.id}.${first}`;
}

/** The box for what the composite does in each of its states. */
function everywhereIn(composite: StateDescription, drawing: Drawing): string {
  return `${boxOf(composite.path, drawing)}.*`;
}
