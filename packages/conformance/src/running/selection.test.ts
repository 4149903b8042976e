import { describe, expect, it } from 'vitest';
import { checkSelection, isSelected, selectsNothing } from './selection.js';

describe('isSelected', () => {
  it.each([
    [undefined, true],
    ['sequence', true],
    ['sequence/quit-after-mail', true],
    ['seq', false],
    ['sequence/quit', false],
    ['*quit*', true],
    ['sequence/*-mail', true],
    ['*/quit-*-mail', true],
    ['*mail*mail', false],
    ['syntax, sequence', true],
    ['', false],
  ])('%s: %s', (pattern, expected) => {
    expect(isSelected('sequence/quit-after-mail', pattern)).toBe(expected);
  });
});

describe('a name that means nothing', () => {
  const ids = ['sequence/quit-after-mail', 'smuggling/cr-dot-cr'];

  it.each([
    ['sequence,smugling', ['smugling']],
    ['*quit*, smuggling', []],
    ['', ['']],
  ])('is told from the others: %s', (pattern, expected) => {
    expect(selectsNothing(pattern, ids)).toEqual(expected);
  });

  it('makes no tests that pass because there are none', () => {
    expect(() => checkSelection(ids, { only: 'envelope' })).toThrow(
      'The option only selects no case by "envelope"; it takes groups (sequence, smuggling), ids, and words with *',
    );
    expect(() => checkSelection(ids, { knownDeviations: ['smuggling/cr-dot-lf'] })).toThrow(
      'The option knownDeviations has "smuggling/cr-dot-lf", which is the id of no case',
    );
    checkSelection(ids, { only: 'sequence', knownDeviations: ids });
  });
});
