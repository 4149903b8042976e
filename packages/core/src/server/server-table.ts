/** The server chart as a table. */
import { compileWhenEntered } from '../chart/compile.js';
import { shapeOf } from '../chart/machine-shape.js';
import { serverMachine } from './chart.js';
import type { ServerChartInput, ServerContext } from './chart-context.js';
import type { ServerChartEvent } from './chart-events.js';

export const serverTable = compileWhenEntered<ServerContext, ServerChartEvent, ServerChartInput>(
  shapeOf(serverMachine),
);
