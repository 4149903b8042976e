import { expect, it } from 'vitest';
import { kindOf } from './kind-of.js';

it.each([
  [undefined, 'undefined'],
  [null, 'null'],
  [[], 'a list'],
  [{}, 'an object'],
  ['x', 'a string'],
  [1, 'a number'],
  [() => 1, 'a function'],
])('%o is %s', (value, kind) => {
  expect(kindOf(value)).toBe(kind);
});
