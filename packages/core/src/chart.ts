/**
 * `@sansmtp/core/chart`: XState machines as tables, and as plain data. Nothing here knows SMTP.
 *
 * `compile` makes a table of a machine: a step is then a lookup, some thirty times faster than XState's own, and the
 * same state, context and effects come of it. `describe` makes data of a machine, for pictures and documents.
 */
import type { AnyStateMachine, ContextFrom, EventFrom, InputFrom } from 'xstate';
import { type ChartDescription, describeMachine } from './chart/description/describe.js';
import { shapeOf } from './chart/machine/machine-shape.js';
import { type CompiledChart, compile as compileShape } from './chart/table/compile.js';

export type {
  ActionDescription,
  ChartDescription,
  GuardCombination,
  PlainValues,
  ReplyDescription,
  StateDescription,
  TransitionDescription,
  TriggerDescription,
} from './chart/description/describe.js';
export { leafOf, lineageOf } from './chart/description/lineage.js';
export { type ChartEvent, UnsupportedChartError } from './chart/machine/machine-shape.js';
export type { ChartState, CompiledChart } from './chart/table/compile.js';
export { CLEAR_DEADLINE, type DeadlineEffect, type Effect, SET_DEADLINE } from './chart/table/operations.js';
export type { GuardOutcome, TransitionExplanation } from './chart/table/transition-record.js';

/**
 * Compiles an XState machine, made with `setup()`, to a table. Walk it by `start(input, effects)` and
 * `step(state, event, effects)`: both are pure, and push onto `effects` what is to be done outside. An `after` becomes
 * the effects `setDeadline` and `clearDeadline`; when a deadline is due, step with its `id` as the event's type.
 *
 * Supported are nested states, wildcards, `after`, guards with `and`, `or` and `not`, `assign`, `entry` and `exit`,
 * parameters and `reenter`. Guards and actions need names.
 * @throws {UnsupportedChartError} for what a table cannot hold, by name: parallel and history states, `invoke`,
 * `always`, `onDone`, `raise` without a delay, inline guards and actions
 */
export function compile<Machine extends AnyStateMachine>(
  machine: Machine,
): CompiledChart<ContextFrom<Machine>, EventFrom<Machine>, InputFrom<Machine>> {
  return compileShape(shapeOf(machine));
}

/**
 * Describes an XState machine as JSON: states, transitions, guards, actions, deadlines, and the sections of documents that
 * a `description` or a `meta.rfc` cites. `renderSvg` of `@sansmtp/charts` draws it.
 * @throws {UnsupportedChartError} for what a description cannot hold: parallel and history states, inline guards and
 * actions, parameters that are not plain values
 */
export function describe(machine: AnyStateMachine): ChartDescription {
  return describeMachine(shapeOf(machine));
}
