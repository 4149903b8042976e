import { describeChart, type StateDescription } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { waysOf } from './ways.js';

const leavesOf = ({ path, states }: StateDescription): string[] =>
  states.length === 0 ? [path] : states.flatMap(leavesOf);

/** Into these leads no way yet: the walks are too short to have chunks refused that are under way. */
const NOT_YET: readonly string[] = [
  'session.transaction.concluding',
  'session.transaction.draining',
  'session.transaction.holding',
];

describe('ways', () => {
  it.each([
    ['server', ['reject']],
    ['client', ['data', 'bdat', 'lmtp', 'xclient', 'xforward', 'auth']],
  ] as const)('lead into every state of the %s chart, but three, in some mode', (end, modes) => {
    const reached = new Set(modes.flatMap((mode) => [...waysOf(end, mode).keys()]));
    const leaves = leavesOf(describeChart(end).root).filter((leaf) => !NOT_YET.includes(leaf));
    expect([...reached].filter((leaf) => !NOT_YET.includes(leaf)).sort()).toEqual(leaves.sort());
  });
});
