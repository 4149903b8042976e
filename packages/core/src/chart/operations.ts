/**
 * Actions of a chart, compiled. An operation is run against the context and the event of a step: it either
 * changes the context or pushes an effect, and does nothing else.
 */
import {
  type BuiltInAction,
  type ChartEvent,
  type MachineShape,
  named,
  type StateNodeShape,
  UnsupportedChartError,
} from './machine-shape.js';

/** What a step asks of the world outside the chart. */
export interface Effect {
  readonly type: string;
  readonly params: unknown;
}

/** Runs one action; returns the context that the next one sees. */
export type Operation = (context: unknown, event: ChartEvent, effects: Effect[]) => unknown;

/** The effects that stand for `after`: `params.id` is also the event type to step with when it is due. */
export const SET_DEADLINE = 'setDeadline';
export const CLEAR_DEADLINE = 'clearDeadline';

export type DeadlineEffect =
  | {
      readonly type: typeof SET_DEADLINE;
      /** `delay` in milliseconds from now. */
      readonly params: { readonly id: string; readonly delay: number };
    }
  | { readonly type: typeof CLEAR_DEADLINE; readonly params: { readonly id: string } };

type Compute = (args: { context: unknown; event: ChartEvent }, params?: unknown) => unknown;

/** Compiles one entry, exit or transition action of `node`. */
export function compileAction(machine: MachineShape, node: StateNodeShape, action: unknown): Operation {
  if (typeof action === 'function') return compileBuiltIn(machine, node, action as unknown as BuiltInAction);

  const { name, params } = named(node, 'action', action);
  const implementation = machine.implementations.actions[name];
  if (isAssign(implementation)) return compileAssign(node, implementation, params);
  if (typeof implementation !== 'function' || 'resolve' in implementation) {
    throw new UnsupportedChartError(node, `the action "${name}" (neither an assign nor a plain function)`);
  }
  if (typeof params === 'function') {
    const compute = params as Compute;
    return (context, event, effects) => {
      effects.push({ type: name, params: compute({ context, event }) });
      return context;
    };
  }
  const effect: Effect = Object.freeze({ type: name, params });
  return (context, _event, effects) => {
    effects.push(effect);
    return context;
  };
}

function isAssign(action: unknown): action is BuiltInAction {
  return typeof action === 'function' && 'type' in action && action.type === 'xstate.assign';
}

/** An `assign` given as one function, or as an object of values and functions, like XState's. */
function compileAssign(node: StateNodeShape, action: BuiltInAction, params: unknown): Operation {
  const { assignment } = action;
  const computeParams = typeof params === 'function' ? (params as Compute) : () => params;
  if (typeof assignment === 'function') {
    const update = assignment as Compute;
    return (context, event) => ({
      ...(context as object),
      ...(update({ context, event }, computeParams({ context, event })) as object),
    });
  }
  if (typeof assignment !== 'object' || assignment === null) {
    throw new UnsupportedChartError(node, 'an assign without an assignment');
  }
  const keys = Object.keys(assignment);
  const values = Object.values(assignment);
  return (context, event) => {
    const current = context as Readonly<Record<string, unknown>>;
    // Copied only for a value that is another one: most assigns of a chart set what is set already.
    let next: Record<string, unknown> | undefined;
    for (let index = 0; index < keys.length; index += 1) {
      const key = keys[index] as string;
      const value = values[index];
      const assigned =
        typeof value === 'function' ? value({ context, event }, computeParams({ context, event })) : value;
      if (current[key] === assigned) continue;
      next ??= { ...current };
      next[key] = assigned;
    }
    return next ?? context;
  };
}

/** XState keeps an `after` as a delayed raise on entry and a cancel on exit. */
function compileBuiltIn(machine: MachineShape, node: StateNodeShape, action: BuiltInAction): Operation {
  if (action.type === 'xstate.cancel' && typeof action.sendId === 'string') {
    const effect: Effect = Object.freeze({
      type: CLEAR_DEADLINE,
      params: Object.freeze({ id: action.sendId }),
    });
    return (context, _event, effects) => {
      effects.push(effect);
      return context;
    };
  }
  // The deadline's id is what the chart is stepped with: an event raised under another name would be lost.
  const raised = action.event?.type;
  if (
    action.type === 'xstate.raise' &&
    action.delay !== undefined &&
    raised !== undefined &&
    raised === action.id
  ) {
    const delay = resolveDelay(machine, node, action.delay);
    // Delays hardly ever change, so the effect is made anew only when its delay does.
    let effect = deadlineEffect(raised, Number.NaN);
    return (context, event, effects) => {
      const milliseconds = typeof delay === 'number' ? delay : Number(delay({ context, event }));
      if (effect.params.delay !== milliseconds) effect = deadlineEffect(raised, milliseconds);
      effects.push(effect);
      return context;
    };
  }
  throw new UnsupportedChartError(node, `an inline action (${action.type ?? 'a function'})`);
}

function deadlineEffect(id: string, delay: number) {
  return Object.freeze({ type: SET_DEADLINE, params: Object.freeze({ id, delay }) });
}

function resolveDelay(machine: MachineShape, node: StateNodeShape, delay: unknown): number | Compute {
  const resolved = typeof delay === 'string' ? machine.implementations.delays[delay] : delay;
  if (typeof resolved === 'number') return resolved;
  if (typeof resolved === 'function') return resolved as Compute;
  throw new UnsupportedChartError(node, `the delay "${String(delay)}" (neither a number nor a function)`);
}
