/** Where a state stands in a description: in which others, and which of those in it is entered. */
import type { ChartDescription, StateDescription } from './describe.js';

type Rooted = Pick<ChartDescription, 'root'>;

/** The state at a path and those that it stands in, innermost first; the root alone if the chart has no such state. */
export function lineageOf({ root }: Rooted, path: string): readonly StateDescription[] {
  const lineage = [root];
  for (;;) {
    const inner = lineage[0]?.states.find(
      (state) => path === state.path || path.startsWith(`${state.path}.`),
    );
    if (inner === undefined) return lineage;
    lineage.unshift(inner);
  }
}

/** The leaf in which a session stands after it has entered the state at a path: the first one inside, if it has any. */
export function leafOf(chart: Rooted, path: string): string {
  const [state] = lineageOf(chart, path);
  return state?.initial === undefined ? path : leafOf(chart, state.initial);
}
