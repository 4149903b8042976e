/**
 * A whole chart as a graph: boxes in boxes and edges between them, with the size of all words, before anybody says where
 * they stand. Layout and drawing both build it, and go by its ids.
 *
 * - What leads nowhere stands in the box of its state, in words, and so does what ends the session.
 * - What a composite does in each of its states begins in a box of its own, `any state of …`.
 * - All transitions between two boxes are one edge. States that do all the same share a box.
 */
import type { ChartDescription, StateDescription, TransitionDescription } from '@sansmtp/core/chart';
import { type Arrow, type Form, formOf } from '../form/chart.js';
import { effectsOf, sentencesOf, triggersOf } from '../form/wording.js';
import { triggerName } from '../form/words.js';
import { edgeId, ink, muted, runsWidth, stateId, strong } from '../svg/scene.js';

export interface GraphNode {
  readonly id: string;
  /** Several, if they do all the same. */
  readonly states: readonly StateDescription[];
  readonly kind: 'leaf' | 'composite' | 'any';
  readonly name: string;
  /** What it does without leading anywhere, in words. */
  readonly lines: readonly string[];
  readonly transitions: readonly TransitionDescription[];
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly GraphNode[];
}

export interface GraphEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** It runs against the order of the document. */
  readonly isBack: boolean;
  readonly arrows: readonly Arrow[];
  readonly lines: readonly string[];
  readonly width: number;
  readonly height: number;
}

export interface Graph {
  readonly root: GraphNode;
  readonly edges: readonly GraphEdge[];
}

export const LINE = 15;
export const NAME = 14;
export const TEXT = 12;
const WIDEST = 60;
const LABEL_WIDEST = 28;

export function graphOf(chart: ChartDescription): Graph {
  const form = formOf(chart);
  const shared = sharedBoxes(form);
  const told = form.states.map(
    (state) => [state, state.transitions.filter((each) => !isDrawn(form, state, each))] as const,
  );
  return {
    root: nodeOf(chart, [chart.root], new Map(told), shared),
    edges: edgesOf(form, new Map(told), shared),
  };
}

/** By path: the states that share its box, the first of which gives it its id. */
function sharedBoxes(form: Form): ReadonlyMap<string, readonly StateDescription[]> {
  const boxes = new Map<string, StateDescription[]>();
  for (const state of form.leaves) {
    const parent = state.path.slice(0, Math.max(state.path.lastIndexOf('.'), 0));
    const behaviour = state.transitions.map((each) => [
      triggerName(each),
      each.guard,
      each.target,
      effectsOf(each.actions),
    ]);
    const key = state.transitions.length > 1 ? `${parent} ${JSON.stringify(behaviour)}` : state.path;
    boxes.set(key, [...(boxes.get(key) ?? []), state]);
  }
  return new Map([...boxes.values()].flatMap((all) => all.map((state) => [state.path, all])));
}

/** As an edge; all else is told in words. */
function isDrawn(form: Form, state: StateDescription, transition: TransitionDescription): boolean {
  const { target } = transition;
  if (target === undefined || target === state.path) return false;
  const isEnd = (path: string) =>
    form.state(path).kind === 'final' || form.state(path).deadlines.includes('linger');
  if (isEnd(target))
    return (
      state.states.length === 0 &&
      state.transitions.every((each) => each.target === undefined || isEnd(each.target))
    );
  return !scatteredOf(state).includes(transition);
}

/** What leads back to wherever the dialogue stood, by one trigger to four states or more. */
function scatteredOf({ transitions }: StateDescription): readonly TransitionDescription[] {
  const byTrigger = new Map<string, TransitionDescription[]>();
  for (const transition of transitions.filter(
    ({ target, description }) => target !== undefined && description !== undefined,
  )) {
    const name = `${triggerName(transition)} ${transition.description}`;
    byTrigger.set(name, [...(byTrigger.get(name) ?? []), transition]);
  }
  return [...byTrigger.values()].filter((all) => new Set(all.map(({ target }) => target)).size > 3).flat();
}

type Told = ReadonlyMap<StateDescription, readonly TransitionDescription[]>;
type Shared = ReadonlyMap<string, readonly StateDescription[]>;

function nodeOf(
  chart: ChartDescription,
  states: readonly StateDescription[],
  told: Told,
  shared: Shared,
): GraphNode {
  const [state] = states as [StateDescription];
  if (state.states.length === 0) {
    return leafOf(
      chart,
      states,
      told.get(state) ?? [],
      states.flatMap((each) => told.get(each) ?? []),
    );
  }
  const inner = state.states
    .filter((child) => (shared.get(child.path)?.[0] ?? child) === child)
    .map((child) => nodeOf(chart, shared.get(child.path) ?? [child], told, shared));
  const hasOwn = state.transitions.length > 0 || state.entry.length > 0 || state.exit.length > 0;
  const name = state.path === '' ? chart.id : state.key;
  return {
    id: stateId(state.path),
    states: [state],
    kind: 'composite',
    name,
    lines: [],
    transitions: [],
    width: Math.ceil(runsWidth([strong(name)], NAME) + 36),
    height: 32,
    nodes: [
      ...(hasOwn
        ? [{ ...leafOf(chart, [state], told.get(state) ?? []), id: anyId(state.path), kind: 'any' as const }]
        : []),
      ...inner,
    ],
  };
}

