import { describeChart, type StateDescription } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { waysOf } from './ways.js';

const leavesOf = ({ path, states }: StateDescription): string[] =>
  states.length === 0 ? [path] : states.flatMap(leavesOf);

// All modes are walked: a second of computing, which a busy machine takes its time for.
describe('ways', { timeout: 240_000 }, () => {
  it.each([
    ['server', ['reject']],
    ['client', ['data', 'bdat', 'lmtp', 'xclient', 'xforward', 'auth']],
  ] as const)('lead into every state of the %s chart, in some mode', (end, modes) => {
    const reached = new Set(modes.flatMap((mode) => [...waysOf(end, mode).keys()]));
    expect([...reached].sort()).toEqual(leavesOf(describeChart(end).root).sort());
  });
});
