/**
 * The table compiler: an XState machine, walked once, becomes a table from (leaf state, event type) to what
 * happens. A step is then a lookup, a guard or two and a push; XState's own stepping builds an actor for each.
 *
 * What holds here
 * - The machine is the definition. `compile.test.ts` and the tests of both charts compare `step()` with XState's
 *   `transition()` on every reachable state × event: if they differ, this file is wrong.
 * - A feature that is not supported is refused by name when the chart is compiled whole, never ignored: parallel
 *   states, history, `invoke`, `always`, `onDone`, `raise` without delay, guards and actions without a name. The sessions'
 *   two charts are compiled as they are entered; their tests compile them whole.
 * - A session runs by `runner.ts`, which takes the same steps in place.
 * - Nothing in this folder knows SMTP.
 */

import { compileGuard, wordsOfGuard } from '../machine/guards.js';
import {
  type ChartEvent,
  type MachineShape,
  pathOf,
  type StateNodeShape,
  type TransitionShape,
  UnsupportedChartError,
} from '../machine/machine-shape.js';
import { defaultEntry, lineage, pathOfTransition } from '../machine/paths.js';
import { transitionIdOf } from '../machine/transition-id.js';
import { type Candidate, makeReady } from './candidate.js';
import { compileAction, type Effect, type Operation } from './operations.js';
import { ChartRunner } from './runner.js';
import type { GuardOutcome, TransitionExplanation } from './transition-record.js';

/** Where a chart stands. Never changed: a step gives the next one. */
export interface ChartState<Context> {
  /** The leaf state as a dotted path, such as `session.transaction.opened`. */
  readonly value: string;
  readonly context: Context;
}

/** A machine as a table. */
export interface CompiledChart<Context, Event extends ChartEvent, Input> {
  /** All leaf states, as dotted paths in document order. */
  readonly leaves: readonly string[];
  /** All event types that transitions name, deadlines' and wildcards included. */
  readonly eventTypes: readonly string[];
  /** Enters the initial state; entry effects are pushed onto `effects`. */
  start(input: Input, effects: Effect[]): ChartState<Context>;
  /**
   * Takes the transition for `event`, pushing its effects in order; undefined if the chart has none in this
   * state (its context and state then stay as they are).
   */
  step(
    state: ChartState<Context>,
    event: Event | ChartEvent,
    effects: Effect[],
  ): ChartState<Context> | undefined;
  /** Runs on from `state`, in place: the same steps, faster. */
  run(state: ChartState<Context>): ChartRunner<Context, Event>;
  /**
   * Why `step()` takes the transition that it takes for `event`. It asks the guards anew, so that a step costs nothing
   * where nobody wants to know.
   */
  explain(state: ChartState<Context>, event: Event | ChartEvent): TransitionExplanation | undefined;
}

/** A leaf state, and what was found to come next in it, by event type. */
interface Leaf {
  readonly node: StateNodeShape;
  readonly exact: Map<string, readonly Candidate[]>;
  /** A wildcard's transition stands for many types of events. */
  readonly compiled: Map<TransitionShape, Candidate>;
}

/**
 * Compiles the whole machine, so that what a table cannot hold is found now and not when a session comes upon it.
 * @throws {UnsupportedChartError} naming what the machine uses that a table cannot hold
 */
export function compile<Context, Event extends ChartEvent, Input>(
  machine: MachineShape,
): CompiledChart<Context, Event, Input> {
  for (const node of allNodes(machine.root)) refuseUnsupported(machine, node);
  const table = new Table<Context, Event, Input>(machine);
  table.compileAll();
  return table;
}

/**
 * The same table, of which each part is compiled when a session first comes upon it: a chart then costs nothing at a
 * program's start. For machines that a test compiles whole.
 */
export function compileWhenEntered<Context, Event extends ChartEvent, Input>(
  machine: MachineShape,
): CompiledChart<Context, Event, Input> {
  return new Table<Context, Event, Input>(machine);
}

class Table<Context, Event extends ChartEvent, Input> implements CompiledChart<Context, Event, Input> {
  readonly #machine: MachineShape;
  #states:
    | { readonly leaves: ReadonlyMap<string, Leaf>; readonly eventTypes: ReadonlySet<string> }
    | undefined;
  #initial: { readonly value: string; readonly operations: readonly Operation[] } | undefined;

