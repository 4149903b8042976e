import { describe, expect, it } from 'vitest';
import { flawsOf } from './flaws.js';

describe('the coverage of a chart', () => {
  it('is without a flaw where all is taken that has no reason not to be', () => {
    const coverage = { taken: ['a'], untaken: ['b'], met: [] };
    expect(flawsOf(coverage, { b: 'nobody can' })).toEqual([]);
  });

  it.each([
    ['a transition that nothing takes', { taken: [], untaken: ['a'], met: [] }, {}, /no test takes a$/],
    [
      'one that only a property comes upon',
      { taken: [], untaken: ['a'], met: ['a'] },
      {},
      /takes a, but a property may/,
    ],
    ['a reason for one that is taken', { taken: ['a'], untaken: [], met: [] }, { a: 'no' }, /a test takes a/],
    [
      'a reason for one that a property comes upon',
      { taken: [], untaken: ['a'], met: ['a'] },
      { a: 'no' },
      /a test takes a/,
    ],
    [
      'a reason for what is not in the chart',
      { taken: [], untaken: [], met: [] },
      { a: 'no' },
      /there is no a/,
    ],
  ])('is flawed by %s', (_, coverage, reasons, flaw) => {
    const [first, ...others] = flawsOf(coverage, reasons);
    expect(first).toMatch(flaw);
    expect(others).toEqual([]);
  });
});
