/** Both charts as plain data, for pictures and documents. */
import { type ChartDescription, describeMachine } from './chart/description/describe.js';
import { shapeOf } from './chart/machine/machine-shape.js';
import { withClientWords } from './client/chart/described-words.js';
import { clientMachine } from './client/chart.js';
import { withServerWords } from './server/chart/described-words.js';
import { serverMachine } from './server/chart.js';

/**
 * Describes the chart by which a `ServerSession` or a `ClientSession` runs: the same machine, not a copy of it.
 * With it stand the commands and replies that go over the wire. `renderOverview` of `@sansmtp/charts` draws it.
 * @throws {RangeError} `end` is neither
 */
export function describeChart(end: 'server' | 'client'): ChartDescription {
  if (end !== 'server' && end !== 'client') {
    throw new RangeError(`There is no chart ${JSON.stringify(end)}; the charts are 'server' and 'client'`);
  }
  return end === 'server'
    ? withServerWords(describeMachine(shapeOf(serverMachine)))
    : withClientWords(describeMachine(shapeOf(clientMachine)));
}
