/** What the tests of `@sansmtp/core` take of a chart, and why they do not take the rest. */
import type { ChartDescription, StateDescription } from '@sansmtp/core';
import type { End } from '../simulation/ends.js';
import unreachable from './unreachable.json' with { type: 'json' };

export interface Coverage {
  /** Why no test takes them, by the ids of the transitions. */
  readonly untaken: ReadonlyMap<string, string>;
  readonly taken: number;
  readonly all: number;
  /** The states that no taken transition leaves or enters. */
  readonly unreached: ReadonlySet<string>;
}

export function coverageOf({ root }: ChartDescription, end: End): Coverage {
  const missing = new Map<string, string>(Object.entries(unreachable[end]));
  const unreached = new Set<string>();
  let all = 0;
  let found = 0;
  const walk = (state: StateDescription): void => {
    const taken = state.transitions.filter(({ id }) => !missing.has(id)).length;
    all += state.transitions.length;
    found += taken;
    if (taken === 0 && state.kind === 'atomic') unreached.add(state.path);
    for (const child of state.states) walk(child);
  };
  walk(root);
  return { untaken: missing, taken: found, all, unreached };
}
