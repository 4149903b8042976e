import { describe, expect, it } from 'vitest';
import type { StateDescription } from './chart/description/describe.js';
import { describeChart } from './charts.js';
import { clientTable } from './client/client-table.js';
import { serverTable } from './server/server-table.js';

function withDescendants(state: StateDescription): StateDescription[] {
  return [state, ...state.states.flatMap(withDescendants)];
}

it('is asked for by its end', () => {
  expect(() => describeChart('srever' as 'server')).toThrow(
    new RangeError(`There is no chart "srever"; the charts are 'server' and 'client'`),
  );
});

describe.each([
  ['server', serverTable],
  ['client', clientTable],
] as const)('the description of the %s chart', (end, compiled) => {
  const description = describeChart(end);
  const states = withDescendants(description.root);
  const transitions = states.flatMap((state) => state.transitions);

  it('has the leaf states on which sessions run, in their order', () => {
    expect(description.id).toBe(end);
    const leaves = states.filter(({ kind }) => kind !== 'compound');
    expect(leaves.map(({ path }) => path)).toEqual(compiled.leaves);
  });

  it('has the events on which sessions run', () => {
    const events = transitions.flatMap(({ trigger }) => (trigger.kind === 'event' ? trigger.type : []));
    const compiledEvents = compiled.eventTypes.filter((type) => !type.startsWith('xstate.'));
    expect(new Set(events)).toEqual(new Set(compiledEvents));
  });

  it('names the deadlines by their delays', () => {
    const deadlines = states.flatMap((state) => state.deadlines);
    expect(deadlines).toContain('linger');
    expect(deadlines.filter((name) => name.includes('.'))).toEqual([]);
    expect(compiled.eventTypes.filter((type) => type.startsWith('xstate.after.'))).toHaveLength(
      deadlines.length,
    );
  });

  it('leads only to states that it describes', () => {
    const paths = new Set(states.map(({ path }) => path));
    expect(transitions.filter(({ target }) => target !== undefined && !paths.has(target))).toEqual([]);
  });

  it('says for every transition which section of an RFC it follows, or which document of Postfix', () => {
    expect(transitions.length).toBeGreaterThan(states.length);
    const silent = states.flatMap(({ path, transitions: leaving }) =>
      leaving
        .filter(({ description: section = '' }) => !/RFC \d+ §|X(?:CLIENT|FORWARD)_README/.test(section))
        .map(({ trigger, guard }) => ({ path, trigger, guard })),
    );
    expect(silent).toEqual([]);
  });

  it('survives JSON unchanged', () => {
    expect(JSON.parse(JSON.stringify(description))).toStrictEqual(description);
  });
});
