import { expect, it } from 'vitest';
import { setup } from '../machine/definition.js';
import { shapeOf } from '../machine/machine-shape.js';
import { describeMachine } from './describe.js';
import { leafOf, lineageOf } from './lineage.js';

const chart = describeMachine(
  shapeOf(
    setup({}).createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: { initial: 'b', states: { b: { initial: 'c', states: { c: {} } }, d: {} } },
        ab: { initial: 'd', states: { d: {} } },
      },
    } as never),
  ),
);
const pathsOf = (path: string) => lineageOf(chart, path).map((state) => state.path);

it('is a state and those that it stands in, innermost first', () => {
  expect(pathsOf('a.b.c')).toEqual(['a.b.c', 'a.b', 'a', '']);
  expect(pathsOf('a.d')).toEqual(['a.d', 'a', '']);
  expect(pathsOf('ab.d')).toEqual(['ab.d', 'ab', '']);
  expect(pathsOf('')).toEqual(['']);
});

it('is the root alone where there is no such state', () => {
  expect(pathsOf('x')).toEqual(['']);
  expect(pathsOf('b.d')).toEqual(['']);
});

it('ends, on the other side, in the first leaf inside', () => {
  expect(leafOf(chart, '')).toBe('a.b.c');
  expect(leafOf(chart, 'a.d')).toBe('a.d');
});
