import { expect, it } from 'vitest';
import { examplesOf } from './document-examples.js';

const { run } = examplesOf('docs/charts/README.md');

it('steps a traffic light as a table, and describes it', async () => {
  expect(await run('trafficlight')).toBe(
    'red for 30 s\ngreen for 25 s\namber for 3 s\noff\n' +
      "red [ '30000' ]\ngreen [ '25000' ]\namber [ '3000' ]\noff []\n",
  );
}, 20_000);
