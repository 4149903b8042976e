/** The server chart as a table. */

import { shapeOf } from '../chart/machine/machine-shape.js';
import { compileWhenEntered } from '../chart/table/compile.js';
import type { ServerChartInput, ServerContext } from './chart/chart-context.js';
import type { ServerChartEvent } from './chart/chart-events.js';
import { serverMachine } from './chart.js';

export const serverTable = compileWhenEntered<ServerContext, ServerChartEvent, ServerChartInput>(
  shapeOf(serverMachine),
);
