/**
 * The proof that a compiled chart is its machine: XState's own pure `transition()` is the specification, and
 * `step()` must agree with it on state, context and effects, deadlines among them, and so must a runner.
 */
import { inspect, isDeepStrictEqual } from 'node:util';
import { type AnyMachineSnapshot, type AnyStateMachine, initialTransition, transition } from 'xstate';
import type { ChartEvent, StateNodeShape } from '../machine/machine-shape.js';
import { isBuiltIn } from '../machine/transition-id.js';
import type { ChartState, CompiledChart } from './compile.js';
import { CLEAR_DEADLINE, type Effect, SET_DEADLINE } from './operations.js';

/** Both views of one moment. */
export interface Twin<Context> {
  readonly specified: AnyMachineSnapshot;
  readonly compiled: ChartState<Context>;
}

/** Enters the initial state in both, and compares. */
export function startTwin<Context, Input>(
  machine: AnyStateMachine,
  chart: CompiledChart<Context, ChartEvent, Input>,
  input: Input,
): Twin<Context> {
  const [specified, actions] = initialTransition(machine, input);
  const effects: Effect[] = [];
  const compiled = chart.start(input, effects);
  compare('start', { specified, compiled }, actions, effects);
  return { specified, compiled };
}

/** Takes one step in both, and compares; throws with both views when they differ. */
export function stepTwin<Context, Input>(
  machine: AnyStateMachine,
  chart: CompiledChart<Context, ChartEvent, Input>,
  twin: Twin<Context>,
  event: ChartEvent,
): Twin<Context> {
  const [specified, actions] = transition(machine, twin.specified, event);
  const where = `${event.type} in ${twin.compiled.value}`;
  const effects: Effect[] = [];
  const compiled = chart.step(twin.compiled, event, effects) ?? twin.compiled;
  compare(where, { specified, compiled }, actions, effects);

  // Twice from the same place: what the first run left ready must not tell, nor the second change what the first gave.
  const runner = chart.run(twin.compiled);
  const takes = runner.takes(event);
  const taken = runner.step(event);
  const given = taken ?? [];
  if (takes !== (taken !== undefined)) throw new Error(`A runner says that it takes ${where}: ${takes}`);
  const other = chart.run(twin.compiled);
  const again = other.step(event) ?? [];
  const run = [runner.position(), given];
  const isSame = isDeepStrictEqual([other.position(), again], run);
  if (!isSame || !isDeepStrictEqual(run, [compiled, effects])) {
    throw new Error(
      `A runner differs on ${where}.\nTable: ${show([compiled, effects])}\nRunner: ${show(run)}`,
    );
  }
  return { specified, compiled };
}

/** A state and those within as plain data: what the compiler and the description read of them. */
export function plainNode(node: StateNodeShape): unknown {
  const { id, key, path, type, invoke, always, description, meta, parent, initial } = node;
  const ids = (nodes: readonly StateNodeShape[] | undefined) => nodes?.map((each) => each.id);
  return {
    ...{ id, key, path, type, invoke, always, description, meta, parent: parent?.id },
    initial: [ids(initial?.target), initial?.actions],
    entry: node.entry.map(plainAction),
    exit: node.exit.map(plainAction),
    transitions: [...node.transitions.values()].flat().map((transition) => {
      const { source, target, actions, ...rest } = transition;
      const { guard, reenter, eventType } = rest;
      return {
        ...{ source: source.id, target: ids(target), guard, reenter, eventType },
        ...{ description: transition.description, meta: transition.meta, actions: actions.map(plainAction) },
      };
    }),
    states: Object.values(node.states).map(plainNode),
  };
}

/** What XState adds for a deadline is a function with properties. */
function plainAction(action: unknown): unknown {
  if (!isBuiltIn(action)) return action;
  const { type, event, id, delay, sendId } = action;
  return { type, event, id, delay, sendId };
}

/**
 * Compares on every state × event that can be reached from `input`, deadlines included.
 * @returns the leaf states that were reached, and how many pairs were compared
 */
export function compareEverywhere<Context, Input>(
  machine: AnyStateMachine,
  chart: CompiledChart<Context, ChartEvent, Input>,
  input: Input,
  events: readonly ChartEvent[],
): { readonly leaves: ReadonlySet<string>; readonly compared: number } {
  const deadlines = chart.eventTypes
    .filter((type) => type.startsWith('xstate.after.'))
    .map((type) => ({ type }));
  const start = startTwin(machine, chart, input);
  const seen = new Set([JSON.stringify(start.compiled)]);
  const leaves = new Set([start.compiled.value]);
  const frontier = [start];
  let compared = 0;
  for (let twin = frontier.pop(); twin !== undefined; twin = frontier.pop()) {
    if (twin.specified.status === 'done') continue;
    for (const event of [...events, ...deadlines]) {
      const next = stepTwin(machine, chart, twin, event);
      compared += 1;
      const key = JSON.stringify(next.compiled);
      if (seen.has(key)) continue;
      seen.add(key);
      leaves.add(next.compiled.value);
      frontier.push(next);
    }
  }
  return { leaves, compared };
}

function compare(
  where: string,
  { specified, compiled }: Twin<unknown>,
  actions: readonly { readonly type: string; readonly params?: unknown }[],
  effects: readonly Effect[],
): void {
  const expected = [pathOfValue(specified.value), specified.context, actions.map(asEffect)];
  const actual = [compiled.value, compiled.context, effects];
  // Not by their JSON, which leaves out what is undefined and takes Infinity for null.
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(
      `The compiled chart differs on ${where}.\nXState: ${show(expected)}\nTable: ${show(actual)}`,
    );
  }
}

const show = (view: unknown): string => inspect(view, { depth: null });

function pathOfValue(value: unknown): string {
  if (typeof value === 'string') return value;
  return Object.entries(value as object)
    .map(([key, child]) => {
      const rest = pathOfValue(child);
      return rest === '' ? key : `${key}.${rest}`;
    })
    .join('|');
}

/** XState reports an `after` as a delayed raise and a cancel. */
function asEffect({ type, params }: { readonly type: string; readonly params?: unknown }): Effect {
  if (type === 'xstate.raise') {
    const { id, delay } = params as { id: string; delay: number };
    return { type: SET_DEADLINE, params: { id, delay } };
  }
  if (type === 'xstate.cancel')
    return { type: CLEAR_DEADLINE, params: { id: (params as { sendId: string }).sendId } };
  return { type, params };
}