  constructor(machine: MachineShape) {
    this.#machine = machine;
  }

  get leaves(): readonly string[] {
    return [...this.#allStates.leaves.keys()];
  }

  get eventTypes(): readonly string[] {
    return [...this.#allStates.eventTypes];
  }

  compileAll(): void {
    this.#initial = this.#initialStep();
    // Wildcards among them, so that what they lead to is looked at, too.
    for (const leaf of this.#allStates.leaves.values()) {
      for (const type of this.eventTypes) this.#candidatesFor(leaf, { type });
    }
  }

  start(input: Input, effects: Effect[]): ChartState<Context> {
    this.#initial ??= this.#initialStep();
    const { value, operations } = this.#initial;
    const { context: initial } = this.#machine.config;
    const given: unknown = typeof initial === 'function' ? initial({ input }) : (initial ?? {});
    return { value, context: performed(operations, given, INITIAL_EVENT, effects) as Context };
  }

  step(
    state: ChartState<Context>,
    event: Event | ChartEvent,
    effects: Effect[],
  ): ChartState<Context> | undefined {
    for (const { guard, operations, target } of this.#candidatesFor(this.#leafAt(state.value), event)) {
      if (guard !== undefined && !guard(state.context, event)) continue;
      const context = performed(operations, state.context, event, effects);
      return { value: target ?? state.value, context: context as Context };
    }
    return undefined;
  }

  run(state: ChartState<Context>): ChartRunner<Context, Event> {
    return new ChartRunner<Context, Event>(state, this.#leafAt, this.#candidatesFor);
  }

  explain(state: ChartState<Context>, event: Event | ChartEvent): TransitionExplanation | undefined {
    const guards: GuardOutcome[] = [];
    for (const { guard, guardName, path } of this.#candidatesFor(this.#leafAt(state.value), event)) {
      if (guard === undefined) return { guards, ...path };
      const passed = guard(state.context, event);
      guards.push({ guard: guardName, passed });
      if (passed) return { guards, ...path };
    }
    return undefined;
  }

  get #allStates() {
    this.#states ??= statesOf(this.#machine);
    return this.#states;
  }

  #initialStep(): { readonly value: string; readonly operations: readonly Operation[] } {
    const { root } = this.#machine;
    const entered = defaultEntry(root);
    return {
      value: pathOf(entered.at(-1) ?? root),
      operations: entered.flatMap((node) => actionsOf(this.#machine, node, node.entry)),
    };
  }

  readonly #leafAt = (value: string): Leaf => {
    const leaf = this.#allStates.leaves.get(value);
    if (leaf === undefined) throw new RangeError(`${this.#machine.id} has no leaf state "${value}"`);
    return leaf;
  };

  readonly #candidatesFor = (given: unknown, { type }: ChartEvent): readonly Candidate[] => {
    const leaf = given as Leaf;
    const known = leaf.exact.get(type);
    if (known !== undefined) return known;
    const candidates = candidatesOf(this.#machine, leaf, type);
    // An event type that no transition names in full can still match a wildcard. It is looked up anew each time: a
    // table with keys of the peer's choosing would grow without bound.
    if (this.#allStates.eventTypes.has(type)) leaf.exact.set(type, candidates);
    return candidates;
  };
}

function statesOf({ root }: MachineShape) {
  const nodes = allNodes(root);
  return {
    eventTypes: new Set(nodes.flatMap((node) => [...node.transitions.keys()])),
    leaves: new Map(
      nodes
        .filter(({ type }) => type !== 'compound')
        .map((node): [string, Leaf] => [pathOf(node), { node, exact: new Map(), compiled: new Map() }]),
    ),
  };
}

/** Performs the operations in order, pushing their effects; gives the context that they leave. */
function performed(
  operations: readonly Operation[],
  given: unknown,
  event: ChartEvent,
  effects: Effect[],
): unknown {
  let context = given;
  for (const operation of operations) {
    if (operation.kind === 'assign') context = operation.changed(context, event);
    else effects.push(operation.kind === 'effect' ? operation.effect : operation.effectFor(context, event));
  }
  return context;
}

/** The same text as a property's name: engines compare those with literals by their addresses, and not by each letter. */
function internalized(text: string): string {
  return Object.keys({ [text]: true })[0] ?? text;
}

const INITIAL_EVENT: ChartEvent = { type: 'xstate.init' };

function allNodes(node: StateNodeShape): StateNodeShape[] {
  return [node, ...Object.values(node.states).flatMap(allNodes)];
}

function refuseUnsupported(machine: MachineShape, node: StateNodeShape): void {
  if (node.type === 'parallel') throw new UnsupportedChartError(node, 'a parallel state');
  if (node.type === 'history') throw new UnsupportedChartError(node, 'a history state');
  if (node.type === 'final' && node.parent?.parent !== undefined) {
    throw new UnsupportedChartError(node, 'a final state below the top level');
  }
  if (node.invoke.length > 0) throw new UnsupportedChartError(node, 'invoke');
  if (node.always !== undefined && node.always.length > 0) throw new UnsupportedChartError(node, 'always');
  if (node.config.onDone !== undefined) throw new UnsupportedChartError(node, 'onDone');
  // No transition may lead to or from it, yet it stands in the chart.
  actionsOf(machine, node, [...node.entry, ...node.exit]);
}

/**
 * The candidates in the order in which XState tries them: the leaf's own before its ancestors', and in each
 * state the exact event type before wildcards, longer wildcards first.
 */
function candidatesOf(machine: MachineShape, { node: leaf, compiled }: Leaf, type: string): Candidate[] {
  const candidateOf = (transition: TransitionShape): Candidate => {
    const known = compiled.get(transition) ?? compileCandidate(machine, leaf, transition);
    compiled.set(transition, known);
    return known;
  };
  if (leaf.type === 'final') return [];
  return lineage(leaf).flatMap((node) =>
    [...node.transitions.keys()]
      .filter((descriptor) => matches(type, descriptor))
      .sort((a, b) => Number(b === type) - Number(a === type) || b.length - a.length)
      .flatMap((descriptor) => node.transitions.get(descriptor) ?? [])
      .map(candidateOf),
  );
}

/** `command.*` matches `command.MAIL`, and `*` everything. */
function matches(type: string, descriptor: string): boolean {
  if (descriptor === type || descriptor === '*') return true;
  if (!descriptor.endsWith('.*')) return false;
  const prefix = descriptor.slice(0, -2);
  return type === prefix || type.startsWith(`${prefix}.`);
}

function compileCandidate(
  machine: MachineShape,
  leaf: StateNodeShape,
  transition: TransitionShape,
): Candidate {
  const { description } = transition;
  const { source } = transition;
  const guard = transition.guard === undefined ? undefined : compileGuard(machine, source, transition.guard);
  const guardName = guard === undefined ? '' : wordsOfGuard(source, transition.guard);
  const path = pathOfTransition(leaf, transition);
  const actions = actionsOf(machine, source, transition.actions);
  const explanation = {
    transition: transitionIdOf(transition),
    left: path?.exited.map(pathOf) ?? [],
    entered: path?.entered.map(pathOf) ?? [],
    ...(description !== undefined && { description }),
  };
  if (path === undefined)
    return {
      guard,
      guardName,
      operations: actions,
      target: undefined,
      path: explanation,
      ready: makeReady(actions),
    };

  const operations = [
    ...path.exited.flatMap((node) => actionsOf(machine, node, node.exit)),
    ...actions,
    ...path.entered.flatMap((node) => actionsOf(machine, node, node.entry)),
  ];
  // A machine that reaches a final state at the top is done: XState runs the exit actions of all that is active.
  if (path.leaf.type === 'final') {
    operations.push(...lineage(path.leaf).flatMap((node) => actionsOf(machine, node, node.exit)));
  }
  const target = internalized(pathOf(path.leaf));
  return { guard, guardName, operations, target, path: explanation, ready: makeReady(operations) };
}

function actionsOf(machine: MachineShape, node: StateNodeShape, actions: readonly unknown[]): Operation[] {
  return actions.map((action) => compileAction(machine, node, action));
}
