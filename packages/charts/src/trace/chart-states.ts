/** What a trace has to know of the charts. Each is described once: that takes milliseconds. */
import { type ChartDescription, describeChart } from '@sansmtp/core';
import type { End } from './records.js';

const charts = new Map<End, ChartDescription>();
const initialStates = new Map<End, string>();

export function chartOf(end: End): ChartDescription {
  const known = charts.get(end) ?? describeChart(end);
  charts.set(end, known);
  return known;
}

/** Where a session of this end begins. */
export function initialState(end: End): string {
  const known = initialStates.get(end) ?? findInitialState(chartOf(end));
  initialStates.set(end, known);
  return known;
}

function findInitialState({ root }: ChartDescription): string {
  let state = root;
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
