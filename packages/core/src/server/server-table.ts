/** The server chart as a table. */
import { compileWhenEntered } from '../chart/compile.js';
import { shapeOf } from '../chart/machine-shape.js';
import type { ServerChartInput, ServerContext } from './chart/chart-context.js';
import type { ServerChartEvent } from './chart/chart-events.js';
import { serverMachine } from './chart.js';

export const serverTable = compileWhenEntered<ServerContext, ServerChartEvent, ServerChartInput>(
  shapeOf(serverMachine),
);
