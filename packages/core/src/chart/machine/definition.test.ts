import { expect, it } from 'vitest';
import { clientMachine } from '../../client/chart.js';
import { serverMachine } from '../../server/chart.js';
import { compile } from '../table/compile.js';
import { plainNode } from '../table/equality.test-support.js';
import { assign, setup } from './definition.js';
import { xstateMachineOf } from './definition.test-support.js';
import { shapeOf } from './machine-shape.js';

it.each([
  ['server', serverMachine],
  ['client', clientMachine],
])(
  'the %s chart has the states and transitions of its XState machine, and can be compiled whole',
  (_, chart) => {
    const definition = shapeOf(chart);
    expect(plainNode(definition.root)).toEqual(plainNode(shapeOf(xstateMachineOf(chart)).root));
    expect(compile(definition).leaves.length).toBeGreaterThan(20);
  },
);

it('a target that is not there is an error that names the state and the target', () => {
  const chart = (target: string) => {
    const config = { id: 'm', initial: 'x', states: { x: { on: { E: target } }, y: {} } };
    return () => compile(shapeOf(setup({}).createMachine(config as never)));
  };
  expect(chart('y')).not.toThrow();
  expect(chart('z')).toThrow(new RangeError('m.x: there is no state "z" to go to'));
  expect(chart('.y')).toThrow(new RangeError('m.x: there is no state ".y" to go to'));
  expect(chart('#n.y')).toThrow(new RangeError('m.x: there is no state "#n.y" to go to'));
});

it('an assignment is made from the context as it was before', () => {
  const words = setup({
    types: { context: {} as { readonly one: number; readonly two: number } },
    actions: { swap: assign({ one: ({ context }) => context.two, two: ({ context }) => context.one }) },
  });
  const chart = compile<{ one: number; two: number }, { type: 'E' }, undefined>(
    shapeOf(
      words.createMachine({
        id: 'm',
        context: { one: 1, two: 2 },
        initial: 'x',
        states: { x: { on: { E: { actions: 'swap' } } } },
      }),
    ),
  );
  expect(chart.step(chart.start(undefined, []), { type: 'E' }, [])?.context).toEqual({ one: 2, two: 1 });
});
