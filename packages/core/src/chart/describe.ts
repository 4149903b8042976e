/**
 * The description of a chart: an XState machine as plain data, for pictures and for people. XState's own types
 * do not appear in it.
 *
 * What holds here
 * - The live machine is walked: its JSON would silently leave out what is a function.
 * - Nothing of the chart is missing but code. Actions and guards stand by their names; parameters that a
 *   function computes are not shown.
 * - It is JSON: what is not there is absent, never undefined.
 */
import {
  type BuiltInAction,
  type MachineShape,
  named,
  pathOf,
  type StateNodeShape,
  type TransitionShape,
  UnsupportedChartError,
} from './machine-shape.js';

/** A chart of `describeChart`, as JSON: the very machine that a session runs. */
export interface ChartDescription {
  readonly id: string;
  /** The chart as a whole is a state too: its transitions hold everywhere. */
  readonly root: StateDescription;
}

/** One state of a chart, with all that stands in it. */
export interface StateDescription {
  /** Dotted, such as `session.transaction.opened`; empty for the root. */
  readonly path: string;
  /** The last part of the path; the chart's id for the root. */
  readonly key: string;
  readonly kind: 'atomic' | 'compound' | 'final';
  readonly description?: string;
  /** The path of the child that is entered first. */
  readonly initial?: string;
  readonly entry: readonly ActionDescription[];
  readonly exit: readonly ActionDescription[];
  /** The names of the delays that begin on entering this state and end on leaving it. */
  readonly deadlines: readonly string[];
  /** In document order, which is the order of trial among those of one trigger; deadlines come last. */
  readonly transitions: readonly TransitionDescription[];
  /** In document order. */
  readonly states: readonly StateDescription[];
}

/** One arrow of a chart: when it is taken, where it leads, and what is done on the way. */
export interface TransitionDescription {
  readonly trigger: TriggerDescription;
  /** The name of the guard that must hold. */
  readonly guard?: string;
  /** A path. Without one, nothing is left and nothing entered. */
  readonly target?: string;
  /** The state is left and entered anew, though the target is the state itself or stands inside of it. */
  readonly reenter: boolean;
  readonly actions: readonly ActionDescription[];
  readonly description?: string;
}

/** What a transition waits for. */
export type TriggerDescription =
  /** `type` may end in a wildcard, such as `command.*`: it is tried after the events that are named in full. */
  | { readonly kind: 'event'; readonly type: string }
  /** One of the state's `deadlines` has passed. */
  | { readonly kind: 'deadline'; readonly delay: string };

/** Something that a transition does, or entering or leaving a state. */
export interface ActionDescription {
  /** An `assign` changes the context of the chart and nothing else; an `effect` is asked of the session. */
  readonly kind: 'assign' | 'effect';
  readonly name: string;
  /** Absent also when a function computes them. */
  readonly params?: Readonly<Record<string, string | number | boolean>>;
}

/** @throws {UnsupportedChartError} naming what the machine uses that a description cannot hold */
export function describeMachine(machine: MachineShape): ChartDescription {
  return { id: machine.id, root: describeState(machine, machine.root) };
}

function describeState(machine: MachineShape, node: StateNodeShape): StateDescription {
  const { type: kind } = node;
  if (kind === 'parallel' || kind === 'history') throw new UnsupportedChartError(node, `a ${kind} state`);
  const delays = delaysOf(node);
  const [initial] = node.initial?.target ?? [];
  return {
    path: pathOf(node),
    key: node.key,
    kind,
    ...(node.description !== undefined && { description: node.description }),
    ...(initial !== undefined && { initial: pathOf(initial) }),
    entry: describeActions(machine, node, node.entry),
    exit: describeActions(machine, node, node.exit),
    deadlines: [...delays.values()],
    transitions: [...node.transitions].flatMap(([type, transitions]) =>
      transitions.map((transition) => describeTransition(machine, triggerOf(type, delays), transition)),
    ),
    states: Object.values(node.states).map((child) => describeState(machine, child)),
  };
}

/** XState keeps an `after` as a raise on entry, whose event is named after the state: back to the delay's name. */
function delaysOf(node: StateNodeShape): ReadonlyMap<string, string> {
  const delays = new Map<string, string>();
  for (const action of node.entry) {
    if (!isBuiltIn(action) || action.event === undefined || action.delay === undefined) continue;
    delays.set(action.event.type, String(action.delay));
  }
  return delays;
}

function triggerOf(type: string, delays: ReadonlyMap<string, string>): TriggerDescription {
  const delay = delays.get(type);
  return delay === undefined ? { kind: 'event', type } : { kind: 'deadline', delay };
}

function describeTransition(
  machine: MachineShape,
  trigger: TriggerDescription,
  { source, guard, target, reenter, actions, description }: TransitionShape,
): TransitionDescription {
  const [node, ...more] = target ?? [];
  if (more.length > 0) throw new UnsupportedChartError(source, 'several targets');
  return {
    trigger,
    ...(guard !== undefined && { guard: named(source, 'guard', guard).name }),
    ...(node !== undefined && { target: pathOf(node) }),
    reenter,
    actions: describeActions(machine, source, actions),
    ...(description !== undefined && { description }),
  };
}

/** The named actions. What XState added for a deadline is told by `deadlines`. */
function describeActions(
  machine: MachineShape,
  node: StateNodeShape,
  actions: readonly unknown[],
): ActionDescription[] {
  return actions
    .filter((action) => !isDeadline(action))
    .map((action) => {
      const { name, params } = named(node, 'action', action);
      const implementation = machine.implementations.actions[name];
      const kind = isBuiltIn(implementation) && implementation.type === 'xstate.assign' ? 'assign' : 'effect';
      return params === undefined || typeof params === 'function'
        ? { kind, name }
        : { kind, name, params: plainParams(node, name, params) };
    });
}

function isBuiltIn(action: unknown): action is BuiltInAction {
  return typeof action === 'function' && 'type' in action;
}

function isDeadline(action: unknown): boolean {
  if (!isBuiltIn(action)) return false;
  return action.type === 'xstate.cancel' || (action.type === 'xstate.raise' && action.delay !== undefined);
}

function plainParams(
  node: StateNodeShape,
  name: string,
  params: unknown,
): Readonly<Record<string, string | number | boolean>> {
  if (typeof params === 'object' && params !== null && Object.values(params).every(isPlain)) {
    return { ...(params as Record<string, string | number | boolean>) };
  }
  throw new UnsupportedChartError(node, `the action "${name}" with params that are not plain values`);
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
