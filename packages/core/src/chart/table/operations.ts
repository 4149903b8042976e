/**
 * Actions of a chart, compiled. An operation either changes the context or gives an effect, and does nothing else. How
 * operations make up a step is told twice, once for reading (`compile.ts`) and once for speed (`runner.ts`).
 */

import { argumentsOf } from '../machine/arguments.js';
import {
  type BuiltInAction,
  type ChartEvent,
  type MachineShape,
  named,
  type StateNodeShape,
  UnsupportedChartError,
} from '../machine/machine-shape.js';

/** What a step asks of the world outside the chart. */
export interface Effect {
  readonly type: string;
  readonly params: unknown;
}

/** One action. What it reads is the context as the actions before it left it, and the event. */
export type Operation =
  | { readonly kind: 'effect'; readonly effect: Effect }
  /** `lasting`: the same object as the last time, as long as nothing in it differs. */
  | { readonly kind: 'computed'; readonly lasting: boolean; readonly effectFor: Reading<Effect> }
  | {
      readonly kind: 'assign';
      /** Gives the context that the next action sees: the same if nothing differs. */
      readonly changed: Reading<unknown>;
      /** Writes the same changes into the context that it is given. */
      readonly change: Reading<void>;
    };

type Reading<Result> = (context: unknown, event: ChartEvent) => Result;

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
    return {
      kind: 'computed',
      lasting: false,
      effectFor: (context, event) => ({ type: name, params: compute(argumentsOf(context, event)) }),
    };
  }
  return { kind: 'effect', effect: Object.freeze({ type: name, params }) };
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
    const changes: Reading<object> = (context, event) =>
      update(argumentsOf(context, event), computeParams(argumentsOf(context, event))) as object;
    return {
      kind: 'assign',
      changed: (context, event) => ({ ...(context as object), ...changes(context, event) }),
      change: (context, event) => {
        Object.assign(context as object, changes(context, event));
      },
    };
  }
  if (typeof assignment !== 'object' || assignment === null) {
    throw new UnsupportedChartError(node, 'an assign without an assignment');
  }
  const entries = Object.entries(assignment);
  const constants = entries.filter(([, value]) => typeof value !== 'function');
  const functions = entries.filter(([, value]) => typeof value === 'function');
  // Each function sees the context as it was before any of them: so all are asked before anything is written.
  const computed: Reading<readonly (readonly [string, unknown])[]> = (context, event) =>
    functions.map(([key, value]) => [
      key,
      (value as Compute)(argumentsOf(context, event), computeParams(argumentsOf(context, event))),
    ]);
  const [first, second] = functions;
  const only = second === undefined ? (first as readonly [string, Compute] | undefined) : undefined;
  return {
    kind: 'assign',
    changed: (context, event) => {
      const current = context as Readonly<Record<string, unknown>>;
      const differing = [...constants, ...computed(context, event)].filter(
        ([key, value]) => current[key] !== value,
      );
      return differing.length === 0 ? context : { ...current, ...Object.fromEntries(differing) };
    },
    change: (context, event) => {
      const current = context as Record<string, unknown>;
      if (only !== undefined) {
        current[only[0]] = only[1](argumentsOf(context, event), computeParams(argumentsOf(context, event)));
      } else if (first !== undefined) {
        for (const [key, value] of computed(context, event)) current[key] = value;
      }
      for (let index = 0; index < constants.length; index += 1) {
        const entry = constants[index] as readonly [string, unknown];
        current[entry[0]] = entry[1];
      }
    },
  };
}

/** XState keeps an `after` as a delayed raise on entry and a cancel on exit. */
function compileBuiltIn(machine: MachineShape, node: StateNodeShape, action: BuiltInAction): Operation {
  if (action.type === 'xstate.cancel' && typeof action.sendId === 'string') {
    const effect: Effect = Object.freeze({
      type: CLEAR_DEADLINE,
      params: Object.freeze({ id: action.sendId }),
    });
    return { kind: 'effect', effect };
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
    return {
      kind: 'computed',
      lasting: true,
      effectFor: (context, event) => {
        const milliseconds = typeof delay === 'number' ? delay : Number(delay(argumentsOf(context, event)));
        if (effect.params.delay !== milliseconds) effect = deadlineEffect(raised, milliseconds);
        return effect;
      },
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
