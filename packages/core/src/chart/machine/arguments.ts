/**
 * The argument that guards, assignments and delays of a chart are called with, `{ context, event }`: one object for all,
 * since a step calls a handful of them, and none of them holds on to it.
 */
import type { Arguments, ChartEvent } from './machine-shape.js';

const shared: { context: unknown; event: ChartEvent } = { context: undefined, event: { type: '' } };
const NO_EVENT = shared.event;

/** Good until the next call. */
export function argumentsOf(context: unknown, event: ChartEvent): Arguments {
  shared.context = context;
  shared.event = event;
  return shared as Arguments;
}

/** What comes with an event may be a secret, or large: it does not stay here. */
export function forgetArguments(): void {
  shared.context = undefined;
  shared.event = NO_EVENT;
}
