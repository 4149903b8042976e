/** What a trace has to know of the charts' states. */
import { describeChart } from '@sansmtp/core';
import type { End } from './records.js';

/** Where a session of this end begins. */
export function initialState(end: End): string {
  let state = describeChart(end).root;
  for (;;) {
    const next = state.states.find(({ path }) => path === state.initial);
    if (next === undefined) return state.path;
    state = next;
  }
}

/** The states of an AUTH exchange, at either end. */
export function isExchange(state: string): boolean {
  return state.startsWith('session.authenticat') || state === 'cancelled';
}
