import { expect, it } from 'vitest';
import { changesBetween } from './transition-record.js';

it('names what is remembered otherwise than before, in the order of the chart', () => {
  const before = { recipients: 1, from: 'a', secure: false, same: 2 };
  expect(changesBetween(before, { recipients: 2, from: 'b', secure: true, same: 2 })).toEqual([
    { name: 'recipients', before: 1, after: 2 },
    { name: 'from', before: 'a', after: 'b' },
    { name: 'secure', before: false, after: true },
  ]);
});

it('shows nothing of what is neither text, nor a number, nor true or false, before or after', () => {
  const plain = { one: 1, two: 'x', three: true };
  const other = { one: [1], two: { x: 1 }, three: undefined };
  expect(changesBetween(plain, other)).toEqual([]);
  expect(changesBetween(other, plain)).toEqual([]);
});

it('has no changes of a context that stays what it was', () => {
  const context = { recipients: 1 };
  expect(changesBetween(context, context)).toEqual([]);
});
