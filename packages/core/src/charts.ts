/** Both charts as plain data, for pictures and documents. */
import { type ChartDescription, describeMachine } from './chart/describe.js';
import { shapeOf } from './chart/machine-shape.js';
import { clientMachine } from './client/chart.js';
import { serverMachine } from './server/chart.js';

/**
 * Describes the chart by which a `ServerSession` or a `ClientSession` runs: the same machine, not a copy of it.
 * `renderMermaid` of `@sansmtp/charts` draws it.
 * @throws {RangeError} `end` is neither
 */
export function describeChart(end: 'server' | 'client'): ChartDescription {
  if (end !== 'server' && end !== 'client') {
    throw new RangeError(`There is no chart ${JSON.stringify(end)}; the charts are 'server' and 'client'`);
  }
  return describeMachine(shapeOf(end === 'server' ? serverMachine : clientMachine));
}
