import { describe, expect, it } from 'vitest';
import { isSelected } from './selection.js';

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