const anyId = (path: string): string => `any-${stateId(path)}`;

function leafOf(
  chart: ChartDescription,
  states: readonly StateDescription[],
  transitions: readonly TransitionDescription[],
  ofAll: readonly TransitionDescription[] = transitions,
): GraphNode {
  const [state] = states as [StateDescription];
  const isAny = state.states.length > 0;
  const name = isAny
    ? `any state of ${state.path === '' ? chart.id : state.key}`
    : states.map(({ key }) => key).join(', ');
  const lines = linesOf(chart, states, transitions);
  const isEnd = state.kind === 'final';
  const width = Math.max(
    runsWidth([strong(name)], NAME) + 36,
    ...lines.map((line) => runsWidth([muted(line)], TEXT) + 24),
  );
  return {
    id: stateId(state.path),
    states,
    kind: 'leaf',
    name,
    lines,
    transitions: ofAll,
    width: Math.ceil(isEnd ? 70 : width),
    height: Math.ceil(isEnd ? 46 : 32 + lines.length * LINE + (lines.length > 0 ? 8 : 0)),
    nodes: [],
  };
}

function edgesOf(form: Form, told: Told, shared: Shared): GraphEdge[] {
  const order = new Map(form.states.map((state, index) => [state.path, index]));
  const idOf = (path: string): string => {
    const first = shared.get(path)?.[0]?.path ?? path;
    return stateId(first);
  };
  const bundles = new Map<string, Arrow[]>();
  for (const arrow of form.arrows) {
    const { source, target, transition } = arrow;
    if (target === undefined || told.get(source)?.includes(transition)) continue;
    const from = source.states.length > 0 ? anyId(source.path) : idOf(source.path);
    const key = `${from}\n${idOf(target.path)}`;
    bundles.set(key, [...(bundles.get(key) ?? []), arrow]);
  }
  return [...bundles].map(([key, arrows]): GraphEdge => {
    const [from = '', to = ''] = key.split('\n');
    const [first] = arrows as [Arrow];
    const transitions = arrows.map(({ transition }) => transition);
    const triggers = triggersOf(transitions)
      .flatMap((each) => wrapped(each, LABEL_WIDEST))
      .slice(0, 4);
    const { guard } = first.transition;
    const lines =
      arrows.length === 1 && guard !== undefined
        ? [...triggers, ...wrapped(`[${guard}]`, LABEL_WIDEST)]
        : triggers;
    const targetPath = first.target?.path ?? '';
    return {
      id: edgeId(first.source.path, targetPath),
      from,
      to,
      isBack: (order.get(targetPath) ?? 0) < (order.get(first.source.path) ?? 0),
      arrows,
      lines,
      width: Math.ceil(Math.max(...lines.map((line) => runsWidth([ink(line)], TEXT))) + 8),
      height: lines.length * LINE + 4,
    };
  });
}

function linesOf(
  chart: ChartDescription,
  states: readonly StateDescription[],
  transitions: readonly TransitionDescription[],
): string[] {
  const keyOf = (path: string) =>
    states.some((state) => path === state.path) ? 'again' : path.slice(path.lastIndexOf('.') + 1) || chart.id;
  const actions = states.flatMap(({ key, entry, exit }) => {
    const whose = states.length > 1 ? `${key}: ` : '';
    return [
      ...(effectsOf(entry) === '' ? [] : [`${whose}entry / ${effectsOf(entry)}`]),
      ...(effectsOf(exit) === '' ? [] : [`${whose}exit / ${effectsOf(exit)}`]),
    ];
  });
  return [...actions, ...sentencesOf(endsTogether(transitions), keyOf)].flatMap((line) =>
    wrapped(line, WIDEST),
  );
}

/** What ends the session at the last of several faults is told once, whichever fault it is. */
function endsTogether(transitions: readonly TransitionDescription[]): TransitionDescription[] {
  return transitions.map((transition) => {
    const often = /OnceTooOften$|^lastError$/.test(transition.guard ?? '');
    return often ? { ...transition, guard: 'once too often' } : transition;
  });
}

/** Broken at blanks, and at the bars between triggers. */
function wrapped(text: string, most: number): string[] {
  const lines = [''];
  for (const word of text.split(/(?<=[ |])/)) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && (last + word).trimEnd().length > most) lines.push(`  ${word}`);
    else lines[lines.length - 1] = last + word;
  }
  return lines.map((line) => line.trimEnd());
}
